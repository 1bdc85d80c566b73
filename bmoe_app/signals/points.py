"""Keypoints of one person by name, with y upwards, and the person's size in the picture."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pose_extract.skeletons import Skeleton

SIZE_BIN = 1.0
"""Seconds over which a body's size is taken together."""
TRUNK_TO_SHOULDERS = 0.6
"""Of the trunk's length (mid-shoulders to mid-hips), what stands for the width of the shoulders of a body turned away.

An adult who faces the camera has 0.7, so that a lifted shoulder or a stretched back does not change the size."""
EARS_TO_SHOULDERS = 2.4
"""Shoulder width over distance of the ears."""
EYES_TO_SHOULDERS = 5.5
"""Shoulder width over distance of the eyes."""

FASTEST = 10.0
"""Body sizes a second, some 3.5 m, that nobody sits, walks or bows at."""


class Points:
    """The keypoints of one person by name.

    Args:
        keypoints: (T, K, 2) pixels, y downwards.
        scores: (T, K) in 0..1.
        skeleton: Their layout.
        min_score: Keypoints below it are not believed: NaN.
        image_size: (height, width); keypoints outside of the picture, at which an estimator can only guess, are not
            believed either. None believes them.
    """

    def __init__(
        self,
        keypoints: np.ndarray,
        scores: np.ndarray,
        skeleton: Skeleton,
        min_score: float,
        image_size: tuple[int, int] | None = None,
    ) -> None:
        believed = scores >= min_score
        if image_size is not None:
            with np.errstate(invalid='ignore'):
                believed = believed & ((keypoints >= 0) & (keypoints <= image_size[::-1])).all(-1)
        self.xy = np.where(believed[..., None], keypoints, np.nan).astype(np.float64) * (1.0, -1.0)
        self.skeleton = skeleton

    def has(self, *names: str) -> bool:
        """Whether the layout has all these keypoints."""
        return all(name in self.skeleton.keypoints for name in names)

    def get(self, name: str) -> np.ndarray:
        """One keypoint, (T, 2), x to the right and y upwards; NaN where unseen or not in the layout."""
        if not self.has(name):
            return np.full((len(self.xy), 2), np.nan)
        return self.xy[:, self.skeleton.index(name)]

    def middle(self, part: str) -> np.ndarray:
        """Middle between the left and the right one, (T, 2); NaN unless both are seen."""
        return (self.get(f'left_{part}') + self.get(f'right_{part}')) / 2

    def mean(self, names: Iterable[str]) -> np.ndarray:
        """Mean of those of the keypoints that are seen, (T, 2); NaN where none is."""
        return nan_mean([self.get(name) for name in names if self.has(name)], len(self.xy))


def nan_mean(parts: list[np.ndarray], frames: int) -> np.ndarray:
    """Mean of points (T, 2) that are known, without numpy's warning where none is."""
    if not parts:
        return np.full((frames, 2), np.nan)
    stack = np.stack(parts)
    known = np.isfinite(stack)
    count = known.sum(0)
    with np.errstate(invalid='ignore'):
        return np.where(known, stack, 0).sum(0) / np.where(count, count, np.nan)


def length(vector: np.ndarray) -> np.ndarray:
    """Euclidean length over the last axis."""
    return np.hypot(vector[..., 0], vector[..., 1])


def shoulder_width(points: Points) -> np.ndarray:
    """What stands for the width of the shoulders in each frame, pixels (T,).

    The larger of the shoulders' distance and :data:`TRUNK_TO_SHOULDERS` of the trunk's length, since the former
    shrinks when a body turns and the latter when it leans; where neither is seen, the larger of the ears' and the
    eyes' distances, each times its ratio to the shoulders.
    """
    shoulders = length(points.get('left_shoulder') - points.get('right_shoulder'))
    trunk = TRUNK_TO_SHOULDERS * length(points.middle('shoulder') - points.middle('hip'))
    ears = EARS_TO_SHOULDERS * length(points.get('left_ear') - points.get('right_ear'))
    eyes = EYES_TO_SHOULDERS * length(points.get('left_eye') - points.get('right_eye'))
    return np.where(np.isfinite(shoulders), np.fmax(shoulders, trunk), np.fmax(ears, eyes))


def body_size(points: Points, times: np.ndarray) -> np.ndarray:
    """The unit of length of each frame in pixels, (T,): the width of the shoulders, slowly changing.

    Of each second the 80th percentile of :func:`shoulder_width` is taken, of nine such seconds the median, and
    between them a straight line: a turn of the body or a bad frame hardly moves it, coming nearer does.

    Args:
        points: The person.
        times: (T,) seconds.

    Returns:
        NaN only where no frame of the track has a size.
    """
    width = shoulder_width(points)
    known = np.isfinite(width) & (width > 0)
    if not known.any():
        return np.full(len(times), np.nan)
    bins = np.floor((times[known] - times[0]) / SIZE_BIN).astype(np.int64)
    _, first = np.unique(bins, return_index=True)
    sizes = np.array([np.percentile(part, 80) for part in np.split(width[known], first[1:])])
    middles = np.array([part.mean() for part in np.split(times[known], first[1:])])
    steady = np.array([np.median(sizes[max(0, i - 4) : i + 5]) for i in range(len(sizes))])
    return np.interp(times, middles, steady)


def jumps(points: Points, size: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Frames at which a track leaps to another place, as where an estimator takes one person for another.

    Args:
        points: The person.
        size: (T,) pixels of a body size.
        times: (T,) seconds.

    Returns:
        (T,) bool: whether the middle of what is seen of trunk and face has moved, since it was last seen, by more than
        half a body size and faster than :data:`FASTEST`.
    """
    found = np.zeros(len(times), bool)
    place = points.mean(('left_shoulder', 'right_shoulder', 'nose', 'left_eye', 'right_eye', 'head'))
    known = np.flatnonzero(np.isfinite(place[:, 0]) & np.isfinite(size))
    way = length(np.diff(place[known], axis=0)) / size[known[1:]]
    found[known[1:]] = (way > 0.5) & (way > FASTEST * np.diff(times[known]))
    return found
