"""From what a model says of window after window to events: smoothing over time, and what belongs together.

1. A window's scores are averaged with those of its neighbours, with weights that fall linearly from 1 at its own middle
   to 0 at half a window from it (:func:`smooth`).
2. Each window speaks for its cell: the time that is nearer to its middle than to any other's, within the window
   (:func:`cells`).
3. Cells of the same label make an event, gaps up to a given length are closed, and what is too short is left out
   (:func:`merge`). Where classes exclude each other, a window's label is the likeliest class, so that two events of a
   person never contradict each other; where several may hold at once, each class is looked at by itself.
4. Where classes exclude each other, an event must also be the loudest around its best window (:func:`is_outdone`): a
   window that holds half of a lean to the left looks like one to the right, less surely than the whole does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bmoe_app.answer.answer import Windows
from bmoe_app.answer.events import Event
from pose_extract.body_parts import REGIONS


@dataclass(frozen=True)
class MergeSettings:
    """What makes an event.

    Attributes:
        threshold: Least smoothed probability.
        min_seconds: Shortest event that is told.
        max_gap: Longest gap between two events of one label that is closed, in seconds.
        exclusive: Whether only one class can be right at a time.
        nms_seconds: Non-maximum suppression, where classes exclude each other: how far from an event's best window no
            other class may be named with a higher score; at 0 nothing is left out.
    """

    threshold: float
    min_seconds: float
    max_gap: float
    exclusive: bool = True
    nms_seconds: float = 0.0


def smooth(values: np.ndarray, times: np.ndarray, reach: float) -> np.ndarray:
    """Average every row with its neighbours in time, the nearer the more.

    Args:
        values: (W, K); rows of NaN are unknown, count for nothing and stay.
        times: (W,) seconds, rising.
        reach: Seconds at which the weight has fallen from 1 to 0; nothing is averaged at 0.

    Returns:
        (W, K) averages; rows that sum to 1 still do.

    Example:
        >>> smooth(np.array([[0.0], [1.0], [0.0]]), np.array([0.0, 0.5, 1.0]), 1.0).ravel()
        array([0.33333333, 0.5       , 0.33333333])
    """
    known = np.isfinite(values).all(1)
    total = np.where(known[:, None], values, 0.0)
    rows, weight = total.copy(), known.astype(np.float64)
    for apart in range(1, len(values) if reach > 0 else 1):
        share = np.clip(1 - (times[apart:] - times[:-apart]) / reach, 0, None)
        if not share.any():
            break
        total[apart:] += share[:, None] * rows[:-apart]
        total[:-apart] += share[:, None] * rows[apart:]
        weight[apart:] += share * known[:-apart]
        weight[:-apart] += share * known[apart:]
    with np.errstate(invalid='ignore'):
        return np.where(known[:, None], total / np.where(known, weight, 1.0)[:, None], np.nan)


def cells(spans: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """The time that each window speaks for.

    Args:
        spans: (W, 2) first and last second of each window, both rising.
        middles: (W,) seconds.

    Returns:
        (W, 2) from and to, in seconds: half way to the neighbours, and never beyond the window itself.

    Example:
        >>> cells(np.array([[0.0, 2.0], [1.0, 3.0]]), np.array([1.0, 2.0])).tolist()
        [[0.0, 1.5], [1.5, 3.0]]
    """
    between = (middles[1:] + middles[:-1]) / 2
    low = np.maximum(spans[:, 0], np.concatenate([[-np.inf], between]))
    high = np.minimum(spans[:, 1], np.concatenate([between, [np.inf]]))
    return np.stack([low, high], 1)


class Run(NamedTuple):
    """Windows that make one event: class number, first and last window."""

    number: int
    first: int
    last: int


def find_runs(
    windows: Windows, parts: np.ndarray, classes: Sequence[str], nothing: Collection[str], settings: MergeSettings
) -> tuple[list[Run], np.ndarray]:
    """Which windows of one person belong together.

    Args:
        windows: What the model says, smoothed.
        parts: (W, 2) seconds that each window speaks for, from :func:`cells`.
        classes: Names of the classes.
        nothing: Those that make no event.
        settings: What makes an event.

    Returns:
        The runs, by class, then time; and (W,) int64, the class that each window names, -1 for none: where classes
        exclude each other, gaps are not closed across one. Where they do not, it is -1 throughout.
    """
    known = np.isfinite(windows.scores).all(1)
    scores = np.where(known[:, None], windows.scores, -1.0)
    named = np.array([name not in nothing for name in classes])
    active = (scores >= settings.threshold) & known[:, None] & named
    if settings.exclusive:
        active &= np.arange(len(classes)) == scores.argmax(1)[:, None]
    taken = active.any(1) & settings.exclusive
    numbers = np.flatnonzero(active.any(0)).tolist()
    runs = [Run(c, *run) for c in numbers for run in _joined(active[:, c], taken, parts, settings.max_gap)]
    return runs, np.where(taken, scores.argmax(1), -1)


def is_outdone(
    number: int, middle: float, score: float, rivals: tuple[np.ndarray, np.ndarray, np.ndarray], nms_seconds: float
) -> bool:
    """Whether a window near an event's best one names another class with a higher score.

    Non-maximum suppression (Neubeck and Van Gool 2006) over time, as detectors of actions have it (Shou et al. 2016),
    across classes.

    Args:
        number: The event's class.
        middle: Middle of its best window, seconds.
        score: The class's score there.
        rivals: Middle, class and its score of every window that names one, (K,) each.
        nms_seconds: How far from ``middle`` a window is near; 0 for nothing that could outdo it.
    """
    if nms_seconds == 0:
        return False
    middles, numbers, scores = rivals
    near = np.abs(middles - middle) <= nms_seconds + 1e-9
    return bool((near & (numbers != number) & (scores > score)).any())


def rivals_of(windows: Windows, named: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Middle, class and its score of every window that names one, as :func:`is_outdone` takes them.

    Args:
        windows: What the model says, smoothed.
        named: From :func:`find_runs`.
    """
    which = np.flatnonzero(named >= 0)
    return windows.times[which], named[which], windows.scores[which, named[which]]


def event_of(
    run: Run, windows: Windows, parts: np.ndarray, seen: np.ndarray, classes: Sequence[str], min_seconds: float
) -> Event | None:
    """The event of a run, or None where it is too short.

    Args:
        run: From :func:`find_runs`.
        windows: Likewise.
        parts: Likewise.
        seen: (S,) seconds of the frames in which the person is seen, rising; an event begins and ends at one.
        classes: Names of the classes.
        min_seconds: Shortest event that is told.
    """
    inside = seen[(seen >= parts[run.first, 0] - 1e-9) & (seen <= parts[run.last, 1] + 1e-9)]
    if not len(inside) or inside[-1] - inside[0] < min_seconds - 1e-9:
        return None
    known = np.isfinite(windows.scores[run.first : run.last + 1]).all(1)
    return _event(windows, np.flatnonzero(known) + run.first, run.number, classes[run.number], inside)


def merge(
    windows: Windows,
    parts: np.ndarray,
    seen: np.ndarray,
    classes: Sequence[str],
    nothing: Collection[str],
    settings: MergeSettings,
) -> list[Event]:
    """The events of one person.

    Args:
        windows: What the model says, smoothed.
        parts: (W, 2) seconds that each window speaks for, from :func:`cells`.
        seen: (S,) seconds of the frames in which the person is seen, rising; an event begins and ends at one.
        classes: Names of the classes.
        nothing: Those that make no event.
        settings: What makes an event.

    Returns:
        Events by start. Score and routing are the means over the event's windows, the region has the largest weight.
    """
    runs, named = find_runs(windows, parts, classes, nothing, settings)
    rivals = rivals_of(windows, named)
    found = []
    for run in runs:
        event = event_of(run, windows, parts, seen, classes, settings.min_seconds)
        if event is None:
            continue
        best = best_window(event, windows, parts, run.number)
        middle, score = float(windows.times[best]), float(windows.scores[best, run.number])
        if not is_outdone(run.number, middle, score, rivals, settings.nms_seconds):
            found.append(event)
    return sorted(found, key=lambda event: (event.start, event.end, event.label))


def best_window(event: Event, windows: Windows, parts: np.ndarray, number: int) -> int:
    """The window that speaks loudest for an event, of those that made it.

    Args:
        event: From :func:`merge`.
        windows: What it was made of.
        parts: Likewise.
        number: Number of its class.
    """
    inside = (parts[:, 1] > event.start + 1e-9) & (parts[:, 0] < event.end - 1e-9)
    scores = np.where(inside & np.isfinite(windows.scores[:, number]), windows.scores[:, number], -np.inf)
    if not np.isfinite(scores).any():  # an event of a single frame
        scores = -np.abs(windows.times - event.start)
    return int(scores.argmax())


def _event(windows: Windows, which: np.ndarray, number: int, label: str, inside: np.ndarray) -> Event:
    routing: dict[str, float] = {}
    if windows.routing is not None:
        routing = dict(zip(REGIONS, map(float, windows.routing[which].mean(0)), strict=True))
    return Event(
        start=float(inside[0]),
        end=float(inside[-1]),
        person=windows.person,
        label=label,
        score=float(np.clip(windows.scores[which, number].mean(), 0, 1)),
        region=max(routing, key=lambda name: routing[name]) if routing else None,
        routing=routing,
        source='model',
    )


def _joined(active: np.ndarray, taken: np.ndarray, parts: np.ndarray, max_gap: float) -> list[tuple[int, int]]:
    """Runs of windows, (first, last), gaps between them closed where they are short and nothing else fills them."""
    edges = np.diff(np.concatenate([[False], active, [False]]).astype(np.int8))
    joined: list[tuple[int, int]] = []
    for first, stop in zip(np.flatnonzero(edges > 0).tolist(), np.flatnonzero(edges < 0).tolist(), strict=True):
        if joined:
            start, last = joined[-1]
            gap = parts[first, 0] - parts[last, 1]
            if gap <= max_gap + 1e-9 and not taken[last + 1 : first].any():
                joined[-1] = (start, stop - 1)
                continue
        joined.append((first, stop - 1))
    return joined
