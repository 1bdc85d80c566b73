"""Overlapping square tiles of an image, so that a detector with a small input sees small faces large enough."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from face_aux.detection.faces import Face

TILE_MIN = 192
"""Smallest tile side in pixels, the input side of MediaPipe's full-range model: finer tiles show nothing more."""
LARGE = 2 * TILE_MIN
"""Longer side in pixels from which an image is large for the detector."""
BORDER = 0.02
"""How far a whole face's box may reach over an inner border, as a share of the tile."""


@dataclass(frozen=True)
class Tile:
    """A square of an image.

    Args:
        x: Left side in the image, pixels.
        y: Top.
        side: Side; the part that lies inside the image may be smaller.
    """

    x: int
    y: int
    side: int

    def of(self, image: np.ndarray) -> np.ndarray:
        """Its pixels, uint8 (h, w, 3), contiguous."""
        return np.ascontiguousarray(image[self.y : self.y + self.side, self.x : self.x + self.side])

    def cuts(self, face: Face, height: int, width: int) -> bool:
        """Whether an inner border of the tile cuts a face: one of its neighbours, or a larger tile, sees it whole.

        Args:
            face: In the image's pixels.
            height: Of the image.
            width: Of the image.
        """
        slack = BORDER * self.side
        right, bottom = self.x + self.side, self.y + self.side
        x1, y1, x2, y2 = face.box
        return (
            (self.x > 0 and x1 < self.x - slack)
            or (self.y > 0 and y1 < self.y - slack)
            or (right < width and x2 > right + slack)
            or (bottom < height and y2 > bottom + slack)
        )


def tile_sides(height: int, width: int) -> list[int]:
    """Sides of the tiles, coarse to fine: halves of the image's longer side, down to :data:`TILE_MIN`.

    Args:
        height: Of the image, pixels.
        width: Of the image.

    Returns:
        At least two for an image that is large for the detector; none for a smaller one.

    Example:
        >>> tile_sides(1080, 1920), tile_sides(300, 384), tile_sides(200, 200)
        ([960, 480, 240], [192], [])
    """
    sides = []
    side = max(height, width) // 2
    while side >= TILE_MIN:
        sides.append(side)
        side //= 2
    return sides


def tiles(height: int, width: int, side: int) -> Iterator[Tile]:
    """Tiles of one side that overlap by half, so that every face of up to half a tile lies whole in one of them.

    Args:
        height: Of the image, pixels.
        width: Of the image.
        side: Of the tiles.

    Yields:
        Tiles row by row; the last row and column end at the image's border.
    """
    for y in _offsets(height, side):
        for x in _offsets(width, side):
            yield Tile(x, y, side)


def _offsets(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    count = int(np.ceil((length - side) / (side / 2))) + 1
    return [int(x) for x in np.linspace(0, length - side, count)]
