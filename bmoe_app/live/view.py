"""From the newest frame to who is seen in it and which events have closed, and how long that took."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from bmoe_app.answer.events import Event
from bmoe_app.answer.stream import EventStream
from bmoe_app.live.grabber import Grabber, Taken
from pose_extract.draw.render import RenderStyle, draw_frame
from pose_extract.estimators import PoseEstimator
from pose_extract.poses import FramePoses
from pose_extract.settings import ExtractSettings
from pose_extract.tracking import Tracker
from pose_extract.tracks import PoseTracks
from pose_extract.video import Frame

if TYPE_CHECKING:
    from bmoe_app.answer.model import Recognizer

OVER = 5.0
"""Seconds over which frames a second and latency are told."""


def live_settings(settings: ExtractSettings) -> ExtractSettings:
    """Settings under which an estimator hands over each frame before it asks for the next.

    Args:
        settings: Of an extraction.
    """
    return replace(settings, batch=1, detect_every=1 if settings.whole_frame else max(settings.detect_every, 2))


@dataclass(frozen=True)
class Seen:
    """What is known when a frame has been looked at.

    Attributes:
        time: Seconds of the frame since the beginning.
        latency: Seconds from the moment at which the frame was there to the moment at which this was known.
        persons: How many people are seen.
        events: Those that have closed.
        picture: (height, width, 3) uint8 BGR with the skeletons, where it was asked for.
    """

    time: float
    latency: float
    persons: int
    events: list[Event]
    picture: np.ndarray | None = None


class LiveView:
    """Looks at the newest frames of a source until it ends.

    Args:
        grabber: Reads the source; it must have been started.
        estimator: Made with :func:`live_settings`.
        model: To be asked beside the rules; None for rules alone.
        rules: Whether events are looked for by rule.
        min_score: Keypoints below it are unseen for the rules.
        draw: Whether pictures are wanted.

    Attributes:
        looked: Frames that were looked at.
        delay: Seconds after its end within which an event is told; None before the first frame.
    """

    def __init__(
        self,
        grabber: Grabber,
        estimator: PoseEstimator,
        model: Recognizer | None,
        rules: bool,
        min_score: float,
        draw: bool,
    ) -> None:
        self._grabber, self._estimator, self._draw = grabber, estimator, draw
        self._model, self._rules, self._min_score = model, rules, min_score
        self._stream: EventStream | None = None
        self._taken: dict[int, Taken] = {}
        self._size: tuple[int, int] | None = None
        self._lately: deque[tuple[float, float]] = deque()
        self.looked = 0
        self.delay: float | None = None

    def run(self) -> Iterator[Seen]:
        """What is known, frame after frame; at the end once more, with the events that were still open.

        Raises:
            UserError: The model cannot be asked about these keypoints.
        """
        tracker = Tracker()
        last = 0.0
        for frame, poses in self._estimator.run(self._frames()):
            identities = tracker.update(self.looked, poses)
            events = self._feed(frame, poses, identities)
            picture = self._picture(frame, poses) if self._draw else None
            latency = time.monotonic() - self._taken.pop(frame.index).clock
            self.looked += 1
            last = frame.time
            self._note(latency)
            yield Seen(frame.time, latency, len(poses), events, picture)
        if self._stream is not None:
            yield Seen(last, 0.0, 0, self._stream.close())

    def pace(self) -> tuple[float, float, float]:
        """Frames a second, and the median and the 95th percentile of the latency in seconds, over :data:`OVER`."""
        if len(self._lately) < 2:
            return 0.0, 0.0, 0.0
        times, latencies = zip(*self._lately, strict=True)
        median, high = np.percentile(latencies, [50, 95])
        return (len(times) - 1) / max(times[-1] - times[0], 1e-6), float(median), float(high)

    def _frames(self) -> Iterator[Frame]:
        for taken in self._grabber.frames():
            if taken is None:
                continue
            frame = taken.frame
            height, width = frame.image.shape[:2]
            self._size = self._size or (width, height)
            if (width, height) != self._size:  # a camera that came back otherwise
                image = cv2.resize(frame.image, self._size, interpolation=cv2.INTER_AREA)
                frame = replace(frame, image=image)
            self._taken[frame.index] = taken
            yield frame

    def _feed(self, frame: Frame, poses: FramePoses, identities: np.ndarray) -> list[Event]:
        if self._stream is None:
            size = (int(frame.image.shape[0]), int(frame.image.shape[1]))
            model: Recognizer | Literal[False] = self._model or False
            self._stream = EventStream(self._estimator.skeleton, size, model, self._rules, self._min_score)
            self.delay = self._stream.delay
        people = {
            int(person): (poses.keypoints[number], poses.scores[number]) for number, person in enumerate(identities)
        }
        return self._stream.feed(frame.time, people)

    def _picture(self, frame: Frame, poses: FramePoses) -> np.ndarray:
        size = (int(frame.image.shape[0]), int(frame.image.shape[1]))
        points, scores = poses.keypoints[:, None], poses.scores[:, None]
        tracks = PoseTracks(points, scores, poses.boxes[:, None], np.zeros(1), size, self._estimator.skeleton)
        return draw_frame(frame.image, tracks, 0, RenderStyle(boxes=False))

    def _note(self, latency: float) -> None:
        now = time.monotonic()
        self._lately.append((now, latency))
        while self._lately and now - self._lately[0][0] > OVER:
            self._lately.popleft()
