"""A clip's movement small enough to stand in a page: some frames, coordinates as whole numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pose_extract.skeletons import get_skeleton

FRAMES = 48
PERSONS = 2
GRID = 500
"""Coordinates are 0..GRID; -1 where a keypoint is absent."""


@dataclass(frozen=True)
class Motion:
    """What is drawn of a clip.

    Attributes:
        points: (M, F, K, 2) int16, x to the right and y down, 0..GRID or -1.
        skeleton: The keypoint layout.
        frames: Frames of the clip, of which F are kept.
    """

    points: np.ndarray
    skeleton: str
    frames: int


def shrink(keypoint: np.ndarray, score: np.ndarray | None, skeleton: str) -> Motion:
    """Make a clip small, all its frames in one box.

    Args:
        keypoint: (M, T, K, 2 or 3), NaN where absent. Of three coordinates the two are taken that show the person from
            the front.
        score: (M, T, K), 0 where absent, or None.
        skeleton: The keypoint layout.

    Returns:
        The movement of the first persons.
    """
    frames = keypoint.shape[1]
    kept = np.unique(np.linspace(0, frames - 1, min(frames, FRAMES)).round().astype(int))
    points = keypoint[:PERSONS][:, kept].astype(np.float64)
    seen = np.isfinite(points).all(-1)
    if score is not None:
        seen &= score[:PERSONS][:, kept] > 0
    else:
        seen &= (points != 0).any(-1)  # pickles without scores write zeros for what they did not see
    if points.shape[-1] == 3:
        points = _from_the_front(points, seen, skeleton)
    grid = np.full((*points.shape[:3], 2), -1, np.int16)
    if seen.any():
        # a keypoint that flew off must not shrink the person to a dot
        low, high = np.percentile(points[seen], (0.5, 99.5), axis=0)
        size = max(float((high - low).max()), 1e-9) * 1.1
        placed = np.where(seen[..., None], (points - (low + high) / 2) / size + 0.5, 0)
        grid = np.where(seen[..., None], np.clip(placed, 0, 1) * GRID, -1).round().astype(np.int16)
    return Motion(grid, skeleton, frames)


def _from_the_front(points: np.ndarray, seen: np.ndarray, skeleton: str) -> np.ndarray:
    """(M, F, K, 3) -> (M, F, K, 2): down is from head to legs; to the side, where the shoulders differ most."""
    layout = get_skeleton(skeleton)
    mean = [_mean(points, seen, layout.regions[region]) for region in ('head', 'lower')]
    fall = mean[1] - mean[0]
    down = int(np.abs(fall).argmax())
    sides = [axis for axis in range(3) if axis != down]
    width = np.abs(_mean(points, seen, layout.shoulders[:1]) - _mean(points, seen, layout.shoulders[1:]))
    side = max(sides, key=lambda axis: width[axis])
    return np.stack([points[..., side], points[..., down] * (1 if fall[down] >= 0 else -1)], -1)


def _mean(points: np.ndarray, seen: np.ndarray, keypoints: tuple[int, ...]) -> np.ndarray:
    chosen = points[:, :, list(keypoints)][seen[:, :, list(keypoints)]]
    return chosen.mean(0) if len(chosen) else np.zeros(points.shape[-1])
