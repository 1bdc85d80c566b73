"""The two shapes of movement that rules look for in a signal: swings to and fro, and postures that are held."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bmoe_app.signals.series import stretches

_ONSET = 0.25  # share of the way on which a movement counts as begun: jitter before it is less
_LONGEST_SLOPE = 0.5


class Span(NamedTuple):
    """A stretch of frames: first and last index, and the size of the movement in it in the signal's unit."""

    first: int
    last: int
    size: float


def turning_points(values: np.ndarray, least: float) -> list[int]:
    """Indices between which a signal swings by at least ``least``, its first and last turn included.

    A turn counts once the signal has come back from it by ``least``, so that smaller wiggles on the way do not.

    Args:
        values: (T,) without NaN.
        least: The smallest swing.

    Returns:
        Alternating highs and lows; fewer than two where the signal never swings that far.

    Example:
        >>> turning_points(np.array([0.0, 1, 2, 1.9, 3, 2, 1, 0]), 2.0)
        [0, 4, 7]
    """
    low = high = 0
    turns: list[int] = []
    rising = None
    series = values.tolist()
    for i, value in enumerate(series):
        if value > series[high]:
            high = i
        if value < series[low]:
            low = i
        if rising is not True and value - series[low] >= least and high == i:
            turns.append(low)
            rising, low = True, i
        elif rising is not False and series[high] - value >= least and low == i:
            turns.append(high)
            rising, high = False, i
        if rising is True and high == i:
            low = i
        elif rising is False and low == i:
            high = i
    if rising is not None:
        turns.append(high if rising else low)
    return turns


def oscillations(
    values: np.ndarray, times: np.ndarray, least: float, swings: int, swing_seconds: tuple[float, float]
) -> list[Span]:
    """Movements to and fro.

    Args:
        values: (T,), NaN where unknown; a movement does not go on across NaN.
        times: (T,) seconds.
        least: Smallest swing from one turning point to the next.
        swings: Least number of them in a row.
        swing_seconds: Least and greatest duration of one; the latter also of a rest between two.

    Returns:
        In order of time, with the median swing as size. A swing lasts from a tenth to seven tenths of its way, since
        after a nod the head often sinks on slowly. The whole begins where a quarter of the first swing is done, which
        jitter before it does not move, and ends where seven tenths of the last are.
    """
    found = []
    for start, end in stretches(np.isfinite(values), times):
        part = values[start:end]
        turns = [start + i for i in turning_points(part, least)]
        run: list[int] = turns[:1]
        for before, after in zip(turns, turns[1:], strict=False):
            begin, until = _leaves(values, before, after, 0.1), _reaches(values, before, after)
            quick = swing_seconds[0] <= times[until] - times[begin] <= swing_seconds[1]
            if len(run) > 1 and times[begin] - times[_reaches(values, run[-2], before)] > swing_seconds[1]:
                # held in between: what follows is another movement
                found += _closed(values, times, run, swings, swing_seconds[1])
                run = [before]
            if quick:
                run.append(after)
                continue
            found += _closed(values, times, run, swings, swing_seconds[1])
            run = [after]
        found += _closed(values, times, run, swings, swing_seconds[1])
    return found


def _closed(values: np.ndarray, times: np.ndarray, run: list[int], swings: int, slowest: float) -> list[Span]:
    if len(run) <= swings:
        return []
    size = float(np.median(np.abs(np.diff(values[run]))))
    return [Span(_onset(values, times, run[0], run[1], 0.4 * size, slowest), _reaches(values, run[-2], run[-1]), size)]


def _onset(values: np.ndarray, times: np.ndarray, first: int, second: int, least: float, slowest: float) -> int:
    """Where a movement begins whose first full swing goes from ``first`` to ``second``.

    From rest to the first turning point is half a swing, which alone may be too small to count as one.
    """
    earliest = first
    while earliest > 0 and times[first] - times[earliest - 1] <= slowest and np.isfinite(values[earliest - 1]):
        earliest -= 1
    way = (values[first] - values[earliest : first + 1]) * np.sign(values[first] - values[second])
    if way.max() < least:
        return _leaves(values, first, second, _ONSET)
    return _leaves(values, earliest + int(np.flatnonzero(way >= 0.9 * way.max())[-1]), first, _ONSET)


def _leaves(values: np.ndarray, before: int, after: int, share: float) -> int:
    """The last frame on which no more than a share of the way from ``before`` to ``after`` is done."""
    way = np.abs(values[before : after + 1] - values[before])
    return before + int(np.flatnonzero(way <= share * way[-1])[-1])


def _reaches(values: np.ndarray, before: int, after: int) -> int:
    """The first frame of the way from ``before`` to ``after`` on which most of it is done."""
    way = np.abs(values[before : after + 1] - values[after])
    return before + int(np.flatnonzero(way <= 0.3 * way[0])[0])


def held(
    values: np.ndarray, times: np.ndarray, least: float, seconds: float, most: float = np.inf, slopes: bool = False
) -> list[Span]:
    """Postures: stretches in which a signal stays at ``least`` or above.

    Args:
        values: (T,), NaN where unknown.
        times: (T,) seconds.
        least: What it must reach. Once there it may fall to 0.7 of that, so that one movement is not told as two.
        seconds: Least duration.
        most: Greatest duration.
        slopes: Whether the movement to the posture and back belongs to it: from where the signal last was below a
            quarter of ``least``, no more than half a second before, and likewise afterwards.

    Returns:
        In order of time, each from the first to the last frame above 0.7 of ``least``, with the greatest value as size.
    """
    with np.errstate(invalid='ignore'):
        above = values >= 0.7 * least
    found = []
    for start, end in stretches(above, times):
        peak = float(values[start:end].max())
        if peak >= least and seconds <= times[end - 1] - times[start] <= most:
            first, last = start, end - 1
            if slopes:
                first = _slope(values, times, first, -1, _ONSET * least)
                last = _slope(values, times, last, 1, _ONSET * least)
            found.append(Span(first, last, peak))
    return found


def _slope(values: np.ndarray, times: np.ndarray, start: int, step: int, least: float) -> int:
    """The frame in a direction from ``start`` at which a signal has fallen below ``least``."""
    i = start
    while 0 <= i + step < len(values) and abs(times[i + step] - times[start]) <= _LONGEST_SLOPE:
        if not values[i + step] >= least:  # or NaN
            return i
        i += step
    return i
