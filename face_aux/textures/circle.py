"""Grey values on a circle around every pixel, interpolated exactly as scikit-image does.

A pattern's bit flips when a neighbour equals its centre up to the last rounding, so every float64 operation is done
in scikit-image's order: the sampling position ``r + rp`` is rounded per row (its fraction differs in the last bits
from row to row), then columns are blended, then rows. All operations are elementwise, so autocast does not touch
them, and CPU and GPU give the same bits.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
import torch.nn.functional as F

from face_aux.textures.tiles import Tile

MAX_POINTS = 31  # codes fit int32


def check_images(images: torch.Tensor | np.ndarray) -> torch.Tensor:
    """Return a batch of grey images as a tensor.

    Args:
        images: (N, H, W) uint8, tensor or array.

    Raises:
        ValueError: Not three dimensions, or not uint8 (a float image has no defined grey levels to compare).
    """
    images = torch.as_tensor(images)
    if images.dim() != 3:
        raise ValueError(f'images must be (N, H, W), but got shape {tuple(images.shape)}')
    if images.dtype != torch.uint8:
        raise ValueError(f'images must be uint8 grey values 0..255, but got {images.dtype}; round and convert first')
    return images


def to_gray(images: torch.Tensor) -> torch.Tensor:
    """Convert RGB to 8-bit grey, 0.299 R + 0.587 G + 0.114 B in the fixed-point arithmetic of Pillow's mode ``L``.

    Args:
        images: (N, 3, H, W) uint8.

    Returns:
        (N, H, W) uint8.
    """
    if images.dim() != 4 or images.shape[1] != 3 or images.dtype != torch.uint8:
        raise ValueError(f'images must be (N, 3, H, W) uint8, but got {tuple(images.shape)} {images.dtype}')
    red, green, blue = images.to(torch.int32).unbind(1)
    return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16).to(torch.uint8)


def circle_offsets(P: int, R: float, interpolation: str = 'bilinear') -> list[tuple[float, float]]:
    """Row and column offset of each point, point 0 to the east and on counter-clockwise.

    Args:
        P: Number of points, 1 to 31.
        R: Radius in pixels, above 0.
        interpolation: ``'bilinear'``, or ``'nearest'`` for whole pixels: (8, 1) is then the classic 3x3 pattern.
    """
    if not 1 <= P <= MAX_POINTS:
        raise ValueError(f'P must be 1 to {MAX_POINTS}, but got {P}')
    if not R > 0:
        raise ValueError(f'R must be above 0, but got {R}')
    if interpolation not in ('bilinear', 'nearest'):
        raise ValueError(f"interpolation must be 'bilinear' or 'nearest', but got {interpolation!r}")
    radius = float(np.float32(R))  # scikit-image's argument is a C float
    angles = 2 * np.pi * np.arange(P, dtype=np.float64) / P
    rows, columns = np.round(-radius * np.sin(angles), 5), np.round(radius * np.cos(angles), 5)
    if interpolation == 'nearest':
        rows, columns = np.rint(rows), np.rint(columns)
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


class CircleSampler:
    """Samples a circle of points around each pixel of a tile; outside the image is 0.

    Everything that a tile needs, views included, is made once for its shape: making them anew for each tile costs
    more than the arithmetic.

    Args:
        padded: (N, H + 2 margin, W + 2 margin) uint8, from :meth:`pad`.
        offsets: From :func:`circle_offsets`.

    Example:
        >>> offsets = circle_offsets(8, 1)
        >>> sampler = CircleSampler(CircleSampler.pad(torch.zeros(1, 5, 5, dtype=torch.uint8), offsets), offsets)
        >>> sampler.load((slice(0, 1), slice(2, 4)))
        >>> sampler.point(0).shape
        torch.Size([1, 2, 5])
    """

    def __init__(self, padded: torch.Tensor, offsets: list[tuple[float, float]]) -> None:
        self.images = padded
        self.offsets = offsets
        self.margin = self.margin_of(offsets)
        self._shape = (0, 0)
        self._row_weights: dict[tuple[int, int, float], tuple[torch.Tensor, torch.Tensor]] = {}

    @staticmethod
    def margin_of(offsets: list[tuple[float, float]]) -> int:
        """Rows and columns around a tile that the circle reaches into."""
        return max(math.ceil(abs(offset)) for point in offsets for offset in point)

    @classmethod
    def pad(cls, images: torch.Tensor, offsets: list[tuple[float, float]]) -> torch.Tensor:
        """Put as many zeros around (N, H, W) images as the circle needs."""
        return F.pad(images, [cls.margin_of(offsets)] * 4)

    def load(self, tile: Tile) -> None:
        """Take the grey values of a tile and of what lies around it."""
        part, rows = tile
        source = self.images[part, rows.start : rows.stop + 2 * self.margin]
        shape = (len(source), rows.stop - rows.start)
        if shape != self._shape:
            self._prepare(*shape)
        self._row = rows.start
        self._grey.copy_(source)
        self._real.copy_(self._grey)
        for low, high, (low_weight, high_weight), out in self._column_blends:
            torch.mul(low, low_weight, out=out)
            out.add_(torch.mul(high, high_weight, out=self._column_term))

    def whole_pixel(self, index: int) -> torch.Tensor | None:
        """Point ``index`` as (n, h, W) uint8 where it needs no interpolation, else None."""
        return self._whole[index]

    def point(self, index: int) -> torch.Tensor:
        """Grey value of point ``index`` around each pixel, (n, h, W) float64; valid until the next call."""
        low, high = self._row_blends[index]
        if high is None:
            return low
        low_weight, high_weight = self._weights_of_rows(self.offsets[index][0])
        result = torch.mul(low, low_weight, out=self._point)
        return result.add_(torch.mul(high, high_weight, out=self._row_term))

    def _prepare(self, n: int, rows: int) -> None:
        """Make buffers and views for tiles of ``n`` images and ``rows`` rows."""
        self._shape = (n, rows)
        padded_rows, padded_width = rows + 2 * self.margin, self.images.shape[2]
        width = padded_width - 2 * self.margin
        device = self.images.device
        real = functools.partial(torch.empty, dtype=torch.float64, device=device)
        self._grey = torch.empty((n, padded_rows, padded_width), dtype=torch.uint8, device=device)
        self._real = real((n, padded_rows, padded_width))
        self._column_term = real((n, padded_rows, width))
        self._point = real((n, rows, width))
        self._row_term = torch.empty_like(self._point)

        def columns(plane: torch.Tensor, offset: int) -> torch.Tensor:
            return plane[:, :, self.margin + offset : self.margin + offset + width]

        def rows_of(plane: torch.Tensor, offset: int) -> torch.Tensor:
            return plane[:, self.margin + offset : self.margin + offset + rows]

        self.center_grey = rows_of(columns(self._grey, 0), 0)
        self.center = rows_of(columns(self._real, 0), 0)
        blended = {}
        self._column_blends = []
        for column in {column for _, column in self.offsets}:
            low = math.floor(column)
            blended[column] = columns(self._real, low)
            if not column.is_integer():
                blended[column] = torch.empty_like(self._column_term)
                weights = _weights(0, width, column, device)
                blend = (columns(self._real, low), columns(self._real, low + 1), weights, blended[column])
                self._column_blends.append(blend)
        self._row_blends: list[tuple[torch.Tensor, torch.Tensor | None]] = []
        self._whole: list[torch.Tensor | None] = []
        for row, column in self.offsets:
            plane, low, whole = blended[column], math.floor(row), row.is_integer()
            self._row_blends.append((rows_of(plane, low), None if whole else rows_of(plane, low + 1)))
            whole = whole and column.is_integer()
            self._whole.append(rows_of(columns(self._grey, int(column)), low) if whole else None)

    def _weights_of_rows(self, offset: float) -> tuple[torch.Tensor, torch.Tensor]:
        key = (self._row, self._shape[1], offset)
        if key not in self._row_weights:
            low, high = _weights(self._row, self._shape[1], offset, self.images.device)
            self._row_weights[key] = low[:, None], high[:, None]
        return self._row_weights[key]


def _weights(start: int, count: int, offset: float, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights of the lower and upper pixel for positions ``start + offset`` and on, rounded like scikit-image's."""
    position = torch.arange(start, start + count, dtype=torch.float64, device=device) + offset
    fraction = position - position.floor()
    return 1 - fraction, fraction
