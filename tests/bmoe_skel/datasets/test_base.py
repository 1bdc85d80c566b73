from __future__ import annotations

import os
import pickle

import numpy as np
import pytest
import torch
from skeleton_clips import write_tracks

from bmoe_ground.errors import UserError
from bmoe_skel.datasets import PosePickleDataset, TrackDataset
from bmoe_skel.datasets.base import usual_seconds
from bmoe_skel.datasets.folds import fold_mask
from bmoe_skel.datasets.tracks import read_annotations
from pose_extract.skeletons import get_skeleton

PIPELINE = [
    {'type': 'bmoe_skel.NormalizePose'},
    {'type': 'bmoe_skel.SampleFrames', 'num_frames': 8},
    {'type': 'bmoe_skel.RandomJitter', 'joint': 0.1},
    {'type': 'bmoe_skel.PackPose'},
]


def annotation(i: int, **kwargs):
    rng = np.random.default_rng(i)
    return {
        'frame_dir': f'clip{i}',
        'label': i % 3,
        'total_frames': 10,
        'keypoint': rng.normal(size=(1, 10, 17, 2)).astype(np.float32),
        'subject': i % 4,
        **kwargs,
    }


@pytest.fixture
def pickled(tmp_path):
    def write(annotations=None, **kwargs):
        annotations = [annotation(i) for i in range(12)] if annotations is None else annotations
        names = [a.get('frame_dir') for a in annotations]
        content = {
            'split': {'train': names[:8], 'test': names[8:]},
            'annotations': annotations,
            'metainfo': {'classes': ['a', 'b', 'c'], 'layout': 'coco17'},
            **kwargs,
        }
        path = tmp_path / 'clips.pkl'
        path.write_bytes(pickle.dumps(content))
        return str(path)

    return write


class TestPickle:
    def test_clips_are_brought_to_another_layout(self, pickled) -> None:
        plain, brought = (PosePickleDataset(pickled(), split='train', layout=one) for one in (None, 'common29'))
        assert brought.metainfo['skeleton'] == 'common29' and brought.metainfo['classes'] == ['a', 'b', 'c']
        before, after = (clips.get_data_info(0) for clips in (plain, brought))
        names = get_skeleton('common29').keypoints
        left = get_skeleton('coco17').index('left_wrist')
        np.testing.assert_array_equal(
            after['keypoint'][:, :, names.index('left_wrist')], before['keypoint'][:, :, left]
        )
        assert np.isnan(after['keypoint'][:, :, names.index('left_thumb')]).all()
        assert set(after['keypoint_score'][0, 0, [names.index('left_wrist'), names.index('left_thumb')]]) == {0, 1}
        with pytest.raises(UserError, match='layout=kinect20: coco17 cannot become kinect20'):
            PosePickleDataset(pickled(), split='train', layout='kinect20')

    def test_depth_is_left_out_of_the_common_layout(self, pickled) -> None:
        rng = np.random.default_rng(0)
        deep = [annotation(i, keypoint=rng.normal(size=(1, 10, 20, 3)).astype(np.float32)) for i in range(12)]
        path = pickled(deep, metainfo={'classes': ['a', 'b', 'c'], 'layout': 'kinect20'})
        clips = PosePickleDataset(path, split='train', layout='common29')
        assert clips.metainfo['coordinates'] == 2 and clips.get_data_info(0)['keypoint'].shape == (1, 10, 29, 2)

    def test_reads_split_classes_and_skeleton(self, pickled) -> None:
        train, test = (PosePickleDataset(pickled(), split=s) for s in ('train', 'test'))
        assert (len(train), len(test)) == (8, 4)
        assert train.metainfo['classes'] == ['a', 'b', 'c']
        assert train.metainfo['skeleton'] == 'coco17'
        assert train.metainfo['coordinates'] == 2
        assert train.metainfo['class_counts'] == [3, 3, 2]
        assert len(PosePickleDataset(pickled(), split='train+test')) == 12

    def test_reads_a_bare_list_and_filename(self, tmp_path) -> None:
        clips = [annotation(i) for i in range(4)]
        for clip in clips:
            clip['filename'] = clip.pop('frame_dir')
        (tmp_path / 'list.pkl').write_bytes(pickle.dumps(clips))
        dataset = PosePickleDataset(str(tmp_path / 'list.pkl'), skeleton='coco17')
        assert [dataset.get_data_info(i)['frame_dir'] for i in range(4)] == ['clip0', 'clip1', 'clip2', 'clip3']
        assert dataset.metainfo['classes'] == ['0', '1', '2']

    def test_zeros_are_absent_where_there_are_no_scores(self, pickled) -> None:
        clips = [annotation(i) for i in range(12)]
        for clip in clips:
            clip['keypoint'] = np.concatenate([clip['keypoint'], np.zeros_like(clip['keypoint'])])
            clip['keypoint'][:, :, 0] = 0  # the joint that all clips are centred on
        clips[2]['keypoint'][0, 3, 5] = 0
        clips[4]['keypoint'][0, 7] = 0
        dataset = PosePickleDataset(pickled(clips))
        absent = [np.isnan(dataset.get_data_info(i)['keypoint']).all(-1) for i in range(12)]
        assert [int(a.sum()) for a in absent] == [0, 0, 1, 0, 17, *[0] * 7]
        assert absent[2][0, 3, 5]
        assert absent[4][0, 7].all()
        assert dataset.metainfo['persons'] == 1  # the second one is never there

    def test_a_joint_that_one_clip_never_shows_is_absent_there(self, pickled) -> None:
        clips = [annotation(i) for i in range(12)]
        clips[2]['keypoint'][0, :, 5] = 0
        keypoint = PosePickleDataset(pickled(clips)).get_data_info(2)['keypoint']
        assert np.isnan(keypoint[0, :, 5]).all()

    def test_keypoints_of_another_type_are_named(self, pickled) -> None:
        clips = [annotation(i) for i in range(12)]
        clips[3]['keypoint'] = clips[3]['keypoint'].astype(str)
        with pytest.raises(UserError, match='clip3.*expected an array of numbers'):
            PosePickleDataset(pickled(clips))

    def test_zeros_with_scores_are_places(self, pickled) -> None:
        clips = [annotation(i, keypoint_score=np.ones((1, 10, 17), np.float32)) for i in range(12)]
        clips[0]['keypoint'][0, 3, 5] = 0
        assert np.isfinite(PosePickleDataset(pickled(clips)).get_data_info(0)['keypoint']).all()

    def test_an_empty_clip_is_named(self, pickled) -> None:
        clips = [annotation(i) for i in range(12)]
        clips[3]['keypoint'][:] = 0
        with pytest.warns(UserWarning, match="1 clips have every keypoint at the origin, first 'clip3'"):
            PosePickleDataset(pickled(clips))

    def test_keeps_the_persons_that_are_seen_the_most(self, pickled) -> None:
        clips = [annotation(i) for i in range(12)]
        clips[1]['keypoint'] = np.random.default_rng(0).normal(size=(3, 10, 17, 2)).astype(np.float32)
        clips[1]['keypoint'][0, :6] = 0
        pipeline = [*PIPELINE[:-1], {'type': 'bmoe_skel.PackPose', 'max_persons': None}]
        dataset = PosePickleDataset(pickled(clips), pipeline=pipeline)
        np.testing.assert_array_equal(dataset.get_data_info(1)['keypoint'], clips[1]['keypoint'][1:])
        assert {tuple(dataset[i]['inputs']['keypoint'].shape) for i in range(12)} == {(1, 2, 8, 17, 2)}
        alone = PosePickleDataset(pickled(clips), pipeline=pipeline, max_persons=1)
        assert alone[1]['inputs']['keypoint'].shape == (1, 1, 8, 17, 2)

    def test_a_small_set_is_gone_through_several_times(self, pickled) -> None:
        dataset = PosePickleDataset(pickled(), split='train', epoch_clips=20, pipeline=PIPELINE)
        assert len(dataset) == 24  # 3 x 8
        names = [dataset[i]['data_samples'].name for i in range(24)]
        assert names == 3 * [f'clip{i}' for i in range(8)]
        assert not torch.equal(dataset[0]['inputs']['keypoint'], dataset[8]['inputs']['keypoint'])  # another draw
        assert dataset.metainfo['class_counts'] == [3, 3, 2]
        assert len(PosePickleDataset(pickled(), split='train', epoch_clips=5)) == 8
        with pytest.raises(IndexError):
            dataset.get_data_info(24)

    def test_float16_and_scores(self, pickled) -> None:
        clips = [annotation(i) for i in range(12)]
        for clip in clips:
            clip['keypoint'] = clip['keypoint'].astype(np.float16)
            clip['keypoint_score'] = np.ones((1, 10, 17), np.float16)
        info = PosePickleDataset(pickled(clips)).get_data_info(0)
        assert info['keypoint'].dtype == info['keypoint_score'].dtype == np.float32

    @pytest.mark.parametrize(
        ('change', 'message'),
        [
            ({'keypoint': np.zeros((1, 10, 25, 2))}, r'clip3.*shape \(1, 10, 25, 2\), expected \(M, T, 17, 2 or 3\)'),
            ({'keypoint': np.zeros((10, 17, 2))}, r'clip3.*got \(10, 17, 2\)'),
            ({'keypoint': np.zeros((1, 0, 17, 2))}, r'clip3.*got \(1, 0, 17, 2\)'),
            ({'keypoint': np.full((1, 10, 17, 3), -1.0)}, 'clip3.*3 coordinates, those before it 2'),
            ({'keypoint_score': np.zeros((1, 9, 17))}, 'clip3.*keypoint_score: expected shape'),
            ({'label': 3}, r'clip3.*label 3 is not in 0\.\.2'),
            ({'label': 'd'}, 'clip3.*label'),
        ],
    )
    def test_wrong_clips_are_named(self, pickled, change, message) -> None:
        clips = [annotation(i) for i in range(12)]
        clips[3].update(change)
        with pytest.raises(UserError, match=message):
            PosePickleDataset(pickled(clips))

    def test_clips_in_which_nobody_is_seen_are_left_out_and_counted(self, pickled) -> None:
        clips = [annotation(i) for i in range(12)]
        clips[3]['keypoint'] = clips[3]['keypoint'] * np.nan
        with pytest.warns(UserWarning, match="1 of 8 clips in which nobody is seen are left out, first 'clip3'"):
            dataset = PosePickleDataset(pickled(clips), split='train')
        assert (len(dataset), dataset.unseen) == (7, ['clip3'])

    def test_labels_that_count_from_one(self, pickled) -> None:
        clips = [annotation(i, label=1 + i % 3) for i in range(12)]
        with pytest.raises(UserError, match=r'label 3 is not in 0..2 .*dataset\.first_label=1'):
            PosePickleDataset(pickled(clips))
        dataset = PosePickleDataset(pickled(clips), first_label=1)
        assert [dataset.get_data_info(i)['label'] for i in range(12)] == [i % 3 for i in range(12)]
        with pytest.warns(UserWarning, match='labels are 1 to 3, none is 0'):
            PosePickleDataset(pickled(clips, metainfo={'layout': 'coco17'}))

    def test_missing_things_are_named(self, pickled, tmp_path) -> None:
        with pytest.raises(UserError, match="no split 'val'.*'test', 'train'"):
            PosePickleDataset(pickled(), split='val')
        with pytest.raises(UserError, match='does not say which skeleton'):
            PosePickleDataset(pickled(metainfo={}))
        with pytest.raises(UserError, match=r"names 1 clips without annotation, first 'ghost'"):
            PosePickleDataset(pickled(split={'train': ['clip0', 'ghost']}), split='train')
        with pytest.raises(UserError, match=r'nowhere\.pkl'):
            PosePickleDataset(str(tmp_path / 'nowhere.pkl'))

    def test_malicious_pickle_is_refused(self, tmp_path) -> None:
        class Evil:
            def __reduce__(self):
                return os.system, (f'touch {tmp_path}/owned',)

        (tmp_path / 'evil.pkl').write_bytes(pickle.dumps({'annotations': [Evil()]}))
        with pytest.raises(UserError, match=r'evil\.pkl'):
            PosePickleDataset(str(tmp_path / 'evil.pkl'))
        assert not (tmp_path / 'owned').exists()

    def test_random_numbers_depend_on_epoch_and_index_only(self, pickled) -> None:
        dataset = PosePickleDataset(pickled(), pipeline=PIPELINE)
        first = dataset[3]['inputs']['keypoint']
        dataset[5]
        assert np.array_equal(dataset[3]['inputs']['keypoint'], first)
        dataset.shared_epoch.epoch = 1
        assert not np.array_equal(dataset[3]['inputs']['keypoint'], first)


class TestTracks:
    def test_labels_from_folders_and_a_stratified_split(self, tmp_path) -> None:
        write_tracks(tmp_path)
        parts = [TrackDataset(str(tmp_path), split=s) for s in ('train', 'val', 'test')]
        assert [len(p) for p in parts] == [15, 3, 6]
        assert all(p.metainfo['classes'] == ['arms', 'head', 'legs'] for p in parts)
        assert [p.metainfo['class_counts'] for p in parts] == [[5, 5, 5], [1, 1, 1], [2, 2, 2]]
        names = [{p.get_data_info(i)['frame_dir'] for i in range(len(p))} for p in parts]
        assert len(set.union(*names)) == 24
        again = TrackDataset(str(tmp_path), split='test')
        assert {again.get_data_info(i)['frame_dir'] for i in range(6)} == names[2]
        other = TrackDataset(str(tmp_path), split='test', split_seed=1)
        assert {other.get_data_info(i)['frame_dir'] for i in range(6)} != names[2]

    def test_annotation_file_with_split(self, tmp_path) -> None:
        write_tracks(tmp_path / 'poses', 2)
        lines = ['video,label,split', 'head/head_00.mp4,nod,train', 'arms/arms_01.mp4,wave,test', '']
        (tmp_path / 'list.csv').write_bytes('\r\n'.join(lines).encode('utf-8-sig'))
        dataset = TrackDataset(str(tmp_path / 'poses'), split='test', ann_file=str(tmp_path / 'list.csv'))
        assert dataset.metainfo['classes'] == ['nod', 'wave']
        assert dataset.get_data_info(0)['frame_dir'] == 'arms/arms_01.mp4'

    @pytest.mark.parametrize('name', ['{}', '{}.npz', 'Windows', 'without ending'])
    def test_names_of_clips_as_lists_have_them(self, tmp_path, name: str) -> None:
        write_tracks(tmp_path / 'poses', 2, ('a.1', 'b'))
        files = sorted(p.relative_to(tmp_path / 'poses').as_posix()[:-4] for p in (tmp_path / 'poses').rglob('*.npz'))
        spelled = {'Windows': lambda f: f.replace('/', '\\'), 'without ending': lambda f: f.removesuffix('.mp4')}
        lines = [
            f'{spelled.get(name, name.format)(file)},{file[0]},{("Training", "validation")[i % 2]}'
            for i, file in enumerate(files)
        ]
        (tmp_path / 'list.csv').write_text('\n'.join(['Video,Label,Split', *lines]))
        for part, own in (('train', files[::2]), ('val', files[1::2])):
            data = TrackDataset(str(tmp_path / 'poses'), part, str(tmp_path / 'list.csv'))
            assert [data.get_data_info(i)['frame_dir'] for i in range(len(data))] == own

    @pytest.mark.parametrize(
        ('line', 'message'),
        [('a_00,x', 'may be a_00.avi or a_00.mp4'), ('clip,class', 'if this line is a header, call its columns video'),
         ('a_0*,x', 'has no track file')],
    )  # fmt: skip
    def test_names_of_clips_that_say_too_little(self, tmp_path, line: str, message: str) -> None:
        folder = write_tracks(tmp_path / 'poses', 1, ('a',)) / 'a'
        (folder / 'a_00.avi.npz').write_bytes((folder / 'a_00.mp4.npz').read_bytes())
        (tmp_path / 'list.csv').write_text(line)
        with pytest.raises(UserError, match=message):
            TrackDataset(str(folder), ann_file=str(tmp_path / 'list.csv'))

    def test_problems_are_named(self, tmp_path) -> None:
        with pytest.raises(UserError, match=r'no folder of tracks.*extract_pose\.py'):
            TrackDataset(str(tmp_path / 'poses'))
        (tmp_path / 'empty').mkdir()
        with pytest.raises(UserError, match='holds no track files'):
            TrackDataset(str(tmp_path / 'empty'))
        write_tracks(tmp_path / 'poses', 2)
        with pytest.raises(UserError, match="unknown split 'dev'"):
            TrackDataset(str(tmp_path / 'poses'), split='dev')
        with pytest.raises(UserError, match="unknown class 'arms'"):
            TrackDataset(str(tmp_path / 'poses'), classes=['head', 'legs'])
        (tmp_path / 'poses' / 'head' / 'broken.mp4.npz').write_bytes(b'PK\x03\x04half')
        with pytest.raises(UserError, match=r'broken\.mp4\.npz'):
            TrackDataset(str(tmp_path / 'poses'))


class TestAnnotationFile:
    def write(self, tmp_path, text: str) -> str:
        (tmp_path / 'list.txt').write_text(text)
        return str(tmp_path / 'list.txt')

    def test_official_list_style(self, tmp_path) -> None:
        path = self.write(tmp_path, '0003 01.mp4 1\n\nb.mp4 0\n')
        assert read_annotations(path, ['x', 'y']) == [('0003 01.mp4', 'y', ''), ('b.mp4', 'x', '')]

    @pytest.mark.parametrize(
        ('text', 'message'),
        [
            ('a.mp4 0\nb.mp4\n', r'list\.txt:2: expected'),
            ('a.mp4 7\n', r'list\.txt:1: label 7 is not in 0\.\.1'),
            ('a.mp4 z\n', r"list\.txt:1: unknown class 'z'"),
            ('a.mp4 0\na.mp4 1\n', "'a.mp4' is listed more than once"),
            ('a.mp4,x,later\n', r"list\.txt:1: unknown split 'later'"),
            ('a.mp4,x,train\nb.mp4,y\n', '1 of 2 lines give a split'),
        ],
    )
    def test_wrong_lines_are_named(self, tmp_path, text, message) -> None:
        with pytest.raises(UserError, match=message):
            read_annotations(self.write(tmp_path, text), ['x', 'y'])

    def test_paths_may_not_leave_the_folder(self, tmp_path) -> None:
        write_tracks(tmp_path / 'poses', 1)
        path = self.write(tmp_path, '../secret.mp4 0\n')
        with pytest.raises(UserError, match='leaves the folder'):
            TrackDataset(str(tmp_path / 'poses'), ann_file=path)


class TestFolds:
    def test_folds_cover_every_clip_once(self) -> None:
        clips = [annotation(i) for i in range(23)]
        tested = sum(fold_mask(clips, {'part': 'test', 'index': i, 'num_folds': 5}).astype(int) for i in range(5))
        assert (tested == 1).all()

    def test_train_is_what_test_is_not(self) -> None:
        clips = [annotation(i) for i in range(20)]
        for fold in ({'num_folds': 4}, {'by': 'subject'}, {'by': 'subject', 'num_folds': 'half'}):
            train, test = (fold_mask(clips, {'part': part, 'index': 1, **fold}) for part in ('train', 'test'))
            assert (train ^ test).all()
            if 'by' in fold:
                subjects = np.array([clip['subject'] for clip in clips])
                assert not set(subjects[train]) & set(subjects[test])

    @pytest.mark.parametrize(
        ('fold', 'message'),
        [
            ({'part': 'dev'}, 'expected keys part'),
            ({'part': 'test', 'num_folds': 5, 'index': 5}, r'index 5 is not in 0\.\.4'),
            ({'part': 'test', 'by': 'view'}, "have no key 'view'"),
            ({'part': 'test', 'num_folds': 1}, 'num_folds'),
            ({'part': 'test', 'num_folds': 5, 'fold': 1}, r"unknown: \['fold'\]"),
        ],
    )
    def test_wrong_folds_are_named(self, fold, message) -> None:
        with pytest.raises(UserError, match=message):
            fold_mask([annotation(i) for i in range(10)], fold)


def test_how_long_clips_usually_last() -> None:
    def clip(frames: int, fps: float | None) -> dict:
        times = {} if fps is None else {'frame_times': np.arange(frames) / fps}
        return {'keypoint': np.zeros((1, frames, 17, 2)), **times}

    lasting = [clip(frames, 25) for frames in range(25, 126)]  # 1 to 5 s
    assert usual_seconds(lasting) == pytest.approx([3.0, 4.8], abs=1e-3)
    assert usual_seconds([clip(60, None), clip(60, None)]) == [2.0, 2.0]  # 30 frames a second where no times are
    assert usual_seconds([clip(1, 25)]) == [0.033, 0.033]


def test_a_set_says_how_long_its_clips_last(tmp_path) -> None:
    dataset = TrackDataset(str(write_tracks(tmp_path, 2)))
    assert dataset.metainfo['clip_seconds'] == [0.96, 0.96]
