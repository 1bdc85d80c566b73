"""What is done to any signal over time: its noise, its speed, its unbroken stretches; frames may be unevenly spaced."""

from __future__ import annotations

import numpy as np

MAX_STEP = 0.5
"""Seconds between two frames beyond which nothing is said of the motion between them."""
MIN_RESIDUALS = 8
"""Residuals below which a noise floor is not estimated: the median of a few says nothing."""


def noise_floor(values: np.ndarray, times: np.ndarray, reach: int = 1) -> float:
    """Standard deviation of a signal's frame-to-frame noise, whatever slow movement it has.

    Each frame is compared with the straight line between its two neighbours. The median of these residuals, scaled
    as for a normal distribution and for the three frames that share in it, is the noise; movement slower than about
    a fifth of the frame rate hardly enters. Noise that is correlated from frame to frame, as an estimator that smooths
    leaves it, is told too small: a floor, no more. Neighbours further away find more of it, and take quick movement for
    noise.

    Args:
        values: (T,), NaN where unknown.
        times: (T,) seconds.
        reach: Frames from a frame to the neighbours that it is compared with.

    Returns:
        In the signal's unit; NaN with fewer than :data:`MIN_RESIDUALS` triples of neighbouring frames.

    Example:
        >>> times = np.arange(3000) / 30
        >>> noise = np.random.default_rng(0).normal(0, 0.5, 3000)
        >>> round(noise_floor(20 * np.sin(2 * np.pi * times) + noise, times), 1)
        0.5
    """
    if len(times) <= 2 * reach:
        return float('nan')
    first, middle, last = slice(None, -2 * reach), slice(reach, -reach), slice(2 * reach, None)
    before, span = times[middle] - times[first], times[last] - times[first]
    with np.errstate(divide='ignore', invalid='ignore'):
        share = np.where((span > 0) & (span <= 2 * MAX_STEP), before / span, np.nan)
        residual = values[middle] - (1 - share) * values[first] - share * values[last]
        residual /= np.sqrt(1 + share**2 + (1 - share) ** 2)
    residual = residual[np.isfinite(residual)]
    if len(residual) < MIN_RESIDUALS:
        return float('nan')
    return float(1.4826 * np.median(np.abs(residual)))


def velocity(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Change a second by central differences at the frames' true times.

    Args:
        values: (T, ...), NaN where unknown.
        times: (T,) seconds.

    Returns:
        As ``values``; NaN at both ends, beside gaps, and where the neighbours are more than twice :data:`MAX_STEP`
        or no time apart.
    """
    found = np.full(values.shape, np.nan)
    if len(times) < 3:
        return found
    span = times[2:] - times[:-2]
    usable = (span > 0) & (span <= 2 * MAX_STEP)
    span = np.where(usable, span, np.nan).reshape(-1, *[1] * (values.ndim - 1))
    found[1:-1] = (values[2:] - values[:-2]) / span
    return found


def bridge(values: np.ndarray, times: np.ndarray, longest: float) -> np.ndarray:
    """Straight lines across short gaps between two known frames.

    Args:
        values: (T,), NaN where unknown.
        times: (T,) seconds.
        longest: Seconds from the last known frame to the next that may be bridged.
    """
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < 2:
        return values.copy()
    filled = np.interp(times, times[known], values[known])
    after = np.clip(np.searchsorted(known, np.arange(len(values))), 0, len(known) - 1)
    before = np.clip(np.searchsorted(known, np.arange(len(values)), side='right') - 1, 0, len(known) - 1)
    inside = (np.arange(len(values)) >= known[0]) & (np.arange(len(values)) <= known[-1])
    short = times[known[after]] - times[known[before]] <= longest
    return np.where(np.isfinite(values), values, np.where(inside & short, filled, np.nan))


def stretches(known: np.ndarray, times: np.ndarray) -> list[tuple[int, int]]:
    """Unbroken stretches of frames, as (first, one beyond the last); a pause over :data:`MAX_STEP` breaks one.

    Args:
        known: (T,) bool.
        times: (T,) seconds.

    Example:
        >>> stretches(np.array([True, True, False, True]), np.arange(4) / 30)
        [(0, 2), (3, 4)]
    """
    if not len(known):
        return []
    joined = known[1:] & known[:-1] & (np.diff(times) <= MAX_STEP)
    starts = np.flatnonzero(known & ~np.concatenate([[False], joined]))
    ends = np.flatnonzero(known & ~np.concatenate([joined, [False]])) + 1
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def calm(values: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, float]:
    """A binomial average of each unbroken stretch that leaves movements of up to 3 Hz at 0.8 of their size or more.

    Five frames where they come at 25 a second or faster, three from 12 a second, otherwise none: a fixed number of
    frames would flatten a nod of a slow camera.

    Args:
        values: (T,), NaN where unknown.
        times: (T,) seconds.

    Returns:
        The average (T,), and the share of white noise that it leaves.

    Example:
        >>> average, left = calm(np.array([0.0, 0, 1, 0, 0]), np.arange(5) / 30)
        >>> average[2], round(left, 2)
        (0.375, 0.52)
    """
    steps = np.diff(times)
    steps = steps[steps > 0]
    step = float(np.median(steps)) if len(steps) else np.inf
    kernel = np.array([1, 4, 6, 4, 1]) / 16 if step <= 0.041 else np.array([1, 2, 1]) / 4 if step <= 0.085 else None
    result = values.astype(np.float64)
    if kernel is None:
        return result, 1.0
    half = len(kernel) // 2
    for start, end in stretches(np.isfinite(values), times):
        if end - start > half:
            padded = np.pad(result[start:end], half, mode='reflect', reflect_type='odd')
            result[start:end] = np.convolve(padded, kernel, mode='valid')
    return result, float(np.sqrt((kernel**2).sum()))
