"""Whether a model is right as often as it says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Reliability:
    """Confidence against accuracy, in bins of equal width over 0..1.

    Attributes:
        confidence: (B,) mean confidence of each bin's clips; NaN where there are none.
        accuracy: (B,) share of them that is right; NaN where there are none.
        clips: (B,) int.
        error: Expected calibration error, 0..1: the mean over the clips of |accuracy - confidence| of their bin.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    clips: np.ndarray
    error: float


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = 10) -> Reliability:
    """Compare what a model says of its certainty with how often it is right (Guo and others, 2017).

    Args:
        confidence: (N,) 0..1, the probability of the predicted class; 1.0 belongs to the last bin.
        right: (N,) bool.
        bins: B.

    Returns:
        The bins and the error.

    Raises:
        ValueError: There are no clips, or a confidence is not in 0..1.

    Example:
        >>> round(reliability(np.array([0.9, 0.8]), np.array([True, False])).error, 3)
        0.45
    """
    confidence, right = np.asarray(confidence, float), np.asarray(right, bool)
    if not len(confidence) or not ((confidence >= 0) & (confidence <= 1)).all():
        raise ValueError(f'expected confidences (N,) in 0..1, N > 0, got {confidence}')
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    clips = np.bincount(place, minlength=bins)
    with np.errstate(invalid='ignore'):
        mean = np.bincount(place, confidence, bins) / clips
        accuracy = np.bincount(place, right, bins) / clips
    error = float(np.nansum(clips * np.abs(accuracy - mean)) / len(confidence))
    return Reliability(mean, accuracy, clips, error)
