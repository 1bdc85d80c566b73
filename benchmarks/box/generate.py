"""Clips of generated people in the layout of pyskl's pickles: what the model in the box is trained on."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.box.body import CHANNELS, NAMES, SIDES, Touch, make_bodies, pose
from benchmarks.box.camera import KINDS, make_cameras, project
from benchmarks.box.estimator import estimate
from benchmarks.box.idle import RATE, rest_moves
from benchmarks.box.motions import MOTIONS, Player
from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from bmoe_skel.taxonomy import CLASSES, NOTHING, TAXONOMY
from pose_extract.layout_conversion import COMMON

NOTHING_SHARE = 0.27
"""Share of clips in which nothing happens, or too little to be called a movement; out of sight it is, in more."""
FRAMES = (36, 78)
"""Fewest and most frames of a clip, at 30 a second."""
BATCH = 256
WITHOUT = ('errors', 'cameras', 'idle')
"""What can be left out, to learn what it is worth: the estimator's errors, all cameras but one, idle movement."""
AWAY = 0.12
"""Share of clips in which somebody looks aside all the time; as many look up or down, and as many lean."""
FACE_ONLY = (0.15, 0.04)
"""Share of clips of which only the face is found: of those of head and trunk, and of the others."""
_MOVED = {
    'head': NAMES[:5],
    'upper': ('left_wrist', 'right_wrist'),
    'lower': ('left_knee', 'right_knee', 'left_ankle', 'right_ankle'),
}
SEATED_ONLY = ('cross_legs', 'spread_legs', 'stretch_leg')
"""Classes of people who sit."""


def make_batch(
    labels: np.ndarray, rng: np.random.Generator, without: tuple[str, ...] = ()
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Film one person for each label.

    Args:
        labels: (N,) indices of :data:`bmoe_skel.taxonomy.CLASSES`.
        rng: Random numbers.
        without: Of :data:`WITHOUT`.

    Returns:
        Keypoints (N, T, 29, 2) in pixels, NaN where absent, scores (N, T, 29), the frames (N,) that count, and the
        labels (N,) of what can be seen: nothing where what moved is out of sight.
    """
    points, frames, names = act(labels, rng, without)
    count = len(labels)
    lower = np.array([name in TAXONOMY and TAXONOMY[name].region == 'lower' or name == 'rise' for name in names])
    kinds = np.where(lower, rng.choice((1, 2), count, p=(0.6, 0.4)), rng.choice(3, count, p=(0.45, 0.35, 0.2)))
    if 'cameras' in without:
        kinds[:] = KINDS.index('interview')
    middle = points.shape[1] // 2
    camera = make_cameras(points[:, middle, 1:3].mean(1), points[:, middle, 17:19].mean(1), kinds, rng)
    if 'cameras' in without:
        hips, eyes = points[:, middle, 17:19].mean(1), points[:, middle, 1:3].mean(1)
        place = (hips + eyes) / 2 + (0, 0, 300)
        camera = camera._replace(place=place, matrix=np.repeat(np.eye(3)[None], count, 0))
    head = np.array([name not in TAXONOMY or TAXONOMY[name].region in ('head', 'body') for name in names])
    face_only = np.where(head, *FACE_ONLY)
    keypoints, scores = estimate(project(points, camera), camera.size, rng, 'errors' not in without, face_only)
    seen = [
        label if can_be_seen(name, one[:last]) else CLASSES.index(NOTHING)
        for label, name, one, last in zip(labels, names, scores, frames, strict=True)
    ]
    return keypoints, scores, frames, np.array(seen)


def can_be_seen(name: str, scores: np.ndarray) -> bool:
    """Whether any of the points that a class moves is found in a fifth of the frames.

    Args:
        name: Of :data:`bmoe_skel.taxonomy.CLASSES`.
        scores: (T, 29).
    """
    if name not in TAXONOMY:
        return True
    moved = ('left_shoulder', 'right_shoulder') if name == 'shrug' else _MOVED.get(TAXONOMY[name].region)
    points = scores if moved is None else scores[:, [NAMES.index(point) for point in moved]]
    return bool(((points > 0.3).mean(0) >= 0.2).any())


def act(
    labels: np.ndarray, rng: np.random.Generator, without: tuple[str, ...] = ()
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Let one body move for each label.

    Returns:
        Points (N, T, 29, 3) in centimetres, the frames (N,) that count, and the labels' names.
    """
    count, names = len(labels), [CLASSES[label] for label in labels]
    seated_only = np.isin(names, SEATED_ONLY)
    standing = (rng.random(count) < 0.3) & ~seated_only
    frames = rng.integers(FRAMES[0], FRAMES[1] + 1, count)
    longest = int(frames.max())
    body = make_bodies(count, standing, rng)
    moves = {name: np.zeros((count, longest)) for name in CHANNELS}
    idle = rest_moves(count, longest, rng, 0.0 if 'idle' in without else 1.0)
    for name, values in idle.items():
        moves[name] += values
    take_postures(moves, standing, rng)
    touch = {
        side: Touch(
            np.zeros((count, longest)), np.zeros(count, int), np.zeros((count, 3)), np.zeros((count, longest, 3))
        )
        for side in SIDES
    }
    for n, label in enumerate(names):
        player = Player(
            np.arange(frames[n]) / RATE,
            {name: values[n, : frames[n]] for name, values in moves.items()},
            {side: {'share': one.share[n, : frames[n]], 'frame': one.frame[n : n + 1], 'place': one.place[n],
                    'wiggle': one.wiggle[n, : frames[n]]} for side, one in touch.items()},
            bool(standing[n]),
            {name: float(values[n]) for name, values in body.length.items()},
            rng,
        )  # fmt: skip
        _play(player, label)
    return pose(body, moves, touch), frames, names


def take_postures(moves: dict[str, np.ndarray], standing: np.ndarray, rng: np.random.Generator) -> None:
    """How people sit and stand: turned, leaning, with legs here and there, looking somewhere."""
    count = len(standing)

    def draw(mean: float, spread: float) -> np.ndarray:
        return rng.normal(mean, spread, (count, 1))

    for name, mean, spread in (
        *(('trunk_yaw', 0, 10), ('trunk_lean', 2, 7), ('trunk_side', 0, 3)),
        *(('head_yaw', 0, 11), ('head_pitch', -4, 9), ('head_roll', 0, 4)),
    ):
        moves[name] += draw(mean, spread)
    # some look aside or down all the time, or sit bent: postures that a movement may also lead to
    for name, low, high in (('head_yaw', -60, 60), ('head_pitch', -40, 20), ('trunk_lean', -15, 28)):
        moves[name] += np.where(rng.random((count, 1)) < AWAY, rng.uniform(low, high, (count, 1)), 0)
    for side in SIDES:
        moves[f'thigh_out_{side}'] += np.where(standing[:, None], draw(4, 3), draw(10, 8))
        moves[f'thigh_up_{side}'] += np.where(standing[:, None], draw(-87, 2), draw(-2, 6))
        moves[f'shin_forward_{side}'] += np.where(standing[:, None], draw(-3, 2), draw(4, 14))
        moves[f'shin_out_{side}'] += draw(1, 5)
        moves[f'curl_{side}'] += rng.uniform(0, 0.7, (count, 1))
    crossed = np.flatnonzero((rng.random(count) < 0.15) & ~standing)
    for n in crossed:  # legs that lie across, which is a posture and no movement
        side = ('left', 'right')[rng.integers(2)]
        moves[f'thigh_out_{side}'][n] -= 30
        moves[f'thigh_up_{side}'][n] += 15
        moves[f'shin_forward_{side}'][n] += 25


def _play(p: Player, label: str) -> None:
    """The movement of a label, at times with a small one elsewhere; of nothing, small ones or none."""
    rng = p.rng
    if label != NOTHING:
        if rng.random() < 0.35:
            region = TAXONOMY[label].region
            _small(p, [name for name, one in TAXONOMY.items() if one.region != region], 0.1, 0.35)
        MOTIONS[label](p, float(np.clip(rng.normal(1.0, 0.22), 0.6, 1.5)))
        return
    for _ in range(rng.choice(4, p=(0.4, 0.3, 0.2, 0.1))):
        _small(p, list(TAXONOMY), 0.05, 0.25)
    if rng.random() < 0.15:  # hands folded, which is a posture
        place = rng.normal((0, -33, 24), (3, 6, 4))
        for side, sign in SIDES.items():
            p.lead(side, 'trunk', tuple(place - (sign * 2.5, 0, 0)), np.ones_like(p.times))


def _small(p: Player, names: list[str], low: float, high: float) -> None:
    """A movement that is too small to count; contact is never small, so hands are left out."""
    of_hands = ('hand_to', 'hands_', 'crossed_arms', 'rise')
    few = [name for name in names if not name.startswith(of_hands)]
    name = few[p.rng.integers(len(few))]
    if p.standing and name in SEATED_ONLY:
        return
    MOTIONS[name](p, float(p.rng.uniform(low, high)))


def make_clips(count: int, seed: int, without: tuple[str, ...] = (), part: int = 0) -> Iterator[dict[str, Any]]:
    """Annotations of clips, with :data:`NOTHING_SHARE` of nothing and the other classes alike.

    Args:
        count: Clips.
        seed: The same seed gives the same clips.
        without: Of :data:`WITHOUT`.
        part: Another part of the same seed's clips: 0 for training, 1 for testing.

    Raises:
        UserError: ``without`` names something else.
    """
    wrong = [name for name in without if name not in WITHOUT]
    if wrong:
        raise UserError(f'--without {wrong[0]}: choose of {", ".join(WITHOUT)}')
    odds = np.full(len(CLASSES), (1 - NOTHING_SHARE) / len(TAXONOMY))
    odds[-1] = NOTHING_SHARE
    for first in range(0, count, BATCH):
        rng = np.random.default_rng((seed, part, first))
        labels = rng.choice(len(CLASSES), min(BATCH, count - first), p=odds)
        keypoints, scores, frames, seen = make_batch(labels, rng, without)
        for n, (label, length) in enumerate(zip(seen.tolist(), frames.tolist(), strict=True)):
            if not (scores[n, :length] > 0.3).any():
                continue  # nobody is to be seen: the model would refuse the clip
            yield {
                'frame_dir': f'{("train", "test")[part]}_{first + n:06d}',
                'label': label,
                'total_frames': length,
                'keypoint': keypoints[n, :length][None].astype(np.float32),
                'keypoint_score': scores[n, :length][None].astype(np.float32),
            }


def write_clips(path: Path, train: int, test: int, seed: int, without: tuple[str, ...] = ()) -> dict[str, int]:
    """Write a pickle with the splits train and test.

    Args:
        path: The pickle.
        train: Clips to train on; a few in which nothing is seen are left out.
        test: Clips to test on.
        seed: Of everything.
        without: Of :data:`WITHOUT`.

    Returns:
        Clips of each split.

    Raises:
        UserError: ``without`` is wrong, or the file cannot be written.
    """
    parts = {'train': list(make_clips(train, seed, without, 0)), 'test': list(make_clips(test, seed, without, 1))}
    content = {
        'split': {name: [clip['frame_dir'] for clip in clips] for name, clips in parts.items()},
        'annotations': [clip for clips in parts.values() for clip in clips],
        'metainfo': {'classes': list(CLASSES), 'layout': COMMON},
    }
    with atomic_write(path) as file:
        pickle.dump(content, file, protocol=4)
    return {name: len(clips) for name, clips in parts.items()}
