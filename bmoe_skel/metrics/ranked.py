"""The best answers of each clip, best first."""

from __future__ import annotations

import numpy as np


def ranked(scores: np.ndarray, k: int) -> np.ndarray:
    """The k best classes of each clip, best first; of equal scores the lower class comes first.

    Args:
        scores: (N, C).
        k: At most C.

    Returns:
        (N, k) int64.

    Example:
        >>> ranked(np.array([[0.1, 0.4, 0.4]]), 2).tolist()
        [[1, 2]]
    """
    return np.argsort(-np.asarray(scores), axis=1, kind='stable')[:, :k]
