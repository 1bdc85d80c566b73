from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.box.few_shot import by_features, deal, write_part
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


def test_features_alone_tell_what_the_box_sees(tmp_path: Path) -> None:
    """Two classes that differ by which arm moves; labels dealt out at random tell nothing."""
    rng = np.random.default_rng(0)
    body = rng.random((17, 2)) + np.linspace(0, 4, 17)[:, None]
    clips = []
    for number in range(24):
        keypoint = np.repeat(body[None, None], 30, axis=1) + rng.normal(0, 0.01, (1, 30, 17, 2))
        keypoint[:, :, (9, 10)[number % 2]] += np.sin(np.arange(30) / 3)[None, :, None]
        clips.append({'frame_dir': f'c{number}', 'label': number % 2, 'total_frames': 30, 'keypoint': keypoint})
    known = SkeletonClips(clips, classes=['left', 'right'], layout='coco17')
    write_part(known, range(16), range(16, 24), tmp_path / 'part.pkl')
    assert by_features(tmp_path / 'part.pkl', []) > 0.9
    for number, clip in enumerate(clips):
        clip['label'] = number // 2 % 2
    write_part(known, range(16), range(16, 24), tmp_path / 'odd.pkl')
    assert by_features(tmp_path / 'odd.pkl', []) < 0.9
