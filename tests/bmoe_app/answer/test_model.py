"""A trained model asked about tracks: windows by what the checkpoint knows, layouts, classes that mean nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skeleton_clips import write_checkpoint, write_recording, write_tracks

from bmoe_app.answer.merge import smooth
from bmoe_app.answer.model import Recognizer
from bmoe_app.answer.settings import ModelSettings
from bmoe_ground.errors import UserError
from bmoe_skel.inferencer import MicroActionInferencer
from bmoe_skel.scan import strongest_region
from pose_extract.skeletons import get_skeleton
from pose_extract.tracks import PoseTracks, load_tracks


def recording(folder: Path, frames: int = 150, persons: int = 1) -> PoseTracks:
    write_recording(folder / 'long.npz', frames, persons)
    return load_tracks(folder / 'long.npz')


@pytest.mark.parametrize(
    ('described', 'window', 'stride'),
    [
        ({'clip_seconds': [1.0, 1.6]}, 1.0, 0.25),
        ({'clip_seconds': [3.0, 6.0]}, None, None),  # 6 s are no longer than its training clips
        ({'clip_seconds': [3.0, 5.9]}, 3.0, 0.75),
        ({}, 2.0, 0.5),
    ],
)
def test_windows_are_as_long_as_the_training_clips(
    tmp_path: Path, described: dict[str, object], window: float | None, stride: float | None
) -> None:
    asked = Recognizer(ModelSettings(write_checkpoint(tmp_path / 'best.pth', **described)))
    said = asked(recording(tmp_path))
    assert (said.facts.window, said.facts.stride) == (window, stride)
    assert any('does not say how long' in note for note in said.notes) is not bool(described)
    assert len(said.windows[0].times) == (1 if window is None else len(np.arange(0, 149 / 25 - window, stride)) + 1)


def test_the_window_that_was_asked_for_counts(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / 'best.pth', clip_seconds=[1.0, 1.6])
    said = Recognizer(ModelSettings(checkpoint, window=2.5, stride=1.0))(recording(tmp_path))
    assert (said.facts.window, said.facts.stride) == (2.5, 1.0)
    assert not any('does not say' in note for note in said.notes)


def test_scores_are_those_of_the_inferencer_smoothed(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / 'best.pth', clip_seconds=[1.0, 1.6])
    tracks = recording(tmp_path, persons=2)
    said = Recognizer(ModelSettings(checkpoint, threshold=0.0))(tracks)
    inferencer = MicroActionInferencer(checkpoint)
    plain = inferencer.scan(tracks, 1.0, 0.25, 0.5)
    for one, raw in zip(said.windows, plain, strict=True):
        middles = tracks.frame_times[raw.spans - [0, 1]].mean(1)
        np.testing.assert_allclose(one.times, middles)
        np.testing.assert_allclose(one.scores, smooth(raw.scores, middles, 0.5))
        np.testing.assert_allclose(one.routing, smooth(raw.routing, middles, 0.5))
        mine = [event for event in said.events if event.person == one.person]
        assert mine[0].start == 0.0 and mine[-1].end == tracks.frame_times[-1]  # at threshold 0 somebody always acts
        assert {event.label for event in mine} == {said.facts.classes[k] for k in one.scores.argmax(1)}
        for event in mine:
            number = said.facts.classes.index(event.label)
            inside = np.flatnonzero((middles >= event.start) & (middles <= event.end))
            best = inside[one.scores[inside, number].argmax()]
            span = (int(raw.spans[best, 0]), int(raw.spans[best, 1]))
            parts = inferencer.attribute_span(tracks, one.person, span, number)
            assert event.region == strongest_region(parts)


def test_facts_name_the_file_and_what_means_nothing(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / 'best.pth', classes=['Nothing', 'head', 'legs'])
    facts = Recognizer(ModelSettings(path, nothing=('legs',)))(recording(tmp_path)).facts
    assert (facts.checkpoint, facts.nothing) == ('best.pth', ('Nothing', 'legs'))
    assert facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(UserError, match=r"nothing: 'arm' is no class of .*best\.pth; its classes: Nothing, head, legs"):
        Recognizer(ModelSettings(path, nothing=('arm',)))


@pytest.mark.parametrize(
    ('asked', 'max_gap', 'nms_seconds'),
    [({}, 0.5, 1.0), ({'max_gap': 0.0, 'nms_seconds': 0.0}, 0.0, 0.0), ({'max_gap': 0.3, 'window': 3.0}, 0.3, 1.5)],
)
def test_facts_say_how_windows_became_events(
    tmp_path: Path, asked: dict[str, Any], max_gap: float, nms_seconds: float
) -> None:
    path = write_checkpoint(tmp_path / 'best.pth')  # windows of 2 s, one every half second
    facts = Recognizer(ModelSettings(path, **asked))(recording(tmp_path)).facts
    assert (facts.max_gap, facts.nms_seconds) == (max_gap, nms_seconds)


def test_nothing_is_a_result_that_says_what_came_nearest(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / 'best.pth')
    said = Recognizer(ModelSettings(path, threshold=1.0))(recording(tmp_path))
    assert said.events == []
    assert said.notes[-1].startswith('the model names no event (threshold 1, at least 0.2 s); the likeliest was ')
    always = Recognizer(ModelSettings(path, threshold=0.0, nothing=('arms', 'head', 'legs')))(recording(tmp_path))
    assert always.events == []


def test_another_layout_is_turned_into_the_models_and_said(tmp_path: Path) -> None:
    plain = load_tracks(write_tracks(tmp_path / 'poses', 1) / 'head' / 'head_00.mp4.npz')
    names = get_skeleton('halpe26').keypoints
    keypoints = np.full((1, plain.num_frames, len(names), 2), np.nan, np.float32)
    scores = np.zeros(keypoints.shape[:3], np.float32)
    for k, name in enumerate(get_skeleton('coco17').keypoints):
        keypoints[:, :, names.index(name)], scores[:, :, names.index(name)] = plain.keypoints[:, :, k], 1
    other = PoseTracks(keypoints, scores, plain.boxes, plain.frame_times, plain.image_size, 'halpe26')
    asked = Recognizer(ModelSettings(write_checkpoint(tmp_path / 'best.pth'), threshold=0.0))
    mine, theirs = asked(plain), asked(other)
    assert theirs.events == mine.events
    assert any('the keypoints of halpe26 were turned into coco17' in note for note in theirs.notes)
    kinect = PoseTracks(keypoints[:, :, :20], scores[:, :, :20], plain.boxes, plain.frame_times, (9, 9), 'kinect20')
    with pytest.raises(
        UserError, match=r'best\.pth reads coco17: kinect20 cannot become coco17: it has nothing for nose'
    ):
        asked(kinect)


def test_one_frame_and_nobody(tmp_path: Path) -> None:
    asked = Recognizer(ModelSettings(write_checkpoint(tmp_path / 'best.pth'), threshold=0.0))
    tracks = recording(tmp_path)
    single = PoseTracks(tracks.keypoints[:, :1], tracks.scores[:, :1], tracks.boxes[:, :1], [0.0], (9, 9), 'coco17')
    assert asked(single).events == []  # shorter than the shortest event
    nobody = PoseTracks(tracks.keypoints[:0], tracks.scores[:0], tracks.boxes[:0], tracks.frame_times, (9, 9), 'coco17')
    assert (asked(nobody).events, asked(nobody).windows) == ([], [])
    hidden = PoseTracks(
        np.full_like(tracks.keypoints, np.nan), tracks.scores * 0, tracks.boxes, tracks.frame_times, (9, 9), 'coco17'
    )
    assert 'the model was not asked: nobody is seen long enough' in asked(hidden).notes


def test_an_exported_model_answers_as_its_checkpoint(tmp_path: Path) -> None:
    pytest.importorskip('onnxruntime')
    pytest.importorskip('onnx')
    from bmoe_skel.export.recognizer import export_recognizer

    checkpoint = write_checkpoint(tmp_path / 'best.pth', clip_seconds=[1.0, 1.6])
    export_recognizer(checkpoint, tmp_path / 'best.onnx')
    tracks = recording(tmp_path, persons=2)
    wanted = Recognizer(ModelSettings(checkpoint, threshold=0.3))(tracks)
    found = Recognizer(ModelSettings(tmp_path / 'best.onnx', threshold=0.3))(tracks)
    assert (found.facts.window, found.facts.stride) == (1.0, 0.25)
    for one, other in zip(found.windows, wanted.windows, strict=True):
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-4)
        assert one.routing is not None and other.routing is not None
        np.testing.assert_allclose(one.routing, other.routing, atol=1e-4)
    assert [e.label for e in found.events] == [e.label for e in wanted.events]
    with pytest.raises(UserError, match="run on the cpu here, got 'cuda'"):
        Recognizer(ModelSettings(tmp_path / 'best.onnx', device='cuda'))
