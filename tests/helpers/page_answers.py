"""A made-up answer: two people, of whom the second leaves halfway, with a model's windows and hostile names."""

from __future__ import annotations

import numpy as np

from bmoe_app.answer import Answer, Event, ModelFacts, Windows
from bmoe_app.signals import compute_signals
from pose_extract.skeletons import get_skeleton
from pose_extract.tracks import PoseTracks

HOSTILE = '=cmd|"/C calc"!A1</script><img src=x onerror=alert(1)>'


def made_up_answer(frames: int = 120, fps: float = 30.0, layout: str = 'blazepose33') -> Answer:
    random = np.random.default_rng(0)
    count = get_skeleton(layout).num_keypoints
    rest = random.uniform((300, 100), (900, 700), (2, 1, count, 2))
    sway = 8 * np.sin(np.arange(frames) / 9)[None, :, None, None]
    places = (rest + sway + random.normal(0, 0.7, (2, frames, count, 2))).astype(np.float32)
    places[1, frames // 2 :] = np.nan
    scores = np.where(np.isnan(places[..., 0]), 0, random.uniform(0.5, 1, (2, frames, count))).astype(np.float32)
    boxes = np.stack([*np.moveaxis(places.min(2), -1, 0), *np.moveaxis(places.max(2), -1, 0)], -1)
    tracks = PoseTracks(places, scores, boxes, np.arange(frames) / fps, (720, 1280), layout)
    times = np.arange(0.5, frames / fps, 0.5)
    chances = random.dirichlet(np.ones(3), len(times))
    windows = [Windows(0, times, chances, random.dirichlet(np.ones(4), len(times)))]
    routing = {'head': 0.7, 'body': 0.1, 'upper': 0.1, 'lower': 0.1}
    events = [
        Event(0.5, 1.2, 0, 'nod', 0.81, 'head', routing),
        Event(1.0, 1.8, 1, HOSTILE, 0.6, None, source='rule'),
        Event(2.0, 3.1, 0, 'shrug', 0.7, 'body', source='rule'),
    ]
    model = ModelFacts('demo.pth', 'ab' * 32, ('nod', 'shrug', HOSTILE), (), 1.0, 0.5, 0.5, 0.2, 0.4, 0.6)
    return Answer(
        f'a/{HOSTILE}.mp4', events, tracks, compute_signals(tracks), model, windows, None,
        {'tilt': 'no ears'}, ['3 frames could not be decoded'],
    )  # fmt: skip
