"""F1 of each class with an interval that says how little a few clips tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_Z = 1.959963984540054  # the normal quantile of 0.975: intervals of 95 %


@dataclass(frozen=True)
class ClassScores:
    """F1 by class.

    Attributes:
        f1: (C,) 0..1; NaN for a class that is neither a label nor a prediction.
        low: (C,) lower end of the 95 % interval.
        high: (C,) upper end.
        clips: (C,) int, clips with that label.
    """

    f1: np.ndarray
    low: np.ndarray
    high: np.ndarray
    clips: np.ndarray


def wilson(hits: np.ndarray, trials: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's 95 % interval of a share.

    Args:
        hits: (C,) how often it was so.
        trials: (C,) of how many; the interval of 0 trials is NaN.

    Returns:
        Lower and upper end, (C,) each, 0..1.
    """
    hits, n = np.asarray(hits, float), np.asarray(trials, float)
    n = np.where(n > 0, n, np.nan)
    share = hits / n
    middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def scores_by_class(confusion: np.ndarray) -> ClassScores:
    """F1 of each class with the interval that Lam and others call Wilson indirect (arXiv 2309.14621).

    F1 = 2 s / (1 + s) of the share s = TP / (TP + FP + FN), so that Wilson's interval of s becomes one of F1. It never
    leaves 0..1, and does not shrink to a point where all of five clips are right, as resampling them would.

    Args:
        confusion: (C, C) counts, rows are the labels.

    Returns:
        The scores.

    Example:
        >>> scores_by_class(np.array([[3, 1], [0, 4]])).f1.round(3).tolist()
        [0.857, 0.889]
    """
    confusion = np.asarray(confusion)
    right = np.diag(confusion)
    union = confusion.sum(0) + confusion.sum(1) - right
    with np.errstate(invalid='ignore'):
        share = right / union
    low, high = wilson(right, union)
    f1, low, high = (2 * s / (1 + s) for s in (share, low, high))
    return ClassScores(f1, low, high, confusion.sum(1))
