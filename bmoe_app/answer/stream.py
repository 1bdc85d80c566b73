"""Events while a recording goes on: fed frame by frame, from a camera or another program."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from bmoe_app.answer.division import confirmed, divide, to_confirm
from bmoe_app.answer.events import Event
from bmoe_app.answer.frames import Body, FrameBuffer
from bmoe_app.answer.infer import load_recognizer
from bmoe_app.answer.settings import ModelSettings
from bmoe_app.answer.stream_rules import RuleStream
from bmoe_app.signals import MIN_SCORE
from bmoe_ground.errors import UserError

if TYPE_CHECKING:
    from bmoe_app.answer.model import Recognizer
    from bmoe_app.answer.stream_model import ModelStream


class EventStream:
    """What the people in front of a camera do, told as each event closes.

    The model's events are those that :func:`bmoe_app.answer_tracks` finds in the whole recording; rule events are
    measured against the last minute rather than the whole. Memory is bounded: a minute of frames, and a row of scores a
    stride while one event lasts. Not for several threads at once: one stream, one thread.

    Args:
        skeleton: Name of the layout of the keypoints.
        image_size: (height, width) of the frames in pixels.
        model: As for :func:`bmoe_app.answer_tracks`: None is the one that comes with the package, False is none.
        rules: Whether events are looked for by rule, too.
        min_score: Keypoints below it are unseen for the rules, 0..1.

    Attributes:
        delay: Seconds after its end within which an event is told.

    Raises:
        UserError: The model is unfit, or there is neither a model nor a rule to ask.

    Example:
        >>> tracks = pose_extract.load_tracks('poses/head/head_00.mp4.npz')
        >>> stream = bmoe_app.EventStream(tracks.skeleton, tracks.image_size)
        >>> for t, time in enumerate(tracks.frame_times):
        ...     told = stream.feed(time, {0: (tracks.keypoints[0, t], tracks.scores[0, t])})
        >>> len(stream.close())
        0
    """

    def __init__(
        self,
        skeleton: str,
        image_size: tuple[int, int],
        model: Recognizer | ModelSettings | str | os.PathLike[str] | Literal[False] | None = None,
        rules: bool = True,
        min_score: float = MIN_SCORE,
    ) -> None:
        self._buffer = FrameBuffer(skeleton, image_size)
        asked = load_recognizer(model)
        self._parts: list[ModelStream | RuleStream] = []
        self._model: ModelStream | None = None
        self._classes: tuple[str, ...] = ()
        self._waiting: list[Event] = []
        if asked is not None:
            from bmoe_app.answer.stream_model import ModelStream as Loaded  # a checkpoint loads torch

            self._model = Loaded(asked, self._buffer)
            self._classes = asked.classes
            self._parts.append(self._model)
        self._settings = None if asked is None else asked.settings
        self._rules = RuleStream(self._buffer, min_score) if rules else None
        if self._rules is not None:
            self._parts.append(self._rules)
        if not self._parts:
            raise UserError('there is neither a model nor a rule to ask')
        self.delay = max(part.delay for part in self._parts)
        self._closed = False

    def feed(self, time: float, people: Mapping[int, Body]) -> list[Event]:
        """Take the next frame.

        Args:
            time: Its seconds, from any start, rising from frame to frame.
            people: Everybody seen in it: a number that stays the person's, to keypoints (K, 2) and scores (K,).

        Returns:
            Events that have closed, by start; none in most frames.

        Raises:
            ValueError: Time does not rise, an array has another shape, or the stream is closed.
            UserError: The model gives no finite scores.
        """
        if self._closed:
            raise ValueError('the stream is closed')
        self._buffer.add(time, people)
        found = self._divided([event for part in self._parts for event in part.step()], time)
        self._buffer.forget(min(part.needed_from for part in self._parts))
        return found

    def close(self) -> list[Event]:
        """End the recording.

        Returns:
            The events that were still open.
        """
        self._closed = True
        return self._divided([event for part in self._parts for event in part.close()], float('inf'))

    def _divided(self, events: list[Event], time: float) -> list[Event]:
        """Those of whoever answers for their class, by start; what the model is to confirm waits for its windows."""
        lacking = {} if self._rules is None else self._rules.not_looked_for
        found = divide([*self._waiting, *events], self._settings, self._rules is not None, lacking)
        self._waiting = []
        if self._model is not None:
            known = time - self._model.window if self._model.has_asked or self._closed else float('-inf')
            self._waiting = [event for event in found if to_confirm(event, self._settings) and event.end > known]
            ready = [event for event in found if event not in self._waiting]
            found, _ = confirmed(ready, self._settings, self._model.opinions, self._classes)
        return sorted(found, key=lambda event: (event.start, event.person))
