"""A detected face, and the overlap of boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bmoe_ground.geometry import box_area, box_intersection

SURE = 0.7
"""Confidence from which MediaPipe's detector is sure of a face: no texture tried reached it."""
AS_SURE = 0.05
"""Faces whose confidence is within so much of the best one's are as sure: the largest of them is the one meant."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Face:
    """One face in an image.

    Args:
        box: x1, y1, x2, y2 in pixels; may reach beyond the image.
        score: The detector's confidence, 0 to 1; None where it has none.
        eyes: The eye on the upright face's left and the one on its right, (x, y) each; None where not located.
        turn: How far the photograph lies turned, in quarter turns clockwise, 0 to 3.

    Example:
        >>> face = face_aux.Face((10, 20, 50, 80), score=0.9)
        >>> face.center, face.side
        ((30.0, 50.0), 60)
    """

    box: tuple[float, float, float, float]
    score: float | None = None
    eyes: tuple[Point, Point] | None = None
    turn: int = 0

    @property
    def center(self) -> tuple[float, float]:
        """Middle of the box."""
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2

    @property
    def side(self) -> float:
        """Longer side of the box."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])

    @property
    def angle(self) -> float:
        """Tilt of the line between the eyes in degrees, clockwise in the image; the turn where they are not located."""
        if self.eyes is None:
            return 90.0 * self.turn
        (x1, y1), (x2, y2) = self.eyes
        return float(np.degrees(np.arctan2(y2 - y1, x2 - x1)))

    def scaled(self, fx: float, fy: float) -> Face:
        """The same face in an image ``fx`` times as wide and ``fy`` times as high."""
        x1, y1, x2, y2 = self.box
        eyes = None
        if self.eyes is not None:
            (ax, ay), (bx, by) = self.eyes
            eyes = ((ax * fx, ay * fy), (bx * fx, by * fy))
        return replace(self, box=(x1 * fx, y1 * fy, x2 * fx, y2 * fy), eyes=eyes)


def overlap(a: Face, b: Face) -> float:
    """Intersection over the smaller box's area, 0 to 1: a face found twice at two sizes counts as one."""
    shared = box_intersection(a.box, b.box)
    return float(shared / max(min(box_area(a.box), box_area(b.box)), 1e-9))


def suppress_doubles(faces: Sequence[Face], threshold: float = 0.5) -> list[Face]:
    """Keep the most confident of overlapping faces, and sort by size, largest first."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda f: -(f.score or 0.0)):
        if all(overlap(face, other) < threshold for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda f: -f.side)


def surest(faces: Sequence[Face]) -> Face:
    """The face that is meant where one is asked for: the surest, and of several that are as sure the largest.

    A face without a confidence counts as 0.

    Args:
        faces: At least one.

    Example:
        >>> surest([Face((0, 0, 300, 300), 0.52), Face((9, 9, 59, 59), 0.93), Face((90, 9, 120, 39), 0.94)]).side
        50
    """
    best = max(face.score or 0.0 for face in faces)
    return max((face for face in faces if (face.score or 0.0) >= best - AS_SURE), key=lambda face: face.side)
