"""The answer as a whole: its duration and what is written of it."""

from __future__ import annotations

import json

import numpy as np

from bmoe_app.answer import Answer, Event, ModelFacts
from bmoe_app.signals import compute_signals
from pose_extract.tracks import PoseTracks


def _tracks(frames: int) -> PoseTracks:
    keypoints = np.random.default_rng(0).uniform(0, 100, (2, frames, 17, 2)).astype(np.float32)
    scores = np.ones((2, frames, 17), np.float32)
    keypoints[1, 1:], scores[1, 1:] = np.nan, 0
    boxes = np.tile(np.array([0, 0, 100, 100], np.float32), (2, frames, 1))
    boxes[1, 1:] = np.nan
    return PoseTracks(keypoints, scores, boxes, np.arange(frames) / 25, (100, 100), 'coco17', {})


def test_duration_counts_the_last_frame() -> None:
    tracks = _tracks(50)
    assert Answer('a.mp4', [], tracks, compute_signals(tracks)).seconds == 2.0
    single = _tracks(1)
    assert Answer('a.mp4', [], single, compute_signals(single)).seconds == 0.0


def test_as_dict_is_json_and_counts_frames_with_somebody() -> None:
    tracks = _tracks(50)
    model = ModelFacts('best.pth', 'ab', ('nod', 'nothing'), ('nothing',), 1.0, 0.2, 0.5, 0.2, 0.2, 0.5)
    answer = Answer('a.mp4', [Event(0, 1, 0, 'nod', 0.5)], tracks, compute_signals(tracks), model, notes=['a guess'])
    written = json.loads(json.dumps(answer.as_dict()))
    assert written['frames_seen'] == [50, 1]
    assert written['model']['nothing'] == ['nothing']
    assert (written['events'][0]['label'], written['notes'], written['seconds']) == ('nod', ['a guess'], 2.0)
