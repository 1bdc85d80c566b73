"""Rule events while a recording goes on, from its last minute.

Rules measure against a person's own median and noise. Over a file those are of the whole; a stream knows the last
:data:`MEMORY` seconds. So postures may be told otherwise, above all in the first seconds, and a nod or head shake may
end up to 0.3 s elsewhere, with or without its last swing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bmoe_app.answer.events import Event, event_of_rule
from bmoe_app.answer.frames import FrameBuffer
from bmoe_app.rules import find_events
from bmoe_app.signals import compute_signals
from bmoe_app.signals.head import head_angles
from bmoe_app.signals.points import Points
from pose_extract.skeletons import get_skeleton
from pose_extract.tracks import PoseTracks

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
        self._angles: dict[int, dict[float, np.ndarray]] = {}  # person to time to head angles

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
        looked = find_events(compute_signals(tracks, self._min_score, self._head_angles(people, tracks)))
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

    def _head_angles(self, people: list[int], tracks: PoseTracks) -> np.ndarray:
        """(M, T, 3) head angles: most of a look's work, so each frame, which they depend on alone, is fitted once."""
        skeleton, times = get_skeleton(tracks.skeleton), tracks.frame_times.tolist()
        angles = np.empty((len(people), len(times), 3))
        for m, person in enumerate(people):
            known = self._angles.get(person, {})
            new = [t for t, time in enumerate(times) if time not in known]
            points = Points(
                tracks.keypoints[m, new], tracks.scores[m, new], skeleton, self._min_score, tracks.image_size
            )
            known |= dict(zip([times[t] for t in new], head_angles(points), strict=True))
            self._angles[person] = {time: known[time] for time in times}
            angles[m] = list(self._angles[person].values())
        self._angles = {person: self._angles[person] for person in people}
        return angles
