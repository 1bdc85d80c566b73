from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.box.few_shot import deal, write_part
from bmoe_ground.errors import UserError
from bmoe_ground.skeleton_pickle import SkeletonClips, read_skeleton_pickle


def make_clips() -> SkeletonClips:
    rng = np.random.default_rng(0)
    clips = [
        {'frame_dir': f'c{k}', 'label': k % 3, 'subject': k // 6, 'keypoint': rng.random((1, 5, 17, 2))}
        for k in range(60)
    ]
    return SkeletonClips(clips, classes=['a', 'b', 'c'], layout='coco17')


def test_tests_are_the_same_for_every_count_and_share_no_subject() -> None:
    clips = make_clips()
    few, test = deal(clips, 2, 5, 'subject')
    more, same = deal(clips, 4, 5, 'subject')
    assert test == same and set(few) < set(more) and len(test) == 24
    assert [clips.annotations[k]['label'] for k in few].count(1) == 2
    sides = [{clips.annotations[k]['subject'] for k in side} for side in (more, test)]
    assert not sides[0] & sides[1]
    assert deal(clips, 2, 6, 'subject')[1] != test
    with pytest.raises(UserError, match='--by view: not every clip says its view'):
        deal(clips, 2, 5, 'view')


def test_the_part_is_read_back(tmp_path: Path) -> None:
    clips = make_clips()
    train, test = deal(clips, 2, 0, None)
    write_part(clips, train, test, tmp_path / 'part.pkl')
    again = read_skeleton_pickle(tmp_path / 'part.pkl')
    assert again.splits['train'] == [f'c{k}' for k in train] and len(again.annotations) == len(train) + len(test)
    assert (again.layout, again.classes) == ('coco17', ['a', 'b', 'c'])
