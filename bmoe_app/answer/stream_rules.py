"""Rule events while a recording goes on, from its last minute.

Rules measure against a person's own median and noise. Over a file those are of the whole; a stream knows the last
:data:`MEMORY` seconds. So postures may be told otherwise, above all in the first seconds, and a nod or head shake may
end up to 0.3 s elsewhere, with or without its last swing.
"""

from __future__ import annotations

from dataclasses import replace

from bmoe_app.answer.events import Event, event_of_rule
from bmoe_app.answer.frames import FrameBuffer
from bmoe_app.rules import find_events
from bmoe_app.signals import compute_signals

MEMORY = 60.0
"""Seconds that medians are taken over."""
EVERY = 0.5
"""Seconds between two looks."""
SETTLED = 1.0
"""Seconds after its end at which an event can no longer grow."""


class RuleStream:
    """The rules of :mod:`bmoe_app.rules`, fed frame by frame.

    Args:
        buffer: The frames, fed by the caller, who may drop those before :attr:`needed_from`.
        min_score: Keypoints below it are unseen.

    Attributes:
        delay: Seconds after its end within which an event is told.
        not_looked_for: Rule to the reason why it could not be evaluated when it was last looked.
    """

    def __init__(self, buffer: FrameBuffer, min_score: float) -> None:
        self._buffer, self._min_score = buffer, min_score
        self.delay = SETTLED + EVERY
        self._looked = self._now = float('-inf')
        self._told: dict[tuple[int, str], float] = {}
        self.not_looked_for: dict[str, str] = {}

    @property
    def needed_from(self) -> float:
        """Frames before this moment are not needed any more."""
        return self._now - MEMORY

    def step(self) -> list[Event]:
        """Look at the frames that have come, and tell the events that are over."""
        self._now = self._buffer.last_time
        if self._now - self._looked < EVERY:
            return []
        self._looked = self._now
        return self._tell(self._now - SETTLED)

    def close(self) -> list[Event]:
        """Tell what is left."""
        return self._tell(float('inf')) if len(self._buffer) else []

    def _tell(self, until: float) -> list[Event]:
        people, tracks = self._buffer.tracks()
        looked = find_events(compute_signals(tracks, self._min_score))
        self.not_looked_for = dict(looked.unavailable)
        found = []
        for one in looked.events:
            person = people[one.person]
            key = (person, one.label)
            # what was told may begin a little elsewhere when it is found again
            if one.end > until or one.start <= self._told.get(key, float('-inf')):
                continue
            self._told[key] = one.end
            found.append(replace(event_of_rule(one), person=person))
        return found
