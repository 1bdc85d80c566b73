"""A detected face, and the overlap of boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bmoe_ground.geometry import box_area, box_intersection


@dataclass(frozen=True)
class Face:
    """One face in an image.

    Args:
        box: x1, y1, x2, y2 in pixels; may reach beyond the image.
        score: The detector's confidence, 0 to 1; None where it has none.
        eyes: The eye on the image's left and the one on its right, (x, y) each; None where not located.

    Example:
        >>> face = face_aux.Face((10, 20, 50, 80), score=0.9)
        >>> face.center, face.side
        ((30.0, 50.0), 60)
    """

    box: tuple[float, float, float, float]
    score: float | None = None
    eyes: tuple[tuple[float, float], tuple[float, float]] | None = None

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
        """Tilt of the line between the eyes in degrees, clockwise in the image; 0 where they are not located."""
        if self.eyes is None:
            return 0.0
        (x1, y1), (x2, y2) = self.eyes
        return float(np.degrees(np.arctan2(y2 - y1, x2 - x1)))


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
