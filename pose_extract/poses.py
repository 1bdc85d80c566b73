"""What an estimator takes and hands over: boxes to look in, and the persons of each frame."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np

from pose_extract.video import Frame


@dataclass(frozen=True)
class PersonBoxes:
    """Person boxes of one frame.

    Attributes:
        boxes: (N, 4) float32, xyxy pixels.
        scores: (N,) float32, 0..1.
        ids: (N,) int64 identities that the source of the boxes vouches for, or None.
    """

    boxes: np.ndarray
    scores: np.ndarray
    ids: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.boxes)


@dataclass(frozen=True)
class FramePoses:
    """The persons seen in one frame.

    Attributes:
        keypoints: (N, K, 2) float32 pixels.
        scores: (N, K) float32, 0..1.
        boxes: (N, 4) float32, xyxy pixels.
        ids: (N,) int64 identities when the boxes came with them, else None (tracking decides).
    """

    keypoints: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray
    ids: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.keypoints)

    @staticmethod
    def nobody(num_keypoints: int) -> FramePoses:
        """The poses of a frame in which nobody was seen."""
        return FramePoses(
            np.zeros((0, num_keypoints, 2), np.float32),
            np.zeros((0, num_keypoints), np.float32),
            np.zeros((0, 4), np.float32),
        )


BoxSource = Callable[[int], PersonBoxes]
"""Boxes of the frame with the given index."""


Poses = Generator[tuple[Frame, FramePoses], None, None]
"""Each frame of a video with its persons, in order."""
