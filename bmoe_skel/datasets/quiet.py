"""Windows in which nothing happens, drawn from the time that no event covers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

_TRIES = 20  # places tried for one window before it is given up
ROUNDING = 1e-3  # seconds: tables tell times to the millisecond


def quiet_windows(
    times: np.ndarray,
    seen: np.ndarray,
    covered: Sequence[tuple[float, float]],
    lengths: Sequence[float],
    amount: int,
    seed: int,
    name: str,
) -> list[tuple[int, int]]:
    """Draw windows of one person's time that touch no event and no other window.

    Each is as long as an event drawn from ``lengths`` and lies anywhere it fits, with equal chance; one in which the
    person is seen in fewer than half of the frames, or that fits nowhere in 20 tries, is given up. What is drawn
    depends on the arguments only, so that a set is the same whatever else is read.

    Args:
        times: (T,) seconds of the frames, rising.
        seen: (T,) bool, whether the person is seen.
        covered: Start and end in seconds of the person's events; both ends belong to them.
        lengths: Seconds to draw from.
        amount: How many windows are wanted.
        seed: Seed of the draw.
        name: Name of the video and the person, part of the seed.

    Returns:
        First frame, and frame after the last, of at most ``amount`` windows, by time.

    Example:
        >>> quiet_windows(np.arange(100) / 25, np.ones(100, bool), [(0.0, 2.0)], [1.9], 1, 0, 'a.mp4')
        [(52, 100)]
    """
    digest = hashlib.sha256(f'{seed}\n{name}'.encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], 'big'))
    free = np.ones(len(times), bool)
    for start, end in covered:
        first, last = np.searchsorted(times, (start - ROUNDING, end + ROUNDING))
        free[first : max(last, first + 1)] = False
    found: list[tuple[int, int]] = []
    for _ in range(amount):
        length = float(rng.choice(lengths))
        for _ in range(_TRIES):
            stops = np.searchsorted(times, times + length + ROUNDING)
            blocked = np.concatenate([[0], np.cumsum(~free)])
            fits = (times + length <= times[-1] + ROUNDING) & (blocked[stops] == blocked[: len(times)])
            starts = np.flatnonzero(fits)
            if not len(starts):
                break
            first = int(rng.choice(starts))
            last = int(stops[first])
            if seen[first:last].mean() >= 0.5:
                free[first:last] = False
                found.append((first, last))
                break
    return sorted(found)
