"""The demo's continuous take: nothing leaps, and every action is where its table says."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.demo_take import MOVING, make_demo_take, sample_take
from benchmarks.demo_videos import ACTIONS, FPS, MOVEMENTS, sample_motion
from bmoe_ground.errors import UserError


def test_each_action_comes_as_often_as_asked_and_moves_its_own_part() -> None:
    motion, events = sample_take(2, 40, 20, np.random.default_rng(3))
    assert sorted(event.label for event in events) == sorted(MOVING * 2)
    for event in events:
        part = slice(round(event.start * FPS), round(event.end * FPS) + 1)
        extent = {name: np.ptp(curve[part]) / MOVEMENTS[name].smallest for name, curve in motion.movements.items()}
        driven = ACTIONS[event.label]
        assert driven is not None
        assert max(extent, key=lambda name: extent[name]) == driven[0]
        assert extent[driven[0]] > 0.6


def test_rests_are_as_calm_as_a_clip_in_which_nothing_moves() -> None:
    motion, events = sample_take(1, 40, 20, np.random.default_rng(5))
    resting = np.ones(len(motion.gain), bool)
    for event in events:
        resting[round(event.start * FPS) : round(event.end * FPS) + 1] = False
    still = [sample_motion('still', len(resting), np.random.default_rng(seed)) for seed in range(20)]
    for name, curve in motion.movements.items():
        most = max(np.std(one.movements[name]) for one in still)
        assert np.std(curve[resting]) <= 1.5 * most


def test_nothing_leaps_where_an_action_begins_or_ends() -> None:
    motion, events = sample_take(1, 40, 20, np.random.default_rng(7))
    edges = [round(event.start * FPS) for event in events] + [round(event.end * FPS) + 1 for event in events]
    for name, curve in motion.movements.items():
        steps = np.abs(np.diff(curve))
        assert steps[np.array(edges) - 1].max() <= 0.2 * MOVEMENTS[name].largest


def test_files(tmp_path: Path) -> None:
    events = make_demo_take(tmp_path / 'take.mp4', 1, 64, 0)
    with (tmp_path / 'take.mp4.truth.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert [row['label'] for row in rows] == [event.label for event in events]
    assert float(rows[-1]['end']) == pytest.approx(events[-1].end)
    frames = int(cv2.VideoCapture(str(tmp_path / 'take.mp4')).get(cv2.CAP_PROP_FRAME_COUNT))
    assert frames == 20 + len(events) * 60


def test_numbers_out_of_range_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='rounds is 0; expected 1 to 100'):
        make_demo_take(tmp_path / 'take.mp4', 0, 64, 0)
