from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.box.body import NAMES
from benchmarks.box.generate import FRAMES, can_be_seen, make_clips, write_clips
from bmoe_ground.errors import UserError
from bmoe_skel.datasets.pickles import PosePickleDataset
from bmoe_skel.taxonomy import CLASSES, NOTHING


def test_the_same_seed_gives_the_same_clips_and_another_others() -> None:
    first, again, other = (list(make_clips(20, seed)) for seed in (3, 3, 4))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one['keypoint'], two['keypoint'])
        assert one['label'] == two['label']
    assert any(len(a['keypoint'][0]) != len(b['keypoint'][0]) for a, b in zip(first, other, strict=False))


def test_a_data_set_reads_them(tmp_path: Path) -> None:
    counts = write_clips(tmp_path / 'box.pkl', 300, 30, 0, ('errors',))
    clips = PosePickleDataset(str(tmp_path / 'box.pkl'), split='train')
    assert counts['train'] == len(clips) > 290
    assert clips.metainfo['classes'] == list(CLASSES) and clips.metainfo['skeleton'] == 'common29'
    labels = [clips[n]['label'] for n in range(len(clips))]
    assert 0.2 < np.mean(np.array(labels) == CLASSES.index(NOTHING)) < 0.4
    assert len(set(labels)) == len(CLASSES)
    assert all(FRAMES[0] <= clips[n]['keypoint'].shape[1] <= FRAMES[1] for n in range(20))


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(UserError, match='--without sound: choose of errors, cameras, idle'):
        list(make_clips(1, 0, ('sound',)))


def test_a_movement_of_what_is_out_of_sight_cannot_be_seen() -> None:
    scores = np.zeros((40, len(NAMES)))
    scores[:, NAMES.index('nose')] = 0.9
    scores[:8, NAMES.index('left_wrist')] = 0.5  # a fifth of the frames
    scores[:7, NAMES.index('right_knee')] = 0.5
    seen = [can_be_seen(name, scores) for name in ('nod', 'lean_left', 'gesture', 'leg_shaking', 'shrug', NOTHING)]
    assert seen == [True, True, True, False, False, True]
