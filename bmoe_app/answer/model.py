"""A model asked about tracks: windows, smoothing, events. A checkpoint loads torch, an exported model does not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bmoe_app.answer.answer import ModelFacts, Windows, seconds_of
from bmoe_app.answer.division import Opinion
from bmoe_app.answer.events import Event
from bmoe_app.answer.merge import MergeSettings, best_window, cells, merge, smooth
from bmoe_app.answer.settings import DEFAULT_WINDOW, MIN_SEEN, STRIDES, ModelSettings, means_nothing
from bmoe_ground.errors import UserError
from bmoe_ground.files import file_digest
from bmoe_skel.export.exported import ExportedRecognizer
from bmoe_skel.scan import Span, WindowScores, strongest_region
from pose_extract.layout_conversion import COMMON, convert_layout, lost_points
from pose_extract.tracks import PoseTracks

if TYPE_CHECKING:
    from bmoe_skel.inferencer import MicroActionInferencer


@dataclass(frozen=True)
class ModelAnswer:
    """What a model says of one video.

    Attributes:
        events: Of everybody, by person.
        windows: What they were read from, one entry a person.
        facts: Which model it was, and how it was asked.
        notes: What was guessed or changed on the way.
        opinions: What was said of each person in each window, before smoothing.
    """

    events: list[Event]
    windows: list[Windows]
    facts: ModelFacts
    notes: list[str]
    opinions: list[Opinion] = field(default_factory=list)


class Recognizer:
    """A trained model that answers about tracks.

    Args:
        settings: The checkpoint, and how it is asked.

    Raises:
        UserError: The checkpoint is unfit, or a class that is to mean nothing is none of its classes.

    Example:
        >>> from bmoe_app.answer.model import Recognizer
        >>> asked = Recognizer(ModelSettings(Path('best.pth'), threshold=0))
        >>> said = asked(pose_extract.load_tracks('poses/head/head_00.mp4.npz'))
        >>> [event.label in asked.classes for event in said.events]
        [True]
    """

    def __init__(self, settings: ModelSettings) -> None:
        self.settings = settings
        self.inferencer = _load(settings)
        self.classes, self.skeleton = tuple(self.inferencer.classes), self.inferencer.skeleton
        unknown = [name for name in settings.nothing if name not in self.classes]
        if unknown:
            raise UserError(
                f'nothing: {unknown[0]!r} is no class of {settings.checkpoint}; its classes: {", ".join(self.classes)}'
            )
        self.nothing = tuple(name for name in self.classes if name in settings.nothing or means_nothing(name))
        self._sha256 = file_digest(settings.checkpoint)

    def __call__(self, tracks: PoseTracks, file: Path | None = None, name: str | None = None) -> ModelAnswer:
        """Ask about everybody in a video.

        Args:
            tracks: Their keypoints, in the model's layout or one that contains it.
            file: The track file, for a model that sees the RGB crops beside it.
            name: The clip's name, by which its features are found.

        Raises:
            UserError: The tracks cannot become the model's layout, or the model gives no finite scores for them.
        """
        notes: list[str] = []
        converted = self.in_layout(tracks)
        if converted is not tracks:
            notes.append(self._conversion(tracks.skeleton))
        tracks = converted
        window, stride = self._window(tracks, notes)
        least = 0.0 if window is None else MIN_SEEN
        found = self.inferencer.scan(tracks, window, stride, least, file=file, name=name)
        making = merging(self.settings, window or 0.0, stride or 0.0, self.inferencer.multi_label)
        events: list[Event] = []
        windows = []
        for person in found:
            one, spans = _smoothed(person, tracks.frame_times, (window or 0.0) / 2)
            seen = tracks.frame_times[(tracks.scores[person.person] > 0).any(-1)]
            parts = cells(spans, one.times)
            for event in merge(one, parts, seen, self.classes, self.nothing, making):
                first, stop = person.spans[best_window(event, one, parts, self.classes.index(event.label))].tolist()
                events.append(self.attributed(event, tracks, person.person, (first, stop), file, name))
            windows.append(one)
        if events and isinstance(self.inferencer, ExportedRecognizer):
            notes.append(
                "an exported model cannot tell which region an answer came from: an event's is the one that the router "
                'weighed most'
            )
        if found and not events:
            notes += self._likeliest(windows)
        opinions = [one for person in found for one in _opinions(person, tracks.frame_times)]
        return ModelAnswer(events, windows, self._facts(window, stride, making), notes, opinions)

    def attributed(
        self,
        event: Event,
        tracks: PoseTracks,
        person: int,
        span: Span,
        file: Path | None = None,
        name: str | None = None,
    ) -> Event:
        """An event with the region that the answer came from most, see docs/guides/explain.md.

        Args:
            event: The event.
            tracks: In the model's layout.
            person: Index of the person in them.
            span: First frame of the window to ask about, and the frame after its last.
            file: As for a call.
            name: Likewise.

        Returns:
            The event; with the router's region where the model cannot tell, None where no region speaks for the answer.
        """
        parts = self.inferencer.attribute_span(tracks, person, span, self.classes.index(event.label), file, name)
        return replace(event, region=strongest_region(parts)) if parts else event

    def in_layout(self, tracks: PoseTracks) -> PoseTracks:
        """Tracks in the model's layout; the same where they are in it already.

        A model of :data:`pose_extract.layout_conversion.COMMON` was trained with points missing: what a layout lacks is
        absent.

        Raises:
            UserError: Their layout does not contain the model's, or has no point of it.
        """
        if tracks.skeleton == self.skeleton:
            return tracks
        try:
            return convert_layout(tracks, self.skeleton, partial=self.skeleton == COMMON)
        except ValueError as error:  # a layout that does not contain the model's, or further arrays of no known meaning
            raise UserError(f'the model of {self.settings.checkpoint} reads {self.skeleton}: {error}') from error

    def _conversion(self, skeleton: str) -> str:
        """What is to be known of tracks of another layout."""
        if self.skeleton != COMMON:
            return (
                f'the keypoints of {skeleton} were turned into {self.skeleton}, which the model was trained on; how '
                'well it does on keypoints of another estimator was not measured'
            )
        lost = lost_points(skeleton)
        return (
            f'the model reads {self.skeleton}: of {skeleton} it has all points'
            if not lost
            else f'the model reads {self.skeleton}: {skeleton} has no {", ".join(lost)}, so it answers without them'
        )

    def _window(self, tracks: PoseTracks, notes: list[str]) -> tuple[float | None, float | None]:
        """Seconds of a window and between two; None for the whole clip as one."""
        usual = self.inferencer.clip_seconds
        window, longest = usual or (DEFAULT_WINDOW, DEFAULT_WINDOW)
        if self.settings.window is not None:
            window = longest = self.settings.window
        if seconds_of(tracks) <= longest:
            return None, None
        if usual is None and self.settings.window is None:
            notes.append(
                f'{self.settings.checkpoint.name} does not say how long its training clips were; it was asked in '
                f'windows of {DEFAULT_WINDOW:g} s (--window)'
            )
        return window, self.settings.stride or window / STRIDES

    def _likeliest(self, windows: list[Windows]) -> list[str]:
        """What came nearest to an event where none was found."""
        known = [one for one in windows if np.isfinite(one.scores).any()]
        named = [number for number, name in enumerate(self.classes) if name not in self.nothing]
        if not known or not named:
            return [] if known else ['the model was not asked: nobody is seen long enough']
        best = max(known, key=lambda one: float(np.nanmax(one.scores[:, named])))
        window, place = divmod(int(np.nanargmax(best.scores[:, named])), len(named))
        label, score = self.classes[named[place]], best.scores[window, named[place]]
        asked = f'threshold {self.settings.threshold:g}, at least {self.settings.min_seconds:g} s'
        return [
            f'the model names no event ({asked}); the likeliest was {label} with {score:.2f} (person {best.person}, '
            f'{best.times[window]:.1f} s)'
        ]

    def _facts(self, window: float | None, stride: float | None, making: MergeSettings) -> ModelFacts:
        return ModelFacts(
            checkpoint=self.settings.checkpoint.name,
            sha256=self._sha256,
            classes=self.classes,
            nothing=self.nothing,
            window=window,
            stride=stride,
            threshold=making.threshold,
            min_seconds=making.min_seconds,
            max_gap=making.max_gap,
            nms_seconds=making.nms_seconds,
        )


def merging(settings: ModelSettings, window: float, stride: float, multi_label: bool) -> MergeSettings:
    """What makes an event.

    Args:
        settings: How the model is asked.
        window: Seconds of a window; 0 for the whole clip as one.
        stride: Seconds between two windows; 0 likewise.
        multi_label: Whether several classes may hold at once.
    """
    max_gap = stride if settings.max_gap is None else settings.max_gap
    nms_seconds = window / 2 if settings.nms_seconds is None else settings.nms_seconds
    return MergeSettings(
        settings.threshold, settings.min_seconds, max_gap, not multi_label, 0.0 if multi_label else nms_seconds
    )


def _load(settings: ModelSettings) -> MicroActionInferencer | ExportedRecognizer:
    """The model behind a file: one of ``bmoe export``, which needs no torch, or a checkpoint."""
    if Path(settings.checkpoint).suffix == '.onnx':
        if settings.device not in ('cpu', 'auto'):
            raise UserError(f'{settings.checkpoint}: exported models run on the cpu here, got {settings.device!r}')
        return ExportedRecognizer(settings.checkpoint)
    from bmoe_skel.inferencer import MicroActionInferencer as Loaded  # loads torch

    return Loaded(settings.checkpoint, settings.device, settings.features)


def _opinions(person: WindowScores, times: np.ndarray) -> list[Opinion]:
    """What was said of one person, window by window; nothing where too little of the person is seen."""
    return [
        Opinion(person.person, float(times[first]), float(times[stop - 1]), scores)
        for (first, stop), scores in zip(person.spans.tolist(), person.scores, strict=True)
        if np.isfinite(scores).all()
    ]


def _smoothed(person: WindowScores, times: np.ndarray, reach: float) -> tuple[Windows, np.ndarray]:
    """One person's windows, smoothed, and (W, 2) the first and last second of each."""
    spans = np.stack([times[person.spans[:, 0]], times[person.spans[:, 1] - 1]], 1)
    middles = spans.mean(1)
    routing = None if person.routing is None else smooth(person.routing, middles, reach)
    return Windows(person.person, middles, smooth(person.scores, middles, reach), routing), spans
