"""From a video, or its tracks, to an answer: signals, rule events and, where there is a model, what it recognises."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bmoe_app.answer.answer import Answer
from bmoe_app.answer.bundled import default_model
from bmoe_app.answer.division import confirmed, divide, left_to_rules
from bmoe_app.answer.events import event_of_rule
from bmoe_app.answer.settings import ModelSettings
from bmoe_app.rules import Found, find_events
from bmoe_app.signals import MIN_SCORE, compute_signals
from pose_extract.tracks import PoseTracks, load_tracks

if TYPE_CHECKING:
    from bmoe_app.answer.model import Recognizer


def load_recognizer(
    model: Recognizer | ModelSettings | str | os.PathLike[str] | Literal[False] | None,
) -> Recognizer | None:
    """The model to ask: one that is loaded, one to load, or the one that comes with the package.

    Args:
        model: A recognizer, how a checkpoint is to be asked, the checkpoint alone, None for the one that comes with the
            package, or False for none.

    Raises:
        UserError: The checkpoint is unfit.
    """
    if model is False:
        return None
    if model is None:
        model = default_model()
    if isinstance(model, str | os.PathLike):
        model = ModelSettings(Path(model))
    if not isinstance(model, ModelSettings):
        return model
    from bmoe_app.answer.model import Recognizer as Loaded  # loads torch

    return Loaded(model)


def answer_tracks(
    tracks: PoseTracks | str | os.PathLike[str],
    model: Recognizer | ModelSettings | str | os.PathLike[str] | Literal[False] | None = None,
    *,
    name: str | None = None,
    rules: bool = True,
    min_score: float = MIN_SCORE,
    video: Path | None = None,
    file: Path | None = None,
) -> Answer:
    """Answer what the people in a video did, from their tracks.

    Args:
        tracks: Tracks, or a track file.
        model: A checkpoint of ``bmoe train``, :class:`bmoe_app.answer.ModelSettings` to say how it is asked, or a
            :class:`bmoe_app.answer.model.Recognizer`, which loads it once for many videos. None is the model that comes
            with the package (:mod:`bmoe_app.answer.bundled`), False is none: rules alone.
        name: What the answer is called; the track file's name without ``.npz`` if None.
        rules: Whether events are looked for by rule, too.
        min_score: Keypoints below this score count as unseen for signals and rules, 0..1.
        video: The video that the tracks are of, for those who show the answer.
        file: The track file where ``tracks`` were read from one, for a model that sees the RGB crops beside it.

    Returns:
        The answer; that nobody was seen, or nothing happened, is one too.

    Raises:
        UserError: The file or the checkpoint is unfit, or the tracks cannot become the model's layout.
        ValueError: ``min_score`` is outside 0..1.

    Example:
        >>> answer = bmoe_app.answer_tracks('poses/head/head_00.mp4.npz', 'best.pth')
        >>> answer.name, answer.tracks.num_persons, answer.model.classes
        ('head_00.mp4', 1, ('arms', 'head', 'legs'))
    """
    if not isinstance(tracks, PoseTracks):
        file = Path(tracks)
        tracks = load_tracks(file)
    if name is None:
        name = 'tracks' if file is None else file.name.removesuffix('.npz')
    asked = load_recognizer(model)
    said = None if asked is None else asked(tracks, file, name)
    signals = compute_signals(tracks, min_score)
    found = find_events(signals) if rules else Found((), {})
    events = [event_of_rule(one) for one in found.events]
    events += [] if said is None else said.events
    settings = None if asked is None else asked.settings
    events = divide(events, settings, rules, found.unavailable)
    facts, left_out = None, None
    if said is not None and settings is not None:
        events, left_out = confirmed(events, settings, said.opinions, said.facts.classes)
        facts = said.facts
        if rules:
            by_rule = left_to_rules(settings, found.unavailable)
            facts = replace(facts, by_rule=by_rule, confirm=settings.confirm, by_model=settings.by_model)
    return Answer(
        name=name,
        events=sorted(events, key=lambda one: (one.start, one.person, one.end, one.source, one.label)),
        tracks=tracks,
        signals=signals,
        model=facts,
        windows=[] if said is None else said.windows,
        video=video,
        not_looked_for=dict(found.unavailable),
        notes=[*notes_of(tracks), *([] if said is None else said.notes), *([left_out] if left_out else ())],
    )


def answer_video(
    video: str | os.PathLike[str],
    model: Recognizer | ModelSettings | str | os.PathLike[str] | Literal[False] | None = None,
    *,
    rules: bool = True,
    min_score: float = MIN_SCORE,
    **settings: Any,
) -> Answer:
    """Answer what the people in a video did.

    Each call extracts the tracks anew; ``bmoe infer`` keeps them, and :func:`answer_tracks` takes kept ones.

    Args:
        video: Video file, or folder of numbered images.
        model: As for :func:`answer_tracks`.
        rules: Likewise.
        min_score: Likewise.
        **settings: Of the extraction, such as ``backend='mediapipe'``: fields of :class:`pose_extract.ExtractSettings`.

    Raises:
        UserError: The video, a setting or the checkpoint is unfit.

    Example:
        >>> answer = bmoe_app.answer_video('clip.mp4', backend='mediapipe')
        >>> round(answer.seconds, 2), answer.model.checkpoint
        (0.48, 'everyday.pth')
    """
    import pose_extract

    path = Path(video)
    asked = load_recognizer(model)  # an unfit one is refused before the extraction
    tracks = pose_extract.extract(path, **settings)
    return answer_tracks(tracks, asked, name=path.name, rules=rules, min_score=min_score, video=path)


def notes_of(tracks: PoseTracks) -> list[str]:
    """What the extraction says of its tracks: what broke off, what was guessed, left out or passed over."""
    made = tracks.provenance
    notes = made.get('notes')
    said = [note for note in notes if isinstance(note, str)] if isinstance(notes, list) else []
    if is_partial(tracks):
        said.insert(0, f'the video was not read whole: {made.get("error")}')
    asked = made.get('asked')
    stride = asked.get('stride') if isinstance(asked, dict) else None
    if isinstance(stride, int) and stride > 1:
        said.append(f'of every {stride} frames one was looked at: quick movements may be missed')
    return said


def is_partial(tracks: PoseTracks) -> bool:
    """Whether the video breaks off or has damaged frames, as its extraction says."""
    return tracks.provenance.get('status') == 'partial'
