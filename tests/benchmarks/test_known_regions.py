"""Clips of which the region is known: the class shows in it and nowhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.demo_videos import ACTIONS as DEMO_ACTIONS
from benchmarks.known_regions import DEMO, RHYTHMS, planted_clip, rehearsal_regions, rhythm, wandering, write_planted
from bmoe_skel.datasets.ma52.classes import ACTIONS
from bmoe_skel.datasets.pickles import PosePickleDataset
from pose_extract.skeletons import REGIONS, get_skeleton


def strongest_pace(course: np.ndarray) -> int:
    """Cycles a clip of the largest wave."""
    return int(np.abs(np.fft.rfft(course - course.mean())).argmax())


def test_classes_with_a_known_region_are_classes() -> None:
    assert DEMO.keys() <= DEMO_ACTIONS.keys()
    known = rehearsal_regions()
    assert known.keys() <= set(ACTIONS)
    wanted = {'nodding': 'head', 'waving': 'upper', 'tiptoe': 'lower', 'clenching fist': 'upper'}
    assert {name: known[name] for name in wanted} == wanted
    assert 'shaking body' not in known  # carries head and arms along


@pytest.mark.parametrize('seed', range(5))
def test_rhythms_are_as_strong_as_what_distracts_and_told_apart(seed: int) -> None:
    rng = np.random.default_rng(seed)
    courses = [rhythm(label, rng) for label in range(len(RHYTHMS))]
    for course in (*courses, wandering(rng)):
        assert course.mean() == pytest.approx(0, abs=1e-9) and course.std() == pytest.approx(1)
    slow, fast, step, pulse = courses
    assert strongest_pace(slow) == 2 and strongest_pace(fast) == 6
    assert np.diff(step).min() > -1e-9  # up once, and not down
    assert (pulse > 0).mean() < 0.3


@pytest.mark.parametrize('region', REGIONS)
def test_only_the_planted_region_has_the_rhythm(region: str) -> None:
    layout = get_skeleton('coco17')
    clip = planted_clip(1, region, np.random.default_rng(3), distraction=0.0)[0]
    for name in REGIONS:
        spread = clip[:, list(layout.regions[name])].std(0).max()
        assert (spread > 5) == (name == region)
    course = clip[:, layout.regions[region][0]]
    assert strongest_pace(course[:, course.std(0).argmax()]) == 6


def test_a_planted_set_is_read_and_balanced(tmp_path: Path) -> None:
    write_planted(tmp_path / 'planted.pkl', train=32, test=16)
    test = PosePickleDataset(str(tmp_path / 'planted.pkl'), split='test')
    assert test.metainfo['classes'] == list(RHYTHMS)
    pairs = {(test[i]['frame_dir'].split('/')[0], int(test[i]['label'])) for i in range(len(test))}
    assert pairs == {(region, label) for region in REGIONS for label in range(len(RHYTHMS))}
