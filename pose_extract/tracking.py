"""Who is who from frame to frame: Hungarian assignment on keypoint and box similarity."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from bmoe_ground.geometry import box_iou
from pose_extract.poses import FramePoses

MIN_SCORE = 0.2  # keypoints below it say nothing about who it is
STALE = 0.3  # how much less a person counts at the end of its longest absence
SIGMA = 0.1  # spread of a keypoint between frames, relative to the person's size


def keypoint_similarity(
    first: np.ndarray, first_scores: np.ndarray, second: np.ndarray, second_scores: np.ndarray, area: float
) -> float:
    """Object keypoint similarity (COCO's OKS with one spread for all keypoints) over the keypoints both are sure of.

    Args:
        first: (K, 2) pixels.
        first_scores: (K,).
        second: (K, 2) pixels.
        second_scores: (K,).
        area: Area of the person in square pixels.

    Returns:
        0..1, 0 when no keypoint is sure in both.
    """
    sure = (first_scores > MIN_SCORE) & (second_scores > MIN_SCORE)
    if not sure.any() or area <= 0:
        return 0.0
    squared = ((first[sure] - second[sure]) ** 2).sum(-1)
    return float(np.exp(-squared / (2 * area * (2 * SIGMA) ** 2)).mean())


@dataclass
class _Person:
    identity: int
    keypoints: np.ndarray
    scores: np.ndarray
    box: np.ndarray
    seen: int
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(2, np.float32))

    def shifts(self, now: int, coast: int) -> list[np.ndarray]:
        """Where the person may be now, relative to where it was: not moved, or moved on at its last velocity."""
        return [np.zeros(2, np.float32), self.velocity * min(now - self.seen, coast)]


class Tracker:
    """Gives the persons of one video identities that last, short occlusions included.

    Each frame's persons are assigned to the known ones by the Hungarian method; the similarity is the mean of OKS and
    IoU, where a person that was out of sight counts as standing still or as moving on, whichever fits better.

    Args:
        max_gap: Frames that a person may be out of sight and keep its identity.
        min_similarity: Least similarity of an assignment, 0..1.
        coast: Frames that an unseen person is thought to keep moving.
    """

    def __init__(self, max_gap: int = 45, min_similarity: float = 0.15, coast: int = 20) -> None:
        self.max_gap, self.min_similarity, self.coast = max_gap, min_similarity, coast
        self._persons: list[_Person] = []
        self._next = 0

    def update(self, time: int, poses: FramePoses) -> np.ndarray:
        """Assign identities to the persons of the next frame.

        Args:
            time: Number of the frame, rising.
            poses: Its persons; identities they bring along are kept as they are.

        Returns:
            (N,) int64 identities.
        """
        if poses.ids is not None:
            return poses.ids
        self._persons = [person for person in self._persons if time - person.seen <= self.max_gap]
        identities = np.full(len(poses), -1, np.int64)
        similarity = np.array([[self._similarity(p, poses, n, time) for n in range(len(poses))] for p in self._persons])
        if similarity.size:
            for row, column in zip(*linear_sum_assignment(-similarity), strict=True):
                if similarity[row, column] >= self.min_similarity:
                    self._move(self._persons[row], poses, column, time)
                    identities[column] = self._persons[row].identity
        for number in np.flatnonzero(identities < 0):
            identities[number] = self._next
            self._persons.append(
                _Person(self._next, poses.keypoints[number], poses.scores[number], poses.boxes[number], time)
            )
            self._next += 1
        return identities

    def _similarity(self, person: _Person, poses: FramePoses, number: int, now: int) -> float:
        box, width_height = poses.boxes[number], poses.boxes[number, 2:] - poses.boxes[number, :2]
        best = 0.0
        for shift in person.shifts(now, self.coast):
            iou: Any = box_iou(person.box + np.tile(shift, 2), box)[()]  # float32, as the boxes are
            oks = keypoint_similarity(
                person.keypoints + shift, person.scores, poses.keypoints[number], poses.scores[number],
                float(width_height.prod()),
            )  # fmt: skip
            best = max(best, (iou + oks) / 2)
        # Where two persons fit alike, it is the one that was seen more recently.
        return best * (1 - STALE * (now - person.seen - 1) / self.max_gap)

    @staticmethod
    def _move(person: _Person, poses: FramePoses, number: int, now: int) -> None:
        box = poses.boxes[number]
        step = ((box[:2] + box[2:]) - (person.box[:2] + person.box[2:])) / 2 / (now - person.seen)
        person.velocity = 0.5 * person.velocity + 0.5 * step
        person.keypoints, person.scores, person.box = poses.keypoints[number], poses.scores[number], box
        person.seen = now
