"""Seeded, stratified splits: the same parts for the same seed forever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def stratified_split(labels: Sequence[Any], ratios: Sequence[float], seed: int) -> np.ndarray:
    """Share samples out in given ratios, class by class.

    Every class is shuffled by the seed and cut at the cumulated ratios, so that each part gets its share of each
    class, rounded; a class of at least as many samples as there are parts is in every part.

    Args:
        labels: One label a sample; labels of equal text are equal.
        ratios: Share of each part, positive; scaled to sum to 1.
        seed: Seed of the shuffle.

    Returns:
        (N,) int64, the part of each sample.

    Raises:
        ValueError: A ratio is not positive.

    Example:
        >>> parts = stratified_split(['nod'] * 10 + ['wave'] * 5, (0.8, 0.2), seed=0)
        >>> np.bincount(parts).tolist()
        [12, 3]
    """
    if min(ratios) <= 0:
        raise ValueError(f'ratios must be positive, got {tuple(ratios)}')
    rng = np.random.default_rng(seed)
    parts = np.zeros(len(labels), dtype=np.int64)
    keys = np.array([str(label) for label in labels])
    cuts = np.cumsum(ratios) / np.sum(ratios)
    for key in np.unique(keys):
        members = rng.permutation(np.flatnonzero(keys == key))
        count = len(members)
        bounds = np.floor(cuts * count + 0.5).astype(int)
        if count >= len(ratios):
            # no part goes without: move a bound that leaves a part empty by as little as it takes
            for i in range(len(bounds)):
                bounds[i] = min(max(bounds[i], i + 1), count - (len(bounds) - 1 - i))
        parts[members] = np.searchsorted(bounds, np.arange(count), side='right')
    return parts
