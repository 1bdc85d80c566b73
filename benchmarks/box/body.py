"""A jointed body in three dimensions, whose angles and hands become the points of the common layout.

Centimetres and degrees; x to the person's left, y up, z out of the chest; the floor under a seat is about y = -45.
Everything is computed for a batch of clips at once: arrays begin with (N, T), clips and frames.

Lengths are shares of the stature after Drillis and Contini (1966), as in Winter, "Biomechanics and Motor Control of
Human Movement" (2009), figure 4.1. Shoulders and hips of keypoint estimators lie further inside than the breadths
given there; by how much (0.80 and 0.65 of the breadth) is assumed, and so is the spread of each share (5 %). The face
is the template of :mod:`bmoe_app.signals.head`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bmoe_app.signals.head import TEMPLATE
from pose_extract.layout_conversion import COMMON
from pose_extract.skeletons import get_skeleton

NAMES = get_skeleton(COMMON).keypoints
SIDES = {'left': 1.0, 'right': -1.0}
SHARES = {
    'upper_arm': 0.186,
    'forearm': 0.146,
    'hand': 0.108,
    'thigh': 0.245,
    'shank': 0.246,
    'foot': 0.152,
    'trunk': 0.288,  # from the hips to the shoulders
    'shoulders': 0.259 * 0.80,
    'hips': 0.191 * 0.65,
    'neck': 0.045,  # from the shoulders' height to where the head turns; assumed
    'face': 0.073,  # from there to the eyes' height, 0.936 of the stature
}
CHANNELS = (
    *('pelvis_x', 'pelvis_y', 'pelvis_z', 'trunk_yaw', 'trunk_lean', 'trunk_side', 'shoulder_left', 'shoulder_right'),
    *('head_yaw', 'head_pitch', 'head_roll'),
    *(f'{part}_{side}' for side in SIDES for part in ('thigh_out', 'thigh_up', 'shin_forward', 'shin_out')),
    *(f'hand_{axis}_{side}' for side in SIDES for axis in 'xyz'),
    *(f'curl_{side}' for side in SIDES),
)
"""What moves. Degrees: trunk lean is forward, side to the left, head yaw to the left, pitch upwards, roll to the left.
Centimetres: pelvis, lifted shoulders, and the hands' way from where they rest. Curl is 0 for a flat hand, 1 for a
fist."""
FRAMES = ('head', 'trunk', 'arm')
"""What a touched place moves with: the head (from the middle of the eyes), the trunk (from between the shoulders), or
the other forearm (from half way along it)."""


class Body(NamedTuple):
    """Lengths of N bodies in centimetres, and how they rest."""

    length: dict[str, np.ndarray]  # each (N,)
    face: np.ndarray  # (N, 7, 3) nose, eyes, ears, mouth about the middle of the eyes
    rest: dict[str, np.ndarray]  # hand of each side at rest (N, 3)
    hangs: np.ndarray  # (N,) 1 where hands go with the shoulders, 0 where they lie on something
    pole: dict[str, np.ndarray]  # where each elbow points (N, 3)


class Touch(NamedTuple):
    """Hands that go somewhere: which share of the way, to a place that moves with a part of the body."""

    share: np.ndarray  # (N, T) 0..1
    frame: np.ndarray  # (N,) index of FRAMES
    place: np.ndarray  # (N, 3) in that frame
    wiggle: np.ndarray  # (N, T, 3) about it


def make_bodies(count: int, standing: np.ndarray, rng: np.random.Generator) -> Body:
    """Draw bodies: nine of ten adults, the others children from 110 cm.

    Args:
        count: N.
        standing: (N,) bool, whose hands hang.
        rng: Random numbers.
    """
    adult = rng.random(count) < 0.9
    stature = np.where(adult, rng.normal(170, 9.5, count), rng.uniform(110, 150, count))
    length = {name: stature * share * rng.normal(1, 0.05, count).clip(0.85, 1.15) for name, share in SHARES.items()}
    small = 0.85 + 0.15 * stature / 170  # heads grow less than bodies
    template = np.array([TEMPLATE[name] for name in NAMES[:7]])
    spread = rng.normal(0, 0.4, (count, 7, 3))
    spread[:, 0, 0] = 0
    for left in (1, 3, 5):  # alike on both sides
        spread[:, left + 1] = spread[:, left] * (-1, 1, 1)
    face = (template + spread) * small[:, None, None] * rng.normal(1, 0.04, (count, 1, 1))
    rest, pole = {}, {}
    places = rng.choice(3, count, p=(0.45, 0.3, 0.25))  # on the thighs, in the lap, on a desk or arm rests
    out = np.choose(places, (rng.uniform(8, 17, count), rng.uniform(2, 7, count), rng.uniform(8, 28, count)))
    up = np.choose(places, (rng.uniform(7, 11, count), rng.uniform(5, 10, count), rng.uniform(14, 28, count)))
    forward = np.choose(places, (rng.uniform(15, 38, count), rng.uniform(10, 22, count), rng.uniform(20, 42, count)))
    for side, sign in SIDES.items():
        noise = rng.normal(0, (2.5, 1.5, 3.5), (count, 3))
        seated = np.stack([sign * out, up, forward], 1) + noise
        hanging = np.stack([sign * (length['shoulders'] / 2 + 5), length['trunk'] - 0.31 * stature, 0 * out + 8], 1)
        rest[side] = np.where(standing[:, None], hanging + noise, seated)
        pole[side] = np.stack([sign * rng.uniform(0.2, 1, count), -np.ones(count), rng.uniform(-0.8, 0, count)], 1)
    return Body(length, face, rest, standing.astype(float), pole)


def pose(body: Body, moves: dict[str, np.ndarray], touch: dict[str, Touch]) -> np.ndarray:
    """Where the points are.

    Args:
        body: N bodies.
        moves: :data:`CHANNELS`, each (N, T).
        touch: Of each side.

    Returns:
        (N, T, 29, 3) in the order of the common layout.
    """
    size = {name: value[:, None] for name, value in body.length.items()}
    zero = np.zeros_like(moves['pelvis_x'])
    points: dict[str, np.ndarray] = {}
    pelvis = np.stack([moves['pelvis_x'], moves['pelvis_y'], moves['pelvis_z']], -1)
    # the pelvis follows a part of the trunk's turn
    seat = rotation(0.3 * moves['trunk_yaw'], zero, 0.3 * moves['trunk_side'])
    trunk = rotation(moves['trunk_yaw'], -moves['trunk_lean'], moves['trunk_side'])
    top = pelvis + turn(trunk, zero, size['trunk'], zero)
    # who leans keeps the head half upright
    head = rotation(
        moves['trunk_yaw'] + moves['head_yaw'],
        moves['head_pitch'] - 0.45 * moves['trunk_lean'],
        moves['head_roll'] + 0.45 * moves['trunk_side'],
    )
    eyes = top + turn(trunk, zero, size['neck'], zero) + turn(head, zero, size['face'], zero + 8.0)
    for k, name in enumerate(NAMES[:7]):
        points[name] = eyes + turn(head, *(body.face[:, k, axis, None] for axis in range(3)))
    for side, sign in SIDES.items():
        _leg(points, side, sign, size, moves, pelvis, seat)
        lifted = moves[f'shoulder_{side}']
        points[f'{side}_shoulder'] = top + turn(trunk, sign * size['shoulders'] / 2, lifted, zero)
    hands = {side: _free_hand(body, side, moves, points) for side in SIDES}
    for side in ('right', 'left'):
        other = 'left' if side == 'right' else 'right'
        shoulder, pole = points[f'{other}_shoulder'], body.pole[other][:, None]
        elbow, wrist = reach(shoulder, hands[other], size['upper_arm'], size['forearm'], pole)
        frames = {'head': (eyes, head), 'trunk': (top, trunk), 'arm': ((elbow + wrist) / 2, trunk)}
        hands[side] = _touching_hand(body, side, hands[side], touch[side], frames, points, size)
    for side in SIDES:
        _arm(points, body, side, hands[side], size, moves[f'curl_{side}'])
    return np.stack([points[name] for name in NAMES], 2)


def rotation(yaw: np.ndarray, pitch: np.ndarray, roll: np.ndarray) -> np.ndarray:
    """Rotations from angles in degrees: to the left, upwards, the crown to the left; roll first, yaw last.

    Args:
        yaw: Any shape.
        pitch: As ``yaw``.
        roll: As ``yaw``.

    Returns:
        (..., 3, 3).
    """
    yaw, pitch, roll = np.deg2rad(yaw), np.deg2rad(pitch), np.deg2rad(roll)
    zero, one = np.zeros_like(yaw), np.ones_like(yaw)

    def stack(*rows: tuple[np.ndarray, ...]) -> np.ndarray:
        return np.stack([np.stack(row, -1) for row in rows], -2)

    left = stack((np.cos(yaw), zero, np.sin(yaw)), (zero, one, zero), (-np.sin(yaw), zero, np.cos(yaw)))
    raised = stack((one, zero, zero), (zero, np.cos(pitch), np.sin(pitch)), (zero, -np.sin(pitch), np.cos(pitch)))
    tilted = stack((np.cos(roll), np.sin(roll), zero), (-np.sin(roll), np.cos(roll), zero), (zero, zero, one))
    return left @ raised @ tilted


def turn(matrix: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Turned vectors (..., 3) of three coordinates that are broadcast to each other."""
    return np.einsum('...ij,...j->...i', matrix, np.stack(np.broadcast_arrays(x, y, z), -1))


def reach(
    shoulder: np.ndarray, wrist: np.ndarray, upper: np.ndarray, lower: np.ndarray, pole: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Elbow and wrist of an arm that reaches for a place, bent towards ``pole`` (inverse kinematics of two bones).

    Args:
        shoulder: (N, T, 3).
        wrist: (N, T, 3) the place; what is too far or too near is reached for as well as the arm can.
        upper: (N, 1) length of the upper arm.
        lower: (N, 1) length of the forearm.
        pole: (N, 1, 3) direction.

    Returns:
        Elbow and wrist, (N, T, 3) each.
    """
    way = wrist - shoulder
    span = np.linalg.norm(way, axis=-1)
    along = way / np.maximum(span, 1e-6)[..., None]
    span = np.clip(span, np.abs(upper - lower) + 1.0, upper + lower - 0.3)
    near = (upper**2 - lower**2 + span**2) / (2 * span)
    high = np.sqrt(np.maximum(upper**2 - near**2, 0))
    bend = pole - (pole * along).sum(-1, keepdims=True) * along
    bend /= np.maximum(np.linalg.norm(bend, axis=-1, keepdims=True), 1e-6)
    return shoulder + near[..., None] * along + high[..., None] * bend, shoulder + span[..., None] * along


def _free_hand(body: Body, side: str, moves: dict[str, np.ndarray], points: dict[str, np.ndarray]) -> np.ndarray:
    moved = np.stack([moves[f'hand_{axis}_{side}'] for axis in 'xyz'], -1)
    carried = points[f'{side}_shoulder'] - points[f'{side}_shoulder'].mean(1, keepdims=True)
    raised = np.stack([np.zeros_like(moves['pelvis_y']), moves['pelvis_y'], moves['pelvis_z']], -1)
    follows = np.where(body.hangs[:, None, None] > 0, carried, raised)
    return body.rest[side][:, None] + moved + follows


def _touching_hand(
    body: Body,
    side: str,
    free: np.ndarray,
    touch: Touch,
    frames: dict[str, tuple[np.ndarray, np.ndarray]],
    points: dict[str, np.ndarray],
    size: dict[str, np.ndarray],
) -> np.ndarray:
    """Where the wrist is when the finger tips are on their way to a place, (N, T, 3)."""
    place = np.zeros_like(free)
    for k, name in enumerate(FRAMES):
        chosen = touch.frame == k
        origin, matrix = (array[chosen] for array in frames[name])
        place[chosen] = origin + turn(matrix, *(touch.place[chosen, axis, None] for axis in range(3)))
    place = place + touch.wiggle
    shoulder, pole = points[f'{side}_shoulder'], body.pole[side][:, None]
    # the hand goes on straight from the forearm
    lower = size['forearm'] + size['hand']
    elbow, tips = reach(shoulder, place, size['upper_arm'], lower, pole)
    goal = elbow + (tips - elbow) * (size['forearm'] / lower)[..., None]
    return free + touch.share[..., None] * (goal - free)


def _arm(
    points: dict[str, np.ndarray],
    body: Body,
    side: str,
    goal: np.ndarray,
    size: dict[str, np.ndarray],
    curl: np.ndarray,
) -> None:
    pole = body.pole[side][:, None]
    elbow, wrist = reach(points[f'{side}_shoulder'], goal, size['upper_arm'], size['forearm'], pole)
    forward = (wrist - elbow) / np.maximum(np.linalg.norm(wrist - elbow, axis=-1, keepdims=True), 1e-6)
    across = np.cross(forward, pole)
    across /= np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-6)
    inner = across * np.where(across[..., :1] * SIDES[side] > 0, -1, 1)  # the thumb's side, towards the middle
    hand = (size['hand'] * (1 - 0.35 * curl))[..., None]
    points[f'{side}_elbow'], points[f'{side}_wrist'] = elbow, wrist
    points[f'{side}_index'] = wrist + 0.55 * hand * forward + 0.16 * hand * inner
    points[f'{side}_pinky'] = wrist + 0.50 * hand * forward - 0.20 * hand * inner
    points[f'{side}_thumb'] = wrist + 0.32 * hand * forward + 0.30 * hand * inner


def _leg(
    points: dict[str, np.ndarray],
    side: str,
    sign: float,
    size: dict[str, np.ndarray],
    moves: dict[str, np.ndarray],
    pelvis: np.ndarray,
    seat: np.ndarray,
) -> None:
    zero = np.zeros_like(moves['pelvis_x'])
    out, up, forward, aside = (
        np.deg2rad(moves[f'{name}_{side}']) for name in ('thigh_out', 'thigh_up', 'shin_forward', 'shin_out')
    )
    hip = pelvis + turn(seat, sign * size['hips'] / 2, zero, zero)
    thigh = np.stack([sign * np.sin(out) * np.cos(up), np.sin(up), np.cos(out) * np.cos(up)], -1)
    knee = hip + size['thigh'][..., None] * thigh
    shin = np.stack([sign * np.sin(aside), -np.cos(aside) * np.cos(forward), np.cos(aside) * np.sin(forward)], -1)
    ankle = knee + size['shank'][..., None] * shin
    ahead = np.stack([sign * np.sin(out + 0.15), np.zeros_like(out), np.cos(out + 0.15)], -1)
    lifted = np.minimum(ankle[..., 1] - np.median(ankle[..., 1], axis=1, keepdims=True), 0.5 * size['foot'])
    down = np.array([0.0, 1.0, 0.0])
    drop = -0.04 * size['shank'] / 0.246 * 0.5 - 3.0
    toe = ankle + 0.75 * size['foot'][..., None] * ahead + (drop - np.maximum(lifted, 0))[..., None] * down
    heel = ankle - 0.2 * size['foot'][..., None] * ahead + drop[..., None] * down
    found = {'hip': hip, 'knee': knee, 'ankle': ankle, 'heel': heel, 'foot_index': toe}
    points.update({f'{side}_{name}': place for name, place in found.items()})
