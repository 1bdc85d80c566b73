from __future__ import annotations

import pickle
import re
from pathlib import Path

import ma52_files
import numpy as np
import pytest
from ma52_files import annotation, names

from bmoe_ground.errors import UserError
from bmoe_skel.datasets import MA52Dataset
from bmoe_skel.datasets.ma52.classes import ACTIONS, BODY_OF_ACTION
from bmoe_skel.datasets.ma52.lists import check_disjoint, read_list
from pose_extract.tracks import PoseTracks, crops_path, save_tracks

PIPELINE = [
    {'type': 'bmoe_skel.NormalizePose'},
    {'type': 'bmoe_skel.SampleFrames', 'num_frames': 8, 'random': False},
    {'type': 'bmoe_skel.PackPose'},
]


@pytest.fixture
def root(tmp_path):
    return ma52_files.write(tmp_path / 'ma52')


class TestList:
    def test_official_lists(self, shared_data) -> None:
        lists = {s: read_list(shared_data / 'ma52' / f'{s}_list_videos.txt') for s in ('train', 'val', 'test')}
        assert {split: len(rows) for split, rows in lists.items()} == {'train': 11250, 'val': 5586, 'test': 5586}
        train = np.bincount([entry.label for entry in lists['train']])
        assert (train[9], train[45], len(train)) == (1283, 6, 52)
        assert not any(entry.label for entry in lists['test'])
        subjects = [{entry.subject for entry in lists[split]} for split in ('train', 'val')]
        assert subjects[0] == subjects[1]
        assert len(subjects[0]) == 186
        check_disjoint(list(lists.values()))

    def test_marks_blank_lines_and_blanks_are_allowed(self, tmp_path) -> None:
        path = tmp_path / 'l.txt'
        path.write_bytes(b'\xef\xbb\xbf0003_01_0001.mp4 9\r\n\r\n   0003_01_0002.mp4\t 7  \r\n')
        assert [entry[:2] for entry in read_list(path)] == [('0003_01_0001.mp4', 9), ('0003_01_0002.mp4', 7)]
        assert read_list(path)[1].where == f'{path}:3'

    @pytest.mark.parametrize(
        ('text', 'message'),
        [
            ('a.mp4 1\nb.mp4 52\n', r"l\.txt:2: label '52' is not in 0\.\.51"),
            ('a.mp4 -1\n', r"l\.txt:1: label '-1'"),
            ('a.mp4 nodding\n', r"l\.txt:1: label 'nodding'"),
            ('a.mp4 1\n\na.mp4 2\n', r"l\.txt:3: clip 'a\.mp4' stands in line 1"),
            ('a b.mp4 1\n', r'l\.txt:1: expected "NAME\.mp4 LABEL"'),
            ('a.mp4\n', r'l\.txt:1: expected "NAME\.mp4 LABEL"'),
            ('../a.mp4 1\n', r"l\.txt:1: expected a file name .* '\.\./a\.mp4'"),
            ('a.avi 1\n', r'l\.txt:1: expected a file name'),
            ('\n', 'names no clip'),
        ],
    )
    def test_wrong_lines_are_named(self, tmp_path, text, message) -> None:
        path = tmp_path / 'l.txt'
        path.write_text(text)
        with pytest.raises(UserError, match=message):
            read_list(path)

    def test_missing_list(self, tmp_path) -> None:
        with pytest.raises(UserError, match='cannot be read'):
            read_list(tmp_path / 'none.txt')


class TestPcan:
    def test_clips_in_the_order_of_the_list(self, root) -> None:
        dataset = MA52Dataset(str(root), 'train', pipeline=PIPELINE)
        clips = [dataset.get_data_info(i) for i in range(len(dataset))]
        assert [clip['frame_dir'] for clip in clips] == names('train')
        assert [clip['label'] for clip in clips] == list(ma52_files.LABELS['train'])
        assert [clip['subject'] for clip in clips] == ['0003', '0004', '0005', '0006']
        stored = pickle.loads((root / 'MA52_train.pkl').read_bytes())
        for clip, original in zip(clips, stored, strict=True):
            np.testing.assert_array_equal(clip['keypoint'], original['keypoint'])
            np.testing.assert_array_equal(clip['keypoint_score'], original['keypoint_score'])
        assert dataset.metainfo['skeleton'] == 'openpose28'
        assert dataset.metainfo['classes'] == list(ACTIONS)
        assert dataset.metainfo['body_parts'] == list(BODY_OF_ACTION)
        assert dataset.metainfo['class_counts'][9] == 2
        sample = dataset[2]
        assert sample['inputs']['keypoint'].shape == (1, 1, 8, 28, 2)
        assert int(sample['data_samples'].gt_label) == 51

    def test_hidden_labels(self, root) -> None:
        dataset = MA52Dataset(str(root), 'test', pipeline=PIPELINE, test_mode=True)
        assert [int(dataset[i]['data_samples'].gt_label) for i in range(3)] == [-1, -1, -1]
        assert 'class_counts' not in dataset.metainfo
        with pytest.raises(UserError, match=r'test_list_videos\.txt: all 3 labels are 0'):
            MA52Dataset(str(root), 'test', labels_hidden=False)
        with pytest.raises(UserError, match='labels are not all 0'):
            MA52Dataset(str(root), 'val', labels_hidden=True)

    def test_absent_points(self, tmp_path) -> None:
        keypoint = annotation('x')['keypoint'].astype(np.float16)
        keypoint[0, 3, 5] = 0
        keypoint[0, 4, 6] = np.nan
        root = ma52_files.write(tmp_path, train={'keypoint': keypoint})
        clip = MA52Dataset(str(root), 'train').get_data_info(1)
        assert clip['keypoint'].dtype == np.float32
        gone = np.isnan(clip['keypoint'][..., 0])
        assert np.argwhere(gone).tolist() == [[0, 3, 5], [0, 4, 6]]
        assert (clip['keypoint_score'][gone] == 0).all()

    def test_clips_without_people_are_left_out(self, tmp_path) -> None:
        root = ma52_files.write(tmp_path, train={'keypoint': np.zeros((1, 12, 28, 2), np.float32)})
        dataset = MA52Dataset(str(root), 'train')
        assert len(dataset) == 3
        assert dataset.unseen == [names('train')[1]]

    @pytest.mark.parametrize(
        ('change', 'message'),
        [
            ({'keypoint': ...}, 'has no key "keypoint"'),
            ({'keypoint': np.zeros((1, 12, 17, 2), np.float32)}, r'17 keypoints, expected 28 \(openpose28\)'),
            ({'keypoint': np.zeros((1, 0, 28, 2), np.float32), 'total_frames': 0}, 'no person or no frame'),
            ({'keypoint': np.zeros((12, 28, 2), np.float32)}, r'got \(12, 28, 2\)'),
            ({'keypoint': np.full((1, 12, 28, 2), np.inf)}, 'infinite'),
            ({'keypoint': [[1.0]]}, 'expected an array of numbers'),
            ({'total_frames': 13}, 'total_frames is 13, but keypoint has 12'),
            ({'keypoint_score': np.zeros((1, 11, 28))}, r'keypoint_score: expected shape \(1, 12, 28\)'),
            ({'keypoint_score': np.full((1, 12, 28), np.nan)}, 'keypoint_score: expected finite'),
        ],
    )
    def test_wrong_annotations_are_named_with_file_and_line(self, tmp_path, change, message) -> None:
        root = ma52_files.write(tmp_path, train=change)
        with pytest.raises(UserError, match=message) as error:
            MA52Dataset(str(root), 'train')
        assert re.search(r"MA52_train\.pkl: clip '0004_01_0010\.mp4' \(.*train_list_videos\.txt:2\)", str(error.value))

    def test_wrong_names_are_named(self, tmp_path) -> None:
        root = ma52_files.write(tmp_path, train={'frame_dir': 'foreign'})
        with pytest.raises(UserError, match=r"train_list_videos\.txt:2: clip '0004_01_0010\.mp4' has no keypoints"):
            MA52Dataset(str(root), 'train')
        dataset = MA52Dataset(str(root), 'train', missing='skip')
        assert (len(dataset), dataset.without_poses) == (3, ['0004_01_0010.mp4'])
        root = ma52_files.write(tmp_path, train={'frame_dir': ..., 'filename': ...})
        with pytest.raises(UserError, match='annotation 1: has neither "frame_dir" nor "filename"'):
            MA52Dataset(str(root), 'train')
        root = ma52_files.write(tmp_path, train={'frame_dir': names('train')[0]})
        with pytest.raises(UserError, match='annotation 1: a second annotation of clip'):
            MA52Dataset(str(root), 'train')

    def test_clip_in_two_splits(self, root) -> None:
        path = root / 'val_list_videos.txt'
        path.write_bytes(path.read_bytes() + b'0003_01_0000.mp4 9\r\n')
        with pytest.raises(UserError, match=r'train_list_videos\.txt:1: clip .* another split too, .*val_list.*:3'):
            MA52Dataset(str(root), 'train')

    def test_hostile_pickle_is_not_run(self, root) -> None:
        (root / 'MA52_train.pkl').write_bytes(b"cos\nsystem\n(S'touch " + str(root / 'pwned').encode() + b"'\ntR.")
        with pytest.raises(UserError, match=r'MA52_train\.pkl: asks for os\.system'):
            MA52Dataset(str(root), 'train')
        assert not (root / 'pwned').exists()

    def test_unknown_split(self, root) -> None:
        with pytest.raises(UserError, match="unknown split 'dev'"):
            MA52Dataset(str(root), 'dev')
        with pytest.raises(UserError, match='missing='):
            MA52Dataset(str(root), 'train', missing='ignore')


def test_mmn(root) -> None:
    clips = [annotation(name, keypoints=44) for name in names('val')]
    for clip in clips:
        del clip['keypoint_score'], clip['label']
    (root / 'val_data.pkl').write_bytes(pickle.dumps({'annotations': clips}))
    dataset = MA52Dataset(str(root), 'val', poses='{split}_data.pkl', pipeline=PIPELINE)
    assert dataset.metainfo['skeleton'] == 'halpe44'
    assert [dataset.get_data_info(i)['label'] for i in range(2)] == [9, 11]
    assert dataset[0]['inputs']['visible'].all()
    (root / 'val_data.pkl').write_bytes(pickle.dumps({'annotation': clips}))
    with pytest.raises(UserError, match='expected a list of annotations'):
        MA52Dataset(str(root), 'val', poses='{split}_data.pkl')


def test_tracks(root) -> None:
    for name in names('val'):
        points = annotation(name, keypoints=17)['keypoint']
        tracks = PoseTracks(
            keypoints=points,
            scores=np.ones(points.shape[:3], np.float32),
            boxes=np.zeros((1, 12, 4), np.float32),
            frame_times=np.arange(12) / 30,
            image_size=(1000, 1000),
            skeleton='coco17',
        )
        save_tracks(root / 'poses' / 'val' / f'{name}.npz', tracks)
    dataset = MA52Dataset(str(root), 'val', poses='poses/{split}', pipeline=PIPELINE)
    assert dataset.metainfo['skeleton'] == 'coco17'
    clip = dataset.get_data_info(1)
    np.testing.assert_array_equal(clip['keypoint'], annotation(names('val')[1], keypoints=17)['keypoint'])
    assert clip['track'].endswith(f'{names("val")[1]}.npz')
    assert 'crops' not in clip
    assert dataset.metainfo['rgb_crops'] == {'clips': 2, 'stored': 0, 'lacking': names('val')}
    for name in names('val'):
        crops_path(root / 'poses' / 'val' / f'{name}.npz').touch()
    clip = MA52Dataset(str(root), 'val', poses='poses/{split}').get_data_info(1)
    assert Path(clip['crops']) == crops_path(clip['track'])
    (root / 'poses' / 'val' / f'{names("val")[0]}.npz').unlink()
    with pytest.raises(UserError, match=r'val_list_videos\.txt:1: clip .* has no keypoints'):
        MA52Dataset(str(root), 'val', poses='poses/{split}')


def test_serialized_clips_are_mmengines(root) -> None:
    """The store is our own; what comes out of it must be what went in, in order and by negative index too."""
    dataset = MA52Dataset(str(root), 'train')
    assert len(dataset) == 4
    assert dataset.get_data_info(3)['frame_dir'] == dataset.get_data_info(-1)['frame_dir'] == names('train')[3]
    subset = dataset.get_subset([2, 0])
    assert [subset.get_data_info(i)['frame_dir'] for i in range(2)] == [names('train')[2], names('train')[0]]
