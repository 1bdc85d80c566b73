"""What a pose estimator makes of a picture: its jitter, drift, swaps, guesses and scores, and what its layout lacks.

Jitter was measured with ``bmoe_app.signals.series.noise_floor`` on MediaPipe's tracks of three 1080 x 1296 clips of
seated people and one of standing people: a quiet clip has 0.002 to 0.003 shoulder widths from frame to frame, restless
and small people 0.007 to 0.015. Neighbours four frames away find two to two and a half times as much, which a
first-order process with a correlation of 0.85 to 0.95 gives: 0.01 shoulder widths in all in the quiet clip, 0.03 in
the others, where some of it is true movement. Hips and knees jitter more than shoulders, hands more than wrists where
people are small. How often it swaps, loses and guesses is assumed.
"""

from __future__ import annotations

import numpy as np

from benchmarks.box.body import NAMES
from pose_extract.layout_conversion import lost_points

BACKENDS = {
    'blazepose33': 0.42,
    'coco17': 0.18,
    'coco_wholebody133': 0.14,
    'halpe26': 0.09,
    'openpose25': 0.09,
    'kinect20': 0.08,
}
"""Layout to the share of clips that have its points."""
_SHARE = {'shoulder': 0.6, 'hip': 1.1, 'knee': 1.3, 'ankle': 1.0, 'heel': 1.2, 'foot_index': 1.1, 'elbow': 1.1}
_SHARE |= {'wrist': 1.2, 'pinky': 1.3, 'index': 1.3, 'thumb': 1.3}
PARTS = tuple(name.removeprefix('left_').removeprefix('right_') for name in NAMES)
FACE = np.arange(7)
_MIRROR = np.array([NAMES.index(n.replace('left', 'R').replace('right', 'left').replace('R', 'right')) for n in NAMES])
_FEET = ('ankle', 'heel', 'foot_index')
_SWAPPED = [
    [k for k, part in enumerate(PARTS) if part in parts]
    for parts in (('wrist', 'pinky', 'index', 'thumb'), ('knee', *_FEET), _FEET)
]


def estimate(
    pixels: np.ndarray,
    size: np.ndarray,
    rng: np.random.Generator,
    errors: bool = True,
    face_only: float | np.ndarray = 0.08,
) -> tuple[np.ndarray, np.ndarray]:
    """See the points as an estimator does.

    Args:
        pixels: (N, T, 29, 2) where they are.
        size: (N, 2) width and height of the pictures.
        rng: Random numbers.
        errors: Whether it errs; if not, it only lacks points and what lies outside the picture.
        face_only: Share of clips, or () or (N,) the odds of each, of which only the face is found.

    Returns:
        Keypoints (N, T, 29, 2), NaN where absent, and scores (N, T, 29), 0 there.
    """
    outside = ((pixels < 0) | (pixels >= size[:, None, None])).any(-1)
    scores = np.where(outside, rng.uniform(0.01, 0.35, outside.shape[::2])[:, None], 1.0)
    points = pixels.copy()
    if errors:
        width = _width(pixels)
        points += width[:, None, None, None] * _jitter(pixels.shape, rng)
        _swap(points, rng)
        hidden = _hide(points, width, rng)
        scores = _scores(scores, hidden, rng)
        # a point beyond the border is guessed, near the border or inside, at times surely
        guess = outside & (rng.random((len(points), 1, 1)) < 0.7)
        border = np.clip(points, 0, size[:, None, None] * 1.05)
        pull = rng.uniform(0, 0.6, (len(points), 1, 1, 1)) * guess[..., None]
        points += pull * (border - points)
        scores = np.where(outside & (rng.random((len(points), 1, 1)) < 0.12), scores + rng.uniform(0, 0.5), scores)
    _lack(points, scores, outside, rng, errors, face_only)
    return points, scores.clip(0, 1)


def _width(pixels: np.ndarray) -> np.ndarray:
    """(N,) a length of the body in pixels that no turn takes away: the larger of shoulders and 0.7 of the trunk."""
    left, right = NAMES.index('left_shoulder'), NAMES.index('left_hip')
    shoulders = np.linalg.norm(pixels[:, :, left] - pixels[:, :, left + 1], axis=-1)
    trunk = np.linalg.norm(pixels[:, :, left] - pixels[:, :, right], axis=-1)
    return np.maximum(np.median(shoulders, 1), 0.7 * np.median(trunk, 1))


def _jitter(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Offset, drift and correlated noise in shoulder widths, (N, T, 29, 2); a part of the face's is one for all."""
    count, frames, joints, _ = shape
    share = np.array([_SHARE.get(part, 1.0) for part in PARTS])[:, None]
    level = np.exp(rng.normal(np.log(0.011), 0.65, (count, 1, 1, 1))).clip(0.002, 0.05)
    correlation = rng.uniform(0.8, 0.96, (count, 1, 1))
    white = rng.normal(0, 1, shape)
    white[:, :, FACE] = 0.6 * white[:, :, FACE] + 0.8 * rng.normal(0, 1, (count, frames, 1, 2))
    kept = np.sqrt(1 - correlation**2)
    noise = np.empty(shape)
    noise[:, 0] = white[:, 0]
    for t in range(1, frames):
        noise[:, t] = correlation * noise[:, t - 1] + kept * white[:, t]
    # the face is one piece: its offset is that of another head, small
    offset = rng.normal(0, 0.03, (count, 1, joints, 2)) * share
    offset[:, :, FACE] *= 0.4
    drift = rng.normal(0, 0.02, (count, 1, joints, 2)) * np.linspace(-0.5, 0.5, frames)[:, None, None]
    drift[:, :, FACE] = drift[:, :, :1]
    shake = rng.normal(0, 0.02, (count, 1, 1, 2)) * np.linspace(-0.5, 0.5, frames)[:, None, None]
    slips = (rng.random((count, frames, joints, 1)) < 0.002) * rng.normal(0, 0.12, shape)
    return level * share * noise + 0.12 * level * rng.normal(0, 1, shape) * share + offset + drift + shake + slips


def _swap(points: np.ndarray, rng: np.random.Generator) -> None:
    """Exchange left and right of hands or legs for some frames in one of sixteen clips."""
    for n in np.flatnonzero(rng.random(len(points)) < 0.06):
        joints = _SWAPPED[rng.integers(len(_SWAPPED))]
        start = rng.integers(points.shape[1])
        span = slice(start, start + rng.integers(1, 8))
        points[n, span][:, joints] = points[n, span][:, _MIRROR[joints]]


def _hide(points: np.ndarray, width: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Legs under a desk, hands behind something: guessed with a walk of their own; bool (N, T, 29)."""
    count, frames, joints, _ = points.shape
    hidden = np.zeros((count, frames, joints), bool)
    legs = np.isin(PARTS, ('knee', 'ankle', 'heel', 'foot_index'))
    hidden[rng.random(count) < 0.15] |= legs
    for n in np.flatnonzero(rng.random(count) < 0.15):
        side = 'left_' if rng.random() < 0.5 else 'right_'
        few = [k for k, name in enumerate(NAMES) if name.startswith(side) and PARTS[k] in
               ('wrist', 'pinky', 'index', 'thumb')]  # fmt: skip
        start = rng.integers(-10, frames)
        hidden[n, max(start, 0) : start + rng.integers(5, frames), few] = True
    walk = rng.normal(0, 0.02, points.shape).cumsum(1) * 0.5 + rng.normal(0, 0.15, (count, 1, joints, 2))
    points += np.where(hidden[..., None], walk * width[:, None, None, None], 0)
    return hidden


def _scores(scores: np.ndarray, hidden: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """High where seen, lower for hands and feet, low where guessed; slowly changing."""
    count, frames, joints = scores.shape
    least = rng.uniform(0.6, 1.0, (count, 1, 1)) - 0.12 * np.isin(PARTS, ('pinky', 'index', 'thumb', 'heel'))
    seen = least + rng.normal(0, 0.05, (count, 1, joints)) + rng.normal(0, 0.01, scores.shape)
    guessed = rng.uniform(0.02, 0.7, (count, 1, 1)) + rng.normal(0, 0.05, scores.shape)
    return scores * np.where(hidden, guessed, seen).clip(0.02, 1)


def _lack(
    points: np.ndarray,
    scores: np.ndarray,
    outside: np.ndarray,
    rng: np.random.Generator,
    errors: bool,
    face_only: float | np.ndarray,
) -> None:
    """Leave out the points that a layout lacks, and what estimators that do not guess leave out, in place."""
    count, frames = points.shape[:2]
    gone = np.zeros(scores.shape, bool)
    backends = rng.choice(len(BACKENDS), count, p=list(BACKENDS.values()))
    for index, name in enumerate(BACKENDS):
        gone[backends == index] |= np.isin(NAMES, lost_points(name))
    drops = rng.random(count) < 0.5
    gone |= outside & drops[:, None, None]
    gone[rng.random(count) < face_only] |= ~np.isin(np.arange(len(NAMES)), FACE)
    above_hips = rng.random(count) < 0.12
    gone[above_hips] |= np.isin(PARTS, ('hip', 'knee', 'ankle', 'heel', 'foot_index'))
    if errors:
        for n in np.flatnonzero(rng.random(count) < 0.1):  # nobody is found for some frames
            start = rng.integers(frames)
            gone[n, start : start + rng.integers(1, 6)] = True
    points[gone], scores[gone] = np.nan, 0
