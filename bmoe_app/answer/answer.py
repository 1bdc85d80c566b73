"""The answer to one video: its events, and all that they were read from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bmoe_app.answer.events import Event
from bmoe_app.signals import Signals
from pose_extract.tracks import PoseTracks

FORMAT = 'bmoe-answer 1'


@dataclass(eq=False)
class Windows:
    """What a model said of one person, window by window, after smoothing.

    Attributes:
        person: Index of the person in the tracks.
        times: (W,) seconds of the middle of each window, rising.
        scores: (W, C) probability of each class; NaN in windows in which the person is not seen.
        routing: (W, 4) weight of each region in the order of :data:`pose_extract.body_parts.REGIONS`, NaN likewise;
            None where the model has no router.
    """

    person: int
    times: np.ndarray
    scores: np.ndarray
    routing: np.ndarray | None


@dataclass(frozen=True)
class ModelFacts:
    """Which model answered, and how it was asked.

    Attributes:
        checkpoint: Name of the file, without its folder.
        sha256: Digest of the file.
        classes: Names of the classes, in the order of :attr:`Windows.scores`.
        nothing: Those of them that say that nothing happened; they make no event.
        window: Seconds of a window; None where the whole clip was one.
        stride: Seconds between two windows; None likewise.
        threshold: Least smoothed probability of an event.
        min_seconds: Shortest event that is told.
        max_gap: Longest gap between two events of one label that was closed where nothing else filled it, in seconds.
        nms_seconds: How near to an event's best moment, in seconds, a likelier class left it out; 0 where none could.
        by_rule: Classes that the rules answered for.
        confirm: Probability that the model had to give to what those rules found; 0 for none.
        by_model: Rules whose events were left out for the model's.
    """

    checkpoint: str
    sha256: str
    classes: tuple[str, ...]
    nothing: tuple[str, ...]
    window: float | None
    stride: float | None
    threshold: float
    min_seconds: float
    max_gap: float
    nms_seconds: float
    by_rule: tuple[str, ...] = ()
    confirm: float = 0.0
    by_model: tuple[str, ...] = ()


@dataclass(eq=False)
class Answer:
    """The answer to one video.

    Attributes:
        name: The video's path below the folder that was asked about, with ``/``; what its files are named by.
        events: By start, then person.
        tracks: The keypoints that it was read from.
        signals: Movement signals of the same people and frames.
        model: The model that was asked, or None where only rules were.
        windows: What the model said over time, one entry a person; empty without a model.
        video: The video file, or None where only tracks were given.
        not_looked_for: Rule to the reason why it could not be evaluated.
        notes: What was lost, skipped or guessed on the way, a sentence each.

    Example:
        >>> answer = bmoe_app.answer_tracks('poses/head/head_00.mp4.npz')
        >>> answer.name, round(answer.seconds, 2)
        ('head_00.mp4', 0.96)
    """

    name: str
    events: list[Event]
    tracks: PoseTracks
    signals: Signals
    model: ModelFacts | None = None
    windows: list[Windows] = field(default_factory=list)
    video: Path | None = None
    not_looked_for: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Duration of the video, the last frame's own included."""
        return seconds_of(self.tracks)

    def as_dict(self) -> dict[str, Any]:
        """The answer as JSON types, without tracks, signals and windows: what ``<video>.json`` holds."""
        model = None
        if self.model is not None:
            model = {name: list(v) if isinstance(v, tuple) else v for name, v in vars(self.model).items()}
        return {
            'format': FORMAT,
            'video': self.name,
            'seconds': round(self.seconds, 3),
            'frames': self.tracks.num_frames,
            'persons': self.tracks.num_persons,
            'frames_seen': [int(n) for n in (self.tracks.scores > 0).any(-1).sum(-1)],
            'skeleton': self.tracks.skeleton,
            'image_size': [int(side) for side in self.tracks.image_size],
            'events': [event.as_dict() for event in self.events],
            'model': model,
            'not_looked_for': self.not_looked_for,
            'notes': self.notes,
        }


def seconds_of(tracks: PoseTracks) -> float:
    """Duration of tracks, the last frame's own included: 0 where there is one frame only.

    Args:
        tracks: The tracks.
    """
    return seconds_of_times(tracks.frame_times)


def seconds_of_times(times: np.ndarray) -> float:
    """Duration of frames at ``times`` (T,), the last frame's own included: 0 where there is one frame only."""
    if len(times) < 2:
        return 0.0
    return float(times[-1] - times[0] + np.median(np.diff(times)))
