"""The last seconds of a stream: frames as they come, tracks of any stretch of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from pose_extract.skeletons import get_skeleton
from pose_extract.tracks import PoseTracks

Body = tuple[np.ndarray, np.ndarray]
"""Keypoints (K, 2) in pixels, NaN where absent, and scores (K,) of one person in one frame."""


class Frame(NamedTuple):
    """One frame: seconds, and who is seen in it."""

    time: float
    people: dict[int, Body]


class FrameBuffer:
    """Frames from some moment on.

    Args:
        skeleton: Name of the keypoint layout.
        image_size: (height, width) of the frames in pixels.
    """

    def __init__(self, skeleton: str, image_size: tuple[int, int]) -> None:
        self.skeleton, self.image_size = skeleton, image_size
        self._joints = get_skeleton(skeleton).num_keypoints
        self._frames: deque[Frame] = deque()

    def __len__(self) -> int:
        """Frames that are held."""
        return len(self._frames)

    def add(self, time: float, people: Mapping[int, Body]) -> None:
        """Add the next frame.

        Raises:
            ValueError: Time does not go forward, or a person has arrays of other shapes than the layout.
        """
        if not np.isfinite(time) or (self._frames and time <= self._frames[-1].time):
            last = self._frames[-1].time if self._frames else None
            raise ValueError(f'time must be a finite number that rises from frame to frame, got {time} after {last}')
        kept = {}
        for person, (keypoints, scores) in people.items():
            keypoints, scores = np.asarray(keypoints, np.float32), np.asarray(scores, np.float32)
            if keypoints.shape != (self._joints, 2) or scores.shape != (self._joints,):
                raise ValueError(
                    f'person {person}: keypoints {keypoints.shape} and scores {scores.shape} are not those of '
                    f'{self.skeleton}, ({self._joints}, 2) and ({self._joints},)'
                )
            kept[int(person)] = (keypoints, scores)
        self._frames.append(Frame(float(time), kept))

    def forget(self, before: float) -> None:
        """Drop the frames before a moment."""
        while self._frames and self._frames[0].time < before:
            self._frames.popleft()

    @property
    def last_time(self) -> float:
        """Seconds of the newest frame."""
        return self._frames[-1].time

    def seen_last(self) -> list[int]:
        """Who has a keypoint in the newest frame."""
        people = self._frames[-1].people
        return [
            person for person, (points, scores) in people.items() if ((scores > 0) & np.isfinite(points).all(-1)).any()
        ]

    @property
    def times(self) -> np.ndarray:
        """(T,) seconds of the frames that are held."""
        return np.array([frame.time for frame in self._frames])

    def tracks(self, first: int = 0, stop: int | None = None) -> tuple[list[int], PoseTracks]:
        """A stretch of the frames as tracks.

        Args:
            first: Index of the first frame among those held.
            stop: Index after the last; all if None.

        Returns:
            Who is seen in it, and their tracks in that order.
        """
        frames = [self._frames[i] for i in range(first, len(self._frames) if stop is None else stop)]
        people = sorted({person for frame in frames for person in frame.people})
        shape = (len(people), len(frames), self._joints)
        keypoints, scores = np.full((*shape, 2), np.nan, np.float32), np.zeros(shape, np.float32)
        for t, frame in enumerate(frames):
            for person, (points, certain) in frame.people.items():
                m = people.index(person)
                keypoints[m, t], scores[m, t] = points, certain
        keypoints[scores <= 0] = np.nan
        scores[~np.isfinite(keypoints).all(-1)] = 0
        boxes = np.full((*shape[:2], 4), np.nan, np.float32)
        seen = (scores > 0).any(-1)
        with np.errstate(all='ignore'):
            boxes[seen] = np.concatenate([np.nanmin(keypoints[seen], 1), np.nanmax(keypoints[seen], 1)], 1)
        times = np.array([frame.time for frame in frames])
        return people, PoseTracks(keypoints, scores, boxes, times, self.image_size, self.skeleton)
