"""Windows over a recording: which there are, and what a model says of each person in them. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bmoe_ground.errors import UserError
from pose_extract.skeletons import REGIONS

MAX_WINDOWS = 1_000_000
"""Of one clip: three days in steps of a quarter of a second."""
Span = tuple[int, int]
"""First frame of a window, and the frame after its last."""
Answers = Callable[[int, Sequence[Span]], list[tuple[np.ndarray, np.ndarray | None]]]
"""Of a person (index) and some windows, for each window the scores (C,) and the mean routing (4,) or None."""


@dataclass(eq=False)
class WindowScores:
    """What a model says of one person, window by window.

    Attributes:
        person: Index of the person in the tracks.
        spans: (W, 2) first frame of each window, and the frame after its last.
        scores: (W, C) probability of each class; NaN where the person is too little seen.
        routing: (W, 4) mean weight of each region, NaN likewise; None where the model has no router.
    """

    person: int
    spans: np.ndarray
    scores: np.ndarray
    routing: np.ndarray | None

    def rows(self) -> list[np.ndarray | None]:
        """The routing of each window, (4,) or None."""
        return [None] * len(self.spans) if self.routing is None else list(self.routing)


def scan_windows(
    spans: Sequence[Span], seen: np.ndarray, min_seen: float, classes: int, answers: Answers, batch_size: int
) -> list[WindowScores]:
    """Ask about every person in every window in which enough is seen of them.

    Args:
        spans: The windows.
        seen: (M, T) bool, whether a person is seen in a frame.
        min_seen: Share of a window's frames in which the person must be seen, 0..1; in one at least.
        classes: C.
        answers: What is asked.
        batch_size: Windows asked about at once.

    Returns:
        One entry a person.
    """
    found = []
    for person, shown in enumerate(seen):
        which = [w for w, (a, b) in enumerate(spans) if shown[a:b].sum() >= max(min_seen * (b - a), 1)]
        said: list[tuple[np.ndarray, np.ndarray | None]] = []
        for at in range(0, len(which), batch_size):
            said += answers(person, [spans[w] for w in which[at : at + batch_size]])
        scores = np.full((len(spans), classes), np.nan)
        routing = np.full((len(spans), len(REGIONS)), np.nan)
        for w, (score, weights) in zip(which, said, strict=True):
            scores[w] = score
            routing[w] = np.nan if weights is None else weights
        has_router = all(weights is not None for _, weights in said)
        found.append(WindowScores(person, np.array(spans), scores, routing if has_router else None))
    return found


def window_spans(times: np.ndarray, window: float | None, stride: float | None) -> list[Span]:
    """Frame ranges [first, last) of windows in seconds; the last one ends with the clip."""
    if window is None or times[-1] - times[0] <= window:
        return [(0, len(times))]
    if window <= 0 or (stride is not None and stride <= 0):
        raise UserError(f'window and stride must be positive seconds, got {window} and {stride}')
    step = stride or window / 2
    if (times[-1] - times[0]) / step > MAX_WINDOWS:
        raise UserError(f'{times[-1] - times[0]:.3g} s in steps of {step:g} s are more than {MAX_WINDOWS} windows')
    starts = np.arange(times[0], times[-1] - window + 1e-9, step)
    firsts, stops = np.searchsorted(times, starts), np.searchsorted(times, starts + window, side='right')
    ranges = [(first, stop) for first, stop in zip(firsts.tolist(), stops.tolist(), strict=True) if first < stop]
    if not ranges or ranges[-1][1] < len(times):
        ranges.append((int(np.searchsorted(times, times[-1] - window)), len(times)))
    return ranges


def strongest_region(parts: dict[str, float]) -> str | None:
    """The region to which most is attributed; None where none has more than 0."""
    best = max(parts, key=lambda name: parts[name], default=None)
    return best if best is not None and parts[best] > 0 else None
