"""A trained model asked while a recording goes on: the events of the whole recording, each as soon as it is certain.

Windows lie on the same grid as over a file, and are smoothed and merged by the same functions. What is told is never
taken back: a window's smoothed scores are final when the last window that has a share in them is there, and an event is
told when no window to come can belong to it any more.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from bmoe_app.answer.answer import Windows, seconds_of_times
from bmoe_app.answer.division import Opinion
from bmoe_app.answer.events import Event
from bmoe_app.answer.frames import FrameBuffer
from bmoe_app.answer.merge import Run, best_window, cells, event_of, find_runs, is_outdone, rivals_of, smooth
from bmoe_app.answer.model import Recognizer, merging
from bmoe_app.answer.settings import DEFAULT_WINDOW, MIN_SEEN, STRIDES
from pose_extract.body_parts import REGIONS

MEMORY = 60.0
"""Seconds of frames that are held at most, to tell which region an event came from; a longer one is told by routing."""


@dataclass
class _Person:
    """What is known of one person: answers by number of window, when they were seen, and what was told."""

    open_from: int
    scores: dict[int, np.ndarray] = field(default_factory=dict)
    routing: dict[int, np.ndarray] = field(default_factory=dict)
    seen: list[float] = field(default_factory=list)
    told: dict[int, int] = field(default_factory=dict)  # class to the last window of its last event
    rivals: dict[float, tuple[int, float]] = field(default_factory=dict)  # middle of a window to class and score
    waiting: list[_Waiting] = field(default_factory=list)  # events that a window to come may outdo


class _Waiting(NamedTuple):
    """An event with its best window, and what that says of the event's class."""

    event: Event
    window: int
    middle: float
    number: int
    score: float


class _Answers(NamedTuple):
    """What was said of the frames between two moments: person, scores (C,) and routing (R,) or None of each."""

    span: tuple[float, float]
    people: list[tuple[int, np.ndarray, np.ndarray | None]]


class ModelStream:
    """A recognizer fed frame by frame.

    Args:
        model: The recognizer; one that sees keypoints alone.
        buffer: The frames, fed by the caller, who may drop those before :attr:`needed_from`.

    Attributes:
        window: Seconds of a window.
        stride: Seconds between two.
        delay: Seconds after its end within which an event is told.
        opinions: What was said of each person in the windows of the last :data:`MEMORY` seconds.
    """

    def __init__(self, model: Recognizer, buffer: FrameBuffer) -> None:
        self._model, self._buffer = model, buffer
        usual = model.inferencer.clip_seconds or (DEFAULT_WINDOW, DEFAULT_WINDOW)
        asked = model.settings.window
        self.window, self._longest = (asked, asked) if asked is not None else usual
        self.stride = model.settings.stride or self.window / STRIDES
        self._making = merging(model.settings, self.window, self.stride, model.inferencer.multi_label)
        self.delay = self.window + 2 * self.stride + max(self._making.max_gap, self._making.nms_seconds)
        self._start: float | None = None
        self._last = 0.0  # time of the newest frame
        self._asked = 0  # windows of the grid that were passed
        self._spans: dict[int, tuple[float, float]] = {}  # first and last second of the windows that are still needed
        self._number = 0  # of the next window that holds a frame
        self._answers = _Answers((np.inf, np.inf), [])  # about the newest window
        self._people: dict[int, _Person] = {}
        self.opinions: deque[Opinion] = deque()

    @property
    def has_asked(self) -> bool:
        """Whether any window was asked about; a recording that ends soon is asked about as a whole, at its end."""
        return self._asked > 0

    @property
    def needed_from(self) -> float:
        """Frames before this moment are not needed any more."""
        if self._start is None or self._asked == 0:
            return -np.inf
        open_from = min((span[0] for span in self._spans.values()), default=self._last)
        least = max(open_from, self._last - MEMORY)
        return min(self._grid(self._asked), self._last - self.window, least) - 1e-6

    def step(self) -> list[Event]:
        """Look at the newest frame, and tell the events that have become certain."""
        times = self._buffer.times
        self._last = float(times[-1])
        if self._start is None:
            self._start = float(times[0])
        for person in self._buffer.seen_last():
            self._people.setdefault(person, _Person(self._number)).seen.append(self._last)
        if self._asked == 0 and seconds_of_times(times) <= self._longest:
            return []  # it may still end as a clip that is asked about as a whole
        found: list[Event] = []
        while (start := self._grid(self._asked)) < self._last - self.window + 1e-9:
            self._ask(int(np.searchsorted(times, start)), int(np.searchsorted(times, start + self.window, 'right')))
            self._asked += 1
            found += self._tell(closing=False)
        return found

    def close(self) -> list[Event]:
        """Look at what is left, and tell the events that the end of the recording makes certain."""
        times = self._buffer.times
        if not len(times):
            return []
        if self._asked == 0:
            people, tracks = self._buffer.tracks()
            said = self._model(tracks)
            self.opinions += [one._replace(person=people[one.person]) for one in said.opinions]
            return [replace(event, person=people[event.person]) for event in said.events]
        if not self._spans or max(self._spans.values())[1] < times[-1]:
            self._ask(int(np.searchsorted(times, times[-1] - self.window)), len(times))
        return self._tell(closing=True)

    def _grid(self, number: int) -> float:
        """Start of a window, rounded as ``numpy.arange`` rounds it for a file."""
        assert self._start is not None
        return self._start + number * ((self._start + self.stride) - self._start)

    def _ask(self, first: int, stop: int) -> None:
        """Ask about everybody in one window of the buffer's frames."""
        if first >= stop:
            return
        times = self._buffer.times
        span = (float(times[first]), float(times[stop - 1]))
        number, self._number = self._number, self._number + 1
        self._spans[number] = span
        while self.opinions and self.opinions[0].end < self._last - MEMORY - 2 * self.window:
            self.opinions.popleft()
        if span != self._answers.span:  # where frames are far apart, several windows hold the same ones
            self._answers = _Answers(span, self._asked_about(first, stop))
        for index, scores, routing in self._answers.people:
            person = self._people[index]
            person.scores[number] = scores
            self.opinions.append(Opinion(index, *span, scores))
            if routing is not None:
                person.routing[number] = routing

    def _asked_about(self, first: int, stop: int) -> list[tuple[int, np.ndarray, np.ndarray | None]]:
        """Person, scores and routing of everybody of whom enough is seen in the buffer's frames."""
        people, tracks = self._buffer.tracks(first, stop)
        if not people:
            return []
        found = self._model.inferencer.scan(self._model.in_layout(tracks), None, None, MIN_SEEN)
        return [
            (person, said.scores[0], None if said.routing is None else said.routing[0])
            for person, said in zip(people, found, strict=True)
            if np.isfinite(said.scores).all()
        ]

    def _tell(self, closing: bool) -> list[Event]:
        """The events that are certain; forgets what no later event needs."""
        numbers = sorted(self._spans)
        spans = np.array([self._spans[number] for number in numbers])
        middles = spans.mean(1)
        reach = self.window / 2
        final = len(numbers) if closing else int((middles <= middles[-1] - reach + 1e-9).sum())
        found = []
        for index in sorted(self._people):
            found += self._tell_person(index, numbers, spans, middles, reach, final, closing)
        oldest = min((person.open_from for person in self._people.values()), default=self._number)
        keep = np.array(numbers) >= oldest - 1  # the one before says where a window's own time begins
        if keep.any():
            keep |= middles > middles[keep][0] - reach - 1e-9
        for number, kept in zip(numbers, keep.tolist(), strict=True):
            if not kept:
                del self._spans[number]
        self._forget_rows()
        return sorted(found, key=lambda event: (event.start, event.end, event.label))

    def _tell_person(
        self,
        index: int,
        numbers: list[int],
        spans: np.ndarray,
        middles: np.ndarray,
        reach: float,
        final: int,
        closing: bool,
    ) -> list[Event]:
        person = self._people[index]
        scores = self._rows(person.scores, numbers, len(self._model.classes))
        routing = self._rows(person.routing, numbers, len(REGIONS)) if person.routing else None
        low = int(np.searchsorted(numbers, person.open_from))
        part = slice(low, final)
        if low >= final:
            return []
        windows = Windows(
            index,
            middles[part],
            smooth(scores, middles, reach)[part],
            None if routing is None else smooth(routing, middles, reach)[part],
        )
        all_parts = cells(spans, middles)
        parts = all_parts[part]
        runs, named = find_runs(windows, parts, self._model.classes, self._model.nothing, self._making)
        person.rivals |= {
            middle: (number, score) for middle, number, score in zip(*rivals_of(windows, named), strict=True)
        }
        runs = [run for run in runs if numbers[low + run.last] > person.told.get(run.number, -1)]
        over = closing or final == len(numbers)
        next_start, next_middle = (np.inf, np.inf) if over else (all_parts[final, 0], middles[final])
        closed = [run for run in runs if closing or self._is_closed(run, parts, named, next_start)]
        seen = np.array(person.seen)
        for run in closed:
            person.told[run.number] = numbers[low + run.last]
            event = event_of(run, windows, parts, seen, self._model.classes, self._making.min_seconds)
            if event is not None:
                best = best_window(event, windows, parts, run.number)
                score = float(windows.scores[best, run.number])
                person.waiting.append(
                    _Waiting(event, numbers[low + best], float(windows.times[best]), run.number, score)
                )
        found = self._undisputed(person, next_middle)
        needed = [numbers[low + run.first] for run in runs if run not in closed]
        needed += [one.window for one in person.waiting]
        person.open_from = min(needed, default=numbers[final - 1] + 1)
        first = min(int(np.searchsorted(numbers, person.open_from)), final - 1)
        least = middles[first] - self._making.nms_seconds - 1e-6
        person.rivals = {middle: rival for middle, rival in person.rivals.items() if middle >= least}
        return found

    def _undisputed(self, person: _Person, next_middle: float) -> list[Event]:
        """The waiting events that no window to come can outdo, but for those that one has outdone."""
        reach = self._making.nms_seconds
        certain = next_middle - reach - 1e-9
        settled = [one for one in person.waiting if one.middle < certain]
        if not settled:
            return []
        person.waiting = [one for one in person.waiting if one.middle >= certain]
        numbers, scores = np.array(list(person.rivals.values())).reshape(-1, 2).T
        rivals = (np.array(list(person.rivals)), numbers, scores)
        return [
            self._attributed(one.event, np.array(self._spans[one.window]))
            for one in settled
            if not is_outdone(one.number, one.middle, one.score, rivals, reach)
        ]

    def _attributed(self, event: Event, span: np.ndarray) -> Event:
        """The event with the region that its answer came from, where the frames are still there."""
        times = self._buffer.times
        if span[0] < times[0] - 1e-9:
            return event
        first, stop = int(np.searchsorted(times, span[0])), int(np.searchsorted(times, span[1], 'right'))
        people, tracks = self._buffer.tracks(first, stop)
        place = people.index(event.person)
        return self._model.attributed(event, self._model.in_layout(tracks), place, (0, stop - first))

    def _is_closed(self, run: Run, parts: np.ndarray, named: np.ndarray, next_start: float) -> bool:
        """Whether no window that is not final yet can belong to a run."""
        if run.last == len(parts) - 1:
            return False
        if (named[run.last + 1 :] >= 0).any():
            return True
        return bool(next_start - parts[run.last, 1] > self._making.max_gap + 1e-9)

    def _rows(self, rows: dict[int, np.ndarray], numbers: list[int], width: int) -> np.ndarray:
        """Rows of a person, NaN where the person is too little seen."""
        unknown = np.full(width, np.nan)
        return np.array([rows.get(number, unknown) for number in numbers])

    def _forget_rows(self) -> None:
        """Drop what belongs to windows that are gone, and people of whom nothing is left."""
        oldest = min(self._spans, default=self._number)
        begin = self._spans[oldest][0] if self._spans else self._last
        for index, person in list(self._people.items()):
            person.scores = {number: row for number, row in person.scores.items() if number >= oldest}
            person.routing = {number: row for number, row in person.routing.items() if number >= oldest}
            person.seen = [time for time in person.seen if time >= begin]
            if not person.seen and not person.scores:
                del self._people[index]
