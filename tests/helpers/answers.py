"""A made-up answer of two people, with labels that try every format."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bmoe_app.answer import Answer, Event
from bmoe_app.signals import compute_signals
from pose_extract.tracks import PoseTracks

HOSTILE = '=1+1 "<b>&{x}'


def made_up_answer(events: list[Event] | None = None, people: int = 2, video: Path | None = None) -> Answer:
    keypoints = np.random.default_rng(0).uniform(5, 95, (people, 50, 17, 2)).astype(np.float32)
    scores = np.full((people, 50, 17), 0.5, np.float32)
    keypoints[:, 3, 2], scores[:, 3, 2] = np.nan, 0
    boxes = np.tile(np.array([0, 0, 100, 100], np.float32), (people, 50, 1))
    tracks = PoseTracks(keypoints, scores, boxes, np.arange(50) / 25, (100, 100), 'coco17', {})
    if events is None:
        weights = {'head': 0.7, 'body': 0.1, 'upper': 0.1, 'lower': 0.1}
        events = [
            Event(0.2, 0.8, 0, 'nod', 0.7, 'head', weights),
            Event(0.5, 1.2, 0, HOSTILE, 0.25, None, source='rule'),
            Event(1.2, 1.6, 0, 'भाषा \u200d結', 1.0, 'upper', source='person'),
            Event(1.0, 1.0, 1, "'-x", 0.5, 'lower'),
        ]
    return Answer('a.mp4', events, tracks, compute_signals(tracks), video=video)
