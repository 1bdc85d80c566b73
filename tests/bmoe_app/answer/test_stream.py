"""A stream tells what an answer to the whole recording says, and forgets what it needs no more."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skeleton_clips import write_checkpoint, write_recording

from benchmarks.answering import recording
from benchmarks.moving_people import acted
from bmoe_app.answer import Event, ModelSettings, stream_rules
from bmoe_app.answer.infer import answer_tracks
from bmoe_app.answer.model import Recognizer
from bmoe_app.answer.stream import EventStream
from bmoe_app.signals import MIN_SCORE, compute_signals
from bmoe_app.signals.head import head_angles
from bmoe_app.signals.points import Points
from bmoe_ground.errors import UserError
from pose_extract.skeletons import get_skeleton
from pose_extract.tracks import PoseTracks, load_tracks


def people_of(tracks: PoseTracks, t: int) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    seen = np.flatnonzero((tracks.scores[:, t] > 0).any(-1)).tolist()
    return {m: (tracks.keypoints[m, t], tracks.scores[m, t]) for m in seen}


def told_by(stream: EventStream, tracks: PoseTracks) -> list[Event]:
    found = []
    for t, time in enumerate(tracks.frame_times):
        for event in stream.feed(time, people_of(tracks, t)):
            assert event.end <= time <= event.end + stream.delay + 0.05
            found.append(event)
    return sorted(found + stream.close(), key=lambda e: (e.start, e.person, e.end, e.label))


def same(found: list[Event], wanted: list[Event]) -> None:
    assert [(e.person, e.label, e.region) for e in found] == [(e.person, e.label, e.region) for e in wanted]
    for name in ('start', 'end', 'score'):
        np.testing.assert_allclose([getattr(e, name) for e in found], [getattr(e, name) for e in wanted], atol=1e-5)


@pytest.mark.parametrize('seed', range(3))
def test_the_models_events_are_those_of_the_whole_recording(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    write_recording(tmp_path / 'two.npz', frames=int(rng.integers(120, 420)), persons=2, seed=seed)
    tracks = load_tracks(tmp_path / 'two.npz')
    tracks.frame_times += rng.uniform(0, 100)
    quiet = rng.random(tracks.num_frames) < 0.02
    tracks.scores[1, np.convolve(quiet, np.ones(20), 'same') > 0] = 0
    tracks.keypoints[tracks.scores <= 0] = np.nan
    # random keypoints leave the classes close: the threshold lies where labels come and go
    settings = ModelSettings(
        write_checkpoint(tmp_path / 'best.pth', clip_seconds=[1.0, 1.6]),
        threshold=float(rng.choice([0.35, 0.4, 0.42])),
        min_seconds=float(rng.choice([0.0, 0.3])),
        stride=float(rng.choice([0.1, 0.25, 0.5])),
        max_gap=float(rng.choice([0.0, 0.4, 1.0])),
        nms_seconds=[None, 0.0, 0.3][seed],
    )
    model = Recognizer(settings)
    stream = EventStream(tracks.skeleton, tracks.image_size, model, rules=False)
    same(told_by(stream, tracks), answer_tracks(tracks, model, rules=False).events)


@pytest.mark.parametrize('nms_seconds', [None, 0.0, 0.4, 3.0])
def test_events_that_compete_are_those_of_the_whole_recording(tmp_path: Path, nms_seconds: float | None) -> None:
    write_recording(tmp_path / 'one.npz', frames=900, persons=1, seed=7)
    tracks = load_tracks(tmp_path / 'one.npz')
    checkpoint = write_checkpoint(tmp_path / 'best.pth', clip_seconds=[1.0, 1.6])
    model = Recognizer(ModelSettings(checkpoint, threshold=0.4, min_seconds=0.0, nms_seconds=nms_seconds))
    scan = model.inferencer.scan

    def restless(tracks: PoseTracks, *rest: Any, **options: Any) -> Any:
        """Another class every moment, by the time at which a window begins alone."""
        found = scan(tracks, *rest, **options)
        for said in found:
            begins = np.round(tracks.frame_times[said.spans[:, 0]] * 1000).astype(int).tolist()
            draws = [np.random.default_rng(begin).dirichlet(0.2 * np.ones(said.scores.shape[1])) for begin in begins]
            said.scores[:] = draws
        return found

    model.inferencer.scan = restless  # type: ignore[method-assign]
    wanted = answer_tracks(tracks, model, rules=False).events
    every = answer_tracks(tracks, unsuppressed(model), rules=False).events
    assert len(wanted) > 3 and (len(wanted) < len(every) or nms_seconds == 0)
    same(told_by(EventStream(tracks.skeleton, tracks.image_size, model, rules=False), tracks), wanted)


def unsuppressed(model: Recognizer) -> Recognizer:
    other = copy(model)
    other.settings = replace(model.settings, nms_seconds=0.0)
    return other


def test_frames_far_apart_are_asked_about_once(tmp_path: Path, monkeypatch) -> None:
    """A machine that is too slow for a live view must not be made slower by the time that passes."""
    write_recording(tmp_path / 'slow.npz', frames=40)
    tracks = load_tracks(tmp_path / 'slow.npz')
    tracks.frame_times = 0.7 * np.arange(40) + np.where(np.arange(40) > 20, 9.0, 0.0)  # and once a long wait
    checkpoint = write_checkpoint(tmp_path / 'best.pth', clip_seconds=[1.0, 1.6])
    model = Recognizer(ModelSettings(checkpoint, threshold=0.35, min_seconds=0.0, stride=0.05))
    wanted = answer_tracks(tracks, model, rules=False).events
    asked, scan = [], model.inferencer.scan

    def counted(tracks: PoseTracks, *rest: Any, **options: Any) -> Any:
        asked.append(tracks.num_frames)
        return scan(tracks, *rest, **options)

    monkeypatch.setattr(model.inferencer, 'scan', counted)
    found = told_by(EventStream(tracks.skeleton, tracks.image_size, model, rules=False), tracks)
    assert wanted
    same(found, wanted)
    assert 40 <= len(asked) <= 80  # each frame that comes into a window or leaves it; the grid has 700 windows


@pytest.mark.parametrize('frames', [1, 2, 20, 39, 41])
def test_a_short_recording_is_asked_about_as_a_whole(tmp_path: Path, frames: int) -> None:
    write_recording(tmp_path / 'short.npz', frames=frames)
    tracks = load_tracks(tmp_path / 'short.npz')
    checkpoint = write_checkpoint(tmp_path / 'best.pth', clip_seconds=[1.0, 1.6])
    model = Recognizer(ModelSettings(checkpoint, threshold=0.0, min_seconds=0.0))
    stream = EventStream(tracks.skeleton, tracks.image_size, model, rules=False)
    wanted = answer_tracks(tracks, model, rules=False).events
    assert wanted
    same(told_by(stream, tracks), wanted)


@pytest.mark.parametrize('seed', [1])
def test_rule_events_differ_little(seed: int) -> None:
    tracks, truth = recording(np.random.default_rng(seed))
    whole = answer_tracks(tracks, False).events
    found = told_by(EventStream(tracks.skeleton, tracks.image_size, False), tracks)
    assert len(truth) == 30
    # noise and medians are those of the last minute: a last, small swing counts for one and not for the other
    paired = [
        (a, b)
        for a in whole
        for b in found
        if b.label == a.label and abs(b.start - a.start) < 0.1 and abs(b.end - a.end) < 0.35
    ]
    assert len(whole) >= 20
    assert len(paired) >= 0.95 * len(whole)
    assert len(found) <= 1.05 * len(whole)


def test_rules_that_a_model_confirms_are_those_of_the_file(tmp_path: Path) -> None:
    tracks, _ = recording(np.random.default_rng(3))
    parts = {name: getattr(tracks, name)[:, :700] for name in ('keypoints', 'scores', 'boxes')}
    tracks = replace(tracks, frame_times=tracks.frame_times[:700], **parts)
    path = write_checkpoint(tmp_path / 'best.pth', clip_seconds=[1.0, 1.6], classes=['nod', 'head_shake', 'nothing'])
    told = {}
    for confirm in (0.0, 0.4):
        settings = ModelSettings(path, by_rule=('nod', 'head_shake'), confirm=confirm)
        found = told_by(EventStream(tracks.skeleton, tracks.image_size, settings), tracks)
        whole = answer_tracks(tracks, settings).events
        told[confirm] = [one.label for one in found if one.source == 'rule']
        assert sorted(told[confirm]) == sorted(one.label for one in whole if one.source == 'rule')
    assert len(told[0.4]) < len(told[0.0])


def test_memory_is_bounded(tmp_path: Path) -> None:
    write_recording(tmp_path / 'long.npz', frames=2500, persons=1)
    tracks = load_tracks(tmp_path / 'long.npz')
    checkpoint = write_checkpoint(tmp_path / 'best.pth', clip_seconds=[1.0, 1.6])
    stream = EventStream(tracks.skeleton, tracks.image_size, ModelSettings(checkpoint, stride=0.5), rules=False)
    held = []
    for t, time in enumerate(tracks.frame_times):
        stream.feed(time, people_of(tracks, t))
        held.append(len(stream._buffer))
    assert max(held) <= 60 * 25 + 2
    part = stream._parts[0]
    assert len(part._spans) < 60 and len(part._people[0].seen) < 800


def test_what_is_fed_wrongly_is_named(tmp_path: Path) -> None:
    stream = EventStream('coco17', (480, 640), False)
    body = (np.zeros((17, 2)), np.ones(17))
    stream.feed(1.0, {0: body})
    with pytest.raises(ValueError, match='rises from frame to frame, got 1.0 after 1.0'):
        stream.feed(1.0, {0: body})
    with pytest.raises(ValueError, match=r'person 3: keypoints \(33, 2\)'):
        stream.feed(2.0, {3: (np.zeros((33, 2)), np.ones(33))})
    assert stream.close() == []
    with pytest.raises(ValueError, match='closed'):
        stream.feed(3.0, {})
    with pytest.raises(UserError, match='neither a model nor a rule'):
        EventStream('coco17', (480, 640), False, rules=False)


def test_nobody_and_nothing() -> None:
    assert EventStream('coco17', (480, 640), False).close() == []
    stream = EventStream('coco17', (480, 640), False)
    assert [event for t in range(100) for event in stream.feed(t / 25, {})] == []
    assert stream.close() == []


def test_each_frame_is_fitted_a_head_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tracks = acted('nod', np.arange(90) / 15)
    fitted: list[int] = []

    def counted(points: Points) -> np.ndarray:
        fitted.append(len(points.xy))
        return head_angles(points)

    monkeypatch.setattr(stream_rules, 'head_angles', counted)
    stream = EventStream(tracks.skeleton, tracks.image_size)
    found = told_by(stream, tracks)
    assert [event.label for event in found] == ['nod'] and sum(fitted) == tracks.num_frames and len(fitted) > 5
    whole = Points(tracks.keypoints[0], tracks.scores[0], get_skeleton(tracks.skeleton), MIN_SCORE, tracks.image_size)
    given = compute_signals(tracks, angles=head_angles(whole)[None])
    np.testing.assert_array_equal(given.values, compute_signals(tracks).values)
