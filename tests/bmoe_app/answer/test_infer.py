"""From tracks and videos to an answer: rules, a model, both or neither's finding."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pose_fixtures import VideoMaker
from skeleton_clips import write_checkpoint

from benchmarks.moving_people import acted, tracks_of
from bmoe_app.answer import ModelSettings, answer_tracks, answer_video
from bmoe_app.answer.infer import is_partial, load_recognizer
from bmoe_app.rules import find_events
from bmoe_app.signals import compute_signals
from bmoe_ground.errors import UserError
from pose_extract.tracks import save_tracks

TIMES = np.arange(200) / 30


def test_without_a_model_the_rules_answer(tmp_path: Path) -> None:
    tracks = acted('nod', TIMES)
    save_tracks(tmp_path / 'a.mp4.npz', tracks)
    answer = answer_tracks(tmp_path / 'a.mp4.npz', model=False)
    found = find_events(compute_signals(tracks)).events
    assert [(e.start, e.end, e.label, e.score, e.region) for e in answer.events] == [
        (e.start, e.end, e.label, e.score, e.region) for e in found
    ]
    assert 'nod' in {event.label for event in answer.events}
    assert {event.source for event in answer.events} == {'rule'}
    assert (answer.name, answer.model, answer.windows, answer.video) == ('a.mp4', None, [], None)


def test_model_and_rules_stand_side_by_side_sorted(tmp_path: Path) -> None:
    tracks = acted('nod', TIMES)
    asked = load_recognizer(ModelSettings(write_checkpoint(tmp_path / 'm.pth', tracks.skeleton), threshold=0.0))
    both = answer_tracks(tracks, asked)
    assert {event.source for event in both.events} == {'rule', 'model'}
    assert both.events == sorted(both.events, key=lambda e: (e.start, e.person, e.end, e.source, e.label))
    alone = answer_tracks(tracks, asked, rules=False)
    assert {event.source for event in alone.events} == {'model'}
    assert alone.events == [event for event in both.events if event.source == 'model']
    assert alone.not_looked_for == {}
    assert load_recognizer(asked) is asked
    assert load_recognizer(False) is None


def test_that_frames_were_passed_over_is_said() -> None:
    tracks = acted('nod', TIMES[::3])
    for asked, notes in (
        ({'stride': 3}, ['of every 3 frames one was looked at: quick movements may be missed']),
        ({'stride': 1}, []),
        ({}, []),
        ({'stride': 'x'}, []),
        (None, []),
    ):
        made = replace(tracks, provenance={**tracks.provenance, 'asked': asked})
        assert answer_tracks(made, model=False).notes == notes


def test_the_default_model_reads_what_it_can_and_says_so() -> None:
    nod = answer_tracks(acted('nod', TIMES))
    assert nod.model is not None and nod.model.checkpoint == 'everyday.pth' and nod.windows[0].scores.shape[1] == 27
    assert any('coco17 has no left_mouth' in note for note in nod.notes)


def test_nobody_one_frame_and_no_face_are_answers() -> None:
    nobody = answer_tracks(tracks_of(np.full((0, 3, 17, 2), np.nan), TIMES[:3], 'coco17'), False)
    assert (nobody.events, nobody.tracks.num_persons) == ([], 0)
    points = np.random.default_rng(0).uniform(0, 99, (1, 30, 20, 2))
    single = answer_tracks(tracks_of(points[:, :1, :17], TIMES[:1], 'coco17'), False)
    assert (single.events, single.seconds) == ([], 0.0)
    kinect = answer_tracks(tracks_of(points, TIMES[:30], 'kinect20'), False)
    assert 'too few face points' in kinect.not_looked_for['nod']


def test_what_the_extraction_said_goes_along() -> None:
    tracks = acted('nod', TIMES)
    tracks.provenance = {'status': 'partial', 'error': 'it breaks off at 3 s', 'notes': ['2 frames guessed', 7]}
    answer = answer_tracks(tracks, False)
    assert answer.notes == ['the video was not read whole: it breaks off at 3 s', '2 frames guessed']
    assert is_partial(tracks)
    tracks.provenance = {'notes': 'no list'}
    assert answer_tracks(tracks, False).notes == []


@pytest.mark.usefixtures('block_backend')
def test_a_video_is_extracted_and_answered(make_video: VideoMaker, tmp_path: Path) -> None:
    video = make_video('clip.mp4')
    answer = answer_video(video, write_checkpoint(tmp_path / 'best.pth'), backend='mediapipe', max_persons=1)
    assert (answer.name, answer.video, answer.tracks.num_frames) == ('clip.mp4', video, 12)
    assert answer.model is not None and answer.model.checkpoint == 'best.pth'
    with pytest.raises(UserError, match='checkpoint not found'):
        answer_video(tmp_path / 'not_looked_at.mp4', tmp_path / 'none.pth')
