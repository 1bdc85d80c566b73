"""Arrays inside a page: quantised, compressed, as text. ``assets/unpack.js`` is the way back."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np

STEP = 0.25
"""Pixels between two places that a keypoint can have in a page; an error of an eighth of a pixel at most."""
ABSENT = -32768
"""What stands for a keypoint that was not seen."""
UNKNOWN = 65535
"""What stands for a value that is not known; the levels below it divide a row's range."""


def pack(values: np.ndarray) -> dict[str, Any]:
    """An array of whole numbers as JSON types.

    Along the last axis each value is told by its difference from the one before, which is small where things move
    slowly; then come all low bytes, then all high bytes, deflated, in base64.

    Args:
        values: (..., T) of 8 or 16 bits.

    Returns:
        ``bits``, ``length`` (T) and ``data``.

    Example:
        >>> pack(np.array([[3, 3, 4]], np.uint8))['length']
        3
    """
    bits = values.dtype.itemsize * 8
    unsigned: np.ndarray = np.ascontiguousarray(values).view(np.uint8 if bits == 8 else np.uint16)
    steps: np.ndarray = unsigned.copy()
    steps[..., 1:] -= unsigned[..., :-1]
    planes = (steps & 0xFF).astype(np.uint8).tobytes()
    if bits == 16:
        planes += (steps >> 8).astype(np.uint8).tobytes()
    return {'bits': bits, 'length': values.shape[-1], 'data': base64.b64encode(zlib.compress(planes, 6)).decode()}


def quantise_places(keypoints: np.ndarray, image_size: tuple[int, int]) -> tuple[np.ndarray, float, list[float]]:
    """Keypoints in whole steps, for drawing.

    Those further outside the picture than its own size are drawn at that distance: nobody sees them either way.

    Args:
        keypoints: (..., 2) pixels, NaN where absent.
        image_size: (height, width).

    Returns:
        (..., 2) int16 with :data:`ABSENT`; pixels of a step, :data:`STEP` for pictures up to 5 000 pixels a side; and
        the place (x, y) of the value 0, so that a place is ``value * step + offset``.
    """
    size = np.array(image_size[::-1], np.float64)
    step = max(STEP, 3 * size.max() / 60_000)
    offset = size / 2
    steps = np.rint((np.clip(keypoints, -size, 2 * size) - offset) / step)
    return np.where(np.isnan(steps), ABSENT, steps).astype(np.int16), float(step), offset.tolist()


def quantise_rows(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each row in levels of its own range.

    Args:
        values: (..., T), NaN where unknown.

    Returns:
        (..., T) uint16 with :data:`UNKNOWN`; lowest (...) and highest (...) value of each row, 0 and 0 where nothing is
        known. A value is ``low + level / 65534 * (high - low)``.
    """
    known = np.isfinite(values)
    low = np.where(known, values, np.inf).min(-1, initial=np.inf)
    high = np.where(known, values, -np.inf).max(-1, initial=-np.inf)
    low, high = np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 0.0)
    span = np.where(high > low, high - low, 1.0)
    levels = np.rint((np.where(known, values, low[..., None]) - low[..., None]) / span[..., None] * (UNKNOWN - 1))
    return np.where(known, levels, UNKNOWN).astype(np.uint16), low, high
