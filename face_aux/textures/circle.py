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

from face_aux.textures.tiles import Tile

MAX_POINTS = 31  # codes fit int32
Weights = tuple[torch.Tensor, torch.Tensor]  # of the lower and of the upper pixel


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
        images: (N, H, W) uint8.
        offsets: From :func:`circle_offsets`.

    Example:
        >>> sampler = CircleSampler(torch.zeros(1, 5, 5, dtype=torch.uint8), circle_offsets(8, 1))
        >>> sampler.load((slice(0, 1), slice(2, 4)))
        >>> sampler.point(0).shape
        torch.Size([1, 2, 5])
    """

    def __init__(self, images: torch.Tensor, offsets: list[tuple[float, float]]) -> None:
        self.images = images
        self.offsets = offsets
        self.margin = max(math.ceil(abs(offset)) for point in offsets for offset in point)
        self._shape = (0, 0)
        self._weights_from: dict[int, list[Weights | None]] = {}

    def load(self, tile: Tile) -> None:
        """Take the grey values of a tile and of what lies around it."""
        part, rows = tile
        above, below = min(self.margin, rows.start), min(self.margin, self.images.shape[1] - rows.stop)
        source = self.images[part, rows.start - above : rows.stop + below]
        shape = (len(source), rows.stop - rows.start)
        if shape != self._shape:
            self._prepare(*shape)
        if rows.start not in self._weights_from:
            self._weights_from[rows.start] = self._weights_of_rows(rows.start)
        self._row_weights = self._weights_from[rows.start]
        outside = self.margin - above
        if outside:
            self._grey[:, :outside] = 0
        if below < self.margin:
            self._grey[:, below - self.margin :] = 0
        self._inside[:, outside : outside + source.shape[1]] = source
        self._real.copy_(self._grey)
        for low, high, (low_weight, high_weight), out in self._column_blends:
            torch.mul(low, low_weight, out=out)
            out.add_(torch.mul(high, high_weight, out=self._column_term))

    def point(self, index: int) -> torch.Tensor:
        """Grey value of point ``index`` around each pixel, (n, h, W) float64; valid until the next call."""
        low, high = self._row_blends[index]
        weights = self._row_weights[index]
        if weights is None:
            return low
        result = torch.mul(low, weights[0], out=self._point)
        return result.add_(torch.mul(high, weights[1], out=self._row_term))

    def whole_point(self, index: int) -> torch.Tensor:
        """:meth:`point` cut to whole grey values, (n, h, W) uint8; valid until the next call.

        Against a whole number it compares as the full value does (``t >= c`` if and only if ``floor(t) >= c``), and
        bytes compare several times faster than float64.
        """
        whole = self._whole[index]
        return self._cut.copy_(self.point(index)) if whole is None else whole

    def _prepare(self, n: int, rows: int) -> None:
        """Make buffers and views for tiles of ``n`` images and ``rows`` rows."""
        self._shape = (n, rows)
        width = self.images.shape[2]
        padded_rows, padded_width = rows + 2 * self.margin, width + 2 * self.margin
        device = self.images.device
        real = functools.partial(torch.empty, dtype=torch.float64, device=device)
        self._grey = torch.zeros((n, padded_rows, padded_width), dtype=torch.uint8, device=device)
        self._inside = self._grey[:, :, self.margin : self.margin + width]
        self._real = real((n, padded_rows, padded_width))
        self._column_term = real((n, padded_rows, width))
        self._point = real((n, rows, width))
        self._row_term = torch.empty_like(self._point)
        self._cut = torch.empty_like(self._point, dtype=torch.uint8)
        self._weights_from.clear()

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
        self._row_blends: list[tuple[torch.Tensor, torch.Tensor]] = []
        self._whole: list[torch.Tensor | None] = []
        for row, column in self.offsets:
            plane, low, whole = blended[column], math.floor(row), row.is_integer()
            self._row_blends.append((rows_of(plane, low), rows_of(plane, low if whole else low + 1)))
            whole = whole and column.is_integer()
            self._whole.append(rows_of(columns(self._grey, int(column)), low) if whole else None)

    def _weights_of_rows(self, start: int) -> list[Weights | None]:
        """Weights of the two rows of each point, (h, 1) each, for a tile from row ``start`` on; None for whole rows."""
        by_offset: dict[float, Weights | None] = {}
        for row, _ in self.offsets:
            if row not in by_offset:
                low, high = _weights(start, self._shape[1], row, self.images.device)
                by_offset[row] = None if row.is_integer() else (low[:, None], high[:, None])
        return [by_offset[row] for row, _ in self.offsets]


def _weights(start: int, count: int, offset: float, device: torch.device) -> Weights:
    """Weights of the lower and upper pixel for positions ``start + offset`` and on, rounded like scikit-image's."""
    position = torch.arange(start, start + count, dtype=torch.float64, device=device) + offset
    fraction = position - position.floor()
    return 1 - fraction, fraction
