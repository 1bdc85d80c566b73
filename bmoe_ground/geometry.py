"""Boxes: their areas and how much of one another they cover."""

from __future__ import annotations

from typing import Any

import numpy as np


def box_area(boxes: Any) -> np.ndarray:
    """Area of boxes.

    Args:
        boxes: (..., 4) x1, y1, x2, y2.

    Returns:
        (...) square pixels; 0 for a box whose corners are swapped, NaN where a coordinate is.
    """
    boxes = np.asarray(boxes)
    return np.clip(boxes[..., 2:] - boxes[..., :2], 0, None).prod(-1)


def box_intersection(first: Any, second: Any) -> np.ndarray:
    """Area that boxes share.

    Args:
        first: (..., 4) x1, y1, x2, y2.
        second: (..., 4), of a shape that broadcasts with the first.

    Returns:
        (...) square pixels; NaN where a coordinate is.
    """
    first, second = np.asarray(first), np.asarray(second)
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., 2:], second[..., 2:])
    return np.clip(high - low, 0, None).prod(-1)


def box_iou(first: Any, second: Any) -> np.ndarray:
    """Intersection over union of boxes (the Jaccard index).

    Args:
        first: (..., 4) x1, y1, x2, y2.
        second: (..., 4), of a shape that broadcasts with the first: one box against many, or ``first[:, None]``
            against ``second`` for every pair.

    Returns:
        (...) 0..1; 0 where neither box has an area, NaN where a box is absent (has NaN coordinates).

    Example:
        >>> box_iou([[0, 0, 2, 2], [5, 5, 6, 6]], [1, 0, 3, 2]).round(3).tolist()
        [0.333, 0.0]
    """
    shared = box_intersection(first, second)
    union = box_area(first) + box_area(second) - shared
    return np.divide(shared, union, out=np.zeros_like(union, dtype=np.result_type(union, np.float32)), where=union != 0)
