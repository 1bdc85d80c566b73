from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pose_files import poses, skeleton_pickle, write_pickle_file

from bmoe_ground.errors import UserError
from bmoe_ground.skeleton_pickle import SkeletonClips, parse_skeletons, read_skeleton_pickle


def parse(content: Any, **kwargs: Any) -> SkeletonClips:
    return parse_skeletons(content, Path('clips.pkl'), **kwargs)


def one(**changes: Any) -> dict[str, Any]:
    """The first annotation of a file of one clip."""
    read = parse(skeleton_pickle(1, **changes))
    assert read.faults == []
    return read.annotations[0]


def fault(**changes: Any) -> str:
    read = parse(skeleton_pickle(1, **changes)['annotations'])
    assert read.annotations == []
    return read.faults[0][1]


def test_the_usual_layout_is_handed_over_as_it_is(tmp_path: Path) -> None:
    content = skeleton_pickle()
    read = read_skeleton_pickle(write_pickle_file(tmp_path / 'a.pkl', content))
    assert read.splits == content['split']
    assert (read.faults, read.notes, read.classes, read.layout) == ([], [], None, None)
    for clip, original in zip(read.annotations, content['annotations'], strict=True):
        assert clip.keys() == original.keys()
        for key in ('keypoint', 'keypoint_score'):
            assert clip[key].dtype == original[key].dtype
            np.testing.assert_array_equal(clip[key], original[key])


def reference(frame_inds: np.ndarray, keypoint: np.ndarray, total: int) -> tuple[np.ndarray, np.ndarray]:
    """The loop of ``DecompressPose`` in mmaction2's mmaction/datasets/transforms/pose_transforms.py."""
    num_person = np.bincount(frame_inds).max()
    new_kp = np.zeros((num_person, total, keypoint.shape[1], 2))
    new_kpscore = np.zeros((num_person, total, keypoint.shape[1]))
    nperson_per_frame = np.zeros(total, int)
    for frame_ind, kp in zip(frame_inds, keypoint, strict=True):
        person_ind = nperson_per_frame[frame_ind]
        new_kp[person_ind, frame_ind] = kp[:, :2]
        new_kpscore[person_ind, frame_ind] = kp[:, 2]
        nperson_per_frame[frame_ind] += 1
    return new_kp, new_kpscore


@pytest.mark.parametrize('base', [0, 1])
def test_packed_rows_are_unpacked_as_mmaction2_does(base: int) -> None:
    inds = np.array([0, 0, 1, 3, 3, 3, 7])
    rows = poses(1, 7, 17)[0].astype(np.float16)
    content = skeleton_pickle(1, keypoint=rows, frame_inds=(inds + base).astype(np.int16), box_score=np.ones(7))
    del content['annotations'][0]['keypoint_score']
    read = parse(content)
    clip = read.annotations[0]
    keypoint, score = reference(inds, rows, 8)
    np.testing.assert_array_equal(clip['keypoint'], keypoint)
    np.testing.assert_array_equal(clip['keypoint_score'], score)
    assert clip['total_frames'] == 8
    assert not {'frame_inds', 'box_score'} & clip.keys()
    assert any('packed' in note for note in read.notes)


def test_packed_rows_with_scores_beside_them_and_chosen_ones() -> None:
    rows = poses(1, 6, 17)[0]
    clip = one(
        keypoint=rows[..., :2],
        keypoint_score=rows[..., 2],
        frame_inds=np.array([0, 0, 1, 2, 3, 4]),
        anno_inds=np.array([0, 2, 3]),
        total_frames=5,
    )
    assert clip['keypoint'].shape == (1, 5, 17, 2)
    np.testing.assert_allclose(clip['keypoint'][0, [0, 1, 2]], rows[[0, 2, 3], :, :2], rtol=1e-6)
    np.testing.assert_allclose(clip['keypoint_score'][0, [0, 1, 2]], rows[[0, 2, 3], :, 2], rtol=1e-6)
    assert (clip['keypoint_score'][0, 3:] == 0).all()


@pytest.mark.parametrize(
    ('changes', 'reason'),
    [
        ({'frame_inds': np.arange(8), 'keypoint': np.ones((8, 17, 4))}, 'beside frame_inds'),
        ({'frame_inds': np.arange(8), 'keypoint': np.ones((7, 17, 3))}, 'beside frame_inds'),
        ({'frame_inds': [0, 1], 'keypoint': np.ones((2, 17, 3))}, 'frame_inds: expected whole numbers'),
        ({'frame_inds': np.array([-1, 9]), 'keypoint': np.ones((2, 17, 3)), 'keypoint_score': None}, 'total_frames is'),
        (
            {'frame_inds': np.array([0]), 'keypoint': np.ones((1, 17, 3)), 'total_frames': 9_000_000,
             'keypoint_score': None},
            'too many',
        ),
        ({'total_frames': 10**12}, 'total_frames'),
        ({'keypoint': np.ones((0, 10**9, 17, 2))}, 'keypoint: expected shape'),
        ({'keypoint': np.ones((8, 17, 2))}, 'keypoint: expected shape'),
        ({'keypoint': ((1,),)}, 'array of numbers'),
        ({'keypoint_score': np.ones((1, 7, 17))}, 'keypoint_score: expected shape'),
        ({'keypoint_score': 'x'}, 'keypoint_score: expected an array'),
        ({'img_shape': (0, 5)}, 'img_shape'),
        ({'img_shape': 'x'}, 'img_shape'),
        ({'img_shape': (1e300, 3)}, 'img_shape'),
        ({'label': 10**9}, 'label: expected a number below'),
        ({'label': {'a': 1}}, 'label'),
        ({'label': 2.5}, 'label'),
        ({'frame_dir': ''}, 'has no name'),
        ({'frame_dir': ['a']}, 'expected a text'),
    ],
)  # fmt: skip
def test_one_wrong_field_is_the_fault_of_that_clip(changes: dict[str, Any], reason: str) -> None:
    assert reason in fault(**changes)


def test_scores_in_the_third_place() -> None:
    truth = poses(1, 8, 17).astype(np.float32)
    content = skeleton_pickle(2, keypoint=truth)
    for clip in content['annotations']:
        del clip['keypoint_score']
    read = parse(content)
    for clip in read.annotations:
        np.testing.assert_array_equal(clip['keypoint'], truth[..., :2])
        np.testing.assert_array_equal(clip['keypoint_score'], truth[..., 2])
    assert any('as their score' in note for note in read.notes)
    assert parse(content, third='depth').annotations[0]['keypoint'].shape[3] == 3


def test_depth_is_left_alone_and_what_could_be_both_is_asked() -> None:
    metres = np.random.default_rng(0).normal(0, 1, (1, 8, 25, 3))
    assert one(keypoint=metres, keypoint_score=None)['keypoint'].shape[3] == 3
    millimetres = 1000 * metres
    assert one(keypoint=millimetres, keypoint_score=None)['keypoint'].shape[3] == 3
    shares = np.random.default_rng(0).uniform(0, 1, (1, 8, 25, 3))
    with pytest.raises(UserError, match=r"third='score' or third='depth'.*dataset\.third=score"):
        one(keypoint=shares, keypoint_score=None)
    told = parse(skeleton_pickle(1, keypoint=shares, keypoint_score=None), third='score').annotations[0]
    np.testing.assert_allclose(told['keypoint_score'], shares[..., 2], rtol=1e-6)


@pytest.mark.parametrize('label', [None, -1, '', np.array(-1), float('-1')])
def test_clips_without_a_label(label: Any) -> None:
    assert one(label=label)['label'] is None


@pytest.mark.parametrize('label', [2, 2.0, np.int64(2), np.array([2]), np.float32(2), '2', b'2'])
def test_labels_that_are_numbers(label: Any) -> None:
    assert one(label=label)['label'] == 2


def test_labels_that_are_texts_are_classes() -> None:
    content = skeleton_pickle(4)
    for clip, label in zip(content['annotations'], ['wave', 'nod', np.str_('wave'), b'shrug'], strict=True):
        clip['label'] = label
    read = parse(content)
    assert read.classes == ['nod', 'shrug', 'wave']
    assert [clip['label'] for clip in read.annotations] == [2, 0, 2, 1]
    read = parse({**content, 'metainfo': {'classes': ['wave', 'nod']}})
    assert [clip['label'] for clip in read.annotations] == [0, 1, 0]
    assert 'shrug' in read.faults[0][1]
    assert parse(content, classes=['shrug', 'nod', 'wave']).annotations[3]['label'] == 0


def test_texts_and_numbers_do_not_mix() -> None:
    content = skeleton_pickle(3)
    content['annotations'][1]['label'] = 'nod'
    read = parse(content)
    assert [clip['label'] for clip in read.annotations] == [0, 2]
    assert "label 'nod': unknown" in read.faults[0][1]


def test_labels_beyond_the_classes() -> None:
    read = parse({**skeleton_pickle(3), 'metainfo': {'classes': ['a', 'b']}})
    assert read.faults == [('clip2', 'label 2 is not in 0..1 (2 classes)')]


def test_several_classes_at_once() -> None:
    np.testing.assert_array_equal(one(label=[0, 1, 1])['label'], [0, 1, 1])


def test_splits_of_other_types() -> None:
    content = skeleton_pickle(4)
    content['split'] = {'a': np.array(['clip0', 'clip1']), 'b': ('clip2',), 3: {'clip3'}}
    assert parse(content).splits == {'a': ['clip0', 'clip1'], 'b': ['clip2'], '3': ['clip3']}
    bare = parse_skeletons(content['annotations'], Path('MA52_train.pkl'))
    assert bare.splits == {'train': ['clip0', 'clip1', 'clip2', 'clip3']}


@pytest.mark.parametrize(
    'content',
    [
        5, None, {}, {'annotations': 5}, {'annotations': [], 'split': [1]}, {'annotations': [], 'split': {'a': 5}},
        {'annotations': [], 'split': {'a': [[1]]}}, {'annotations': [], 'metainfo': [1]},
        {'annotations': [], 'metainfo': {'classes': 5}}, {'annotations': [], 'metainfo': {'layout': 5}},
    ],
)  # fmt: skip
def test_files_of_something_else(content: Any) -> None:
    with pytest.raises(UserError, match=r'clips\.pkl: '):
        parse(content)


def test_keypoints_as_json_gives_them() -> None:
    truth = one()['keypoint']
    np.testing.assert_array_equal(one(keypoint=truth.tolist())['keypoint'], truth)
    assert 'inhomogeneous' in fault(keypoint=[[[[1.0, 2.0]], [[3.0]]]])


def test_labels_below_the_first() -> None:
    content = skeleton_pickle(2)
    content['annotations'][0]['label'] = 1
    content['annotations'][1]['label'] = 0
    read = parse(content, first_label=1)
    assert [clip['label'] for clip in read.annotations] == [0]
    assert read.faults == [('clip1', 'label 0 is below first_label=1')]


def test_a_second_clip_of_one_name() -> None:
    content = skeleton_pickle(2)
    content['annotations'][1]['frame_dir'] = 'clip0'
    read = parse(content)
    assert (len(read.annotations), read.faults) == (1, [('clip0', 'a second clip of this name')])
