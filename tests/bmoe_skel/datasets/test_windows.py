"""MPIIGroupInteraction and SocialGesture: windows of recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skeleton_clips import write_recording

from bmoe_ground.errors import UserError
from bmoe_skel.datasets import MPIIGroupInteraction, SocialGestureDataset
from bmoe_skel.datasets.mpii_classes import BEHAVIOURS, GROUP_OF_SINGLE_LABEL, REGION_GROUPS, SINGLE_LABEL
from mm_runtime.config import load_config

REPO = Path(__file__).resolve().parents[3]
PIPELINE = [
    {'type': 'bmoe_skel.NormalizePose'},
    {'type': 'bmoe_skel.SampleFrames', 'num_frames': 8, 'random': False},
    {'type': 'bmoe_skel.PackPose', 'max_persons': 2},
]


class TestMpii:
    @pytest.fixture
    def files(self, tmp_path):
        self.points = write_recording(tmp_path / 'poses' / '7' / 'subjectPos2.video.mp4.npz')
        return tmp_path

    def table(self, folder: Path, rows: list[str], classes=BEHAVIOURS) -> str:
        header = ','.join(['sample_id', 'rec_no', 'subject_pos', 'start_time', 'end_time', *classes])
        (folder / 'samples.csv').write_bytes(('\ufeff' + '\r\n'.join([header, *rows, ''])).encode())
        return str(folder / 'samples.csv')

    def row(self, name: str, start: float, end: float, *labels: int, rec: int = 7) -> str:
        ones = ['1' if c in labels else '0' for c in range(14)]
        return ','.join([name, str(rec), '2', str(start), str(end), *ones])

    def test_overlapping_windows_of_one_recording(self, files) -> None:
        path = self.table(
            files, [self.row('a', 0, 2.56, 0, 13), self.row('b', 1.28, 3.84), '', self.row('c', 9.4, 11.96, 2)]
        )
        dataset = MPIIGroupInteraction(path, str(files / 'poses'), pipeline=PIPELINE)
        assert len(dataset) == 3
        assert len(dataset.recordings) == 1  # held once, whatever overlaps
        for i, start in enumerate((0, 32, 235)):
            clip = dataset.get_data_info(i)
            np.testing.assert_array_equal(clip['keypoint'], self.points[:, start : start + 64])
            clip['keypoint'][:] = 0  # a transform may write: the recording stays as it is
        np.testing.assert_array_equal(dataset.get_data_info(0)['keypoint'], self.points[:, :64])
        assert dataset.get_data_info(0)['label'].tolist() == [1.0, *[0.0] * 12, 1.0]
        assert dataset.metainfo['class_counts'] == [1, 0, 1, *[0] * 10, 1]
        assert dataset.metainfo['multi_label'] is True
        assert dataset[0]['inputs']['keypoint'].shape == (1, 2, 8, 17, 2)

    def test_columns_are_found_by_name(self, files) -> None:
        renamed = [name.lower().replace(' ', '_') for name in reversed(BEHAVIOURS)]
        path = self.table(files, [self.row('a', 0, 2.56, 0)], renamed)
        assert MPIIGroupInteraction(path, str(files / 'poses')).get_data_info(0)['label'].tolist() == [*[0.0] * 13, 1.0]
        path = self.table(files, [self.row('a', 0, 2.56, 0)], [*BEHAVIOURS[:-1], 'Jump'])
        with pytest.raises(UserError, match='no column for Legs crossed'):
            MPIIGroupInteraction(path, str(files / 'poses'))

    def test_frames(self, files) -> None:
        path = self.table(files, [self.row('a', 10, 20, 0)])
        dataset = MPIIGroupInteraction(path, str(files / 'poses'), time_unit='frames', window=None)
        np.testing.assert_array_equal(dataset.get_data_info(0)['keypoint'], self.points[:, 10:20])

    @pytest.mark.parametrize(
        ('row', 'message'),
        [
            ('a,7,2,0,2.56,0,0,0', r'samples\.csv:2: 8 fields, but the header has 19'),
            ('a,7,2,x,2.56' + ',0' * 14, r"samples\.csv:2: start_time: expected a number, found 'x'"),
            ('a,7,2,3,2.56' + ',0' * 14, r'samples\.csv:2: end_time 2\.56 is not after'),
            ('a,7,2,0,2.56' + ',2' * 14, r"samples\.csv:2: Hand-face: expected 0 or 1, found '2'"),
            ('a,8,2,0,2.56' + ',0' * 14, r'samples\.csv:2: no track file .*8/subjectPos2'),
            ('a,7,2,11,13.56' + ',0' * 14, r'samples\.csv:2: frames 275 to 339 are not in .*, which has 300'),
            ('a,7,2,0,2.56' + ',0' * 14 + '\r\n' + 'a,7,2,0,2.56' + ',0' * 14, r"samples\.csv:3: sample 'a' stands at"),
        ],
    )
    def test_wrong_rows_are_named(self, files, row, message) -> None:
        with pytest.raises(UserError, match=message):
            MPIIGroupInteraction(self.table(files, [row]), str(files / 'poses'))

    def test_names_that_leave_the_folder(self, files) -> None:
        path = self.table(files, [self.row('a', 0, 2.56)])
        for pattern, message in (('../{rec_no}.npz', 'leaves the folder'), ('{session}.npz', 'session')):
            with pytest.raises(UserError, match=message):
                MPIIGroupInteraction(path, str(files / 'poses'), track_name=pattern)

    def test_single_label_variant(self) -> None:
        assert len(SINGLE_LABEL) == len(GROUP_OF_SINGLE_LABEL) == 19
        groups = {r: [c for c, g in enumerate(GROUP_OF_SINGLE_LABEL) if REGION_GROUPS[g] == r] for r in REGION_GROUPS}
        assert groups['upper'] == [0, 1, 2, 3, 10, 13]
        assert groups['head'] == [4, 5, 6]
        assert groups['lower'] == [8, 9, 16]
        assert groups['body'] == [7, 11, 12, 14, 15, 17, 18]
        config = load_config(REPO / 'configs' / 'bmoe_skel_mpii.py', {'preset': 'single'})
        assert tuple(config.dataset.classes) == SINGLE_LABEL
        assert tuple(config.dataset.metainfo.body_parts) == GROUP_OF_SINGLE_LABEL


class TestSocialGesture:
    HEADER = 'clip,start,end,x1,y1,x2,y2,label'

    @pytest.fixture
    def files(self, tmp_path):
        self.points = write_recording(tmp_path / 'poses' / 'a.mp4.npz', frames=100, persons=3, fps=10)
        return tmp_path

    def table(self, folder: Path, *rows: str) -> str:
        (folder / 't.csv').write_text('\n'.join([self.HEADER, *rows]) + '\n')
        return str(folder / 't.csv')

    def test_initiator_by_box_else_everyone(self, files) -> None:
        path = self.table(files, 'a.mp4,1,3,210,5,280,80,giving', 'a.mp4,4,6,,,,,pointing', 'a.mp4,7,8,,,,,none')
        dataset = SocialGestureDataset(path, str(files / 'poses'), max_persons=2, pipeline=PIPELINE)
        assert len(dataset) == 2
        first, second = (dataset.get_data_info(i) for i in range(2))
        np.testing.assert_array_equal(first['keypoint'], self.points[2:3, 10:30])
        np.testing.assert_array_equal(second['keypoint'], self.points[:2, 40:60])
        assert [first['label'], second['label']] == [3, 0]
        assert dataset[0]['inputs']['visible'].shape == (1, 2, 8, 17)

    def test_binary(self, files) -> None:
        path = self.table(files, 'a.mp4,1,3,,,,,giving', 'a.mp4,7,8,,,,,none')
        dataset = SocialGestureDataset(path, str(files / 'poses'), task='binary')
        assert [dataset.get_data_info(i)['label'] for i in range(2)] == [1, 0]
        assert dataset.metainfo['classes'] == ['none', 'gesture']

    def test_sliding_windows(self, files) -> None:
        path = self.table(files, 'a.mp4,2,4.1,,,,,reaching')
        dataset = SocialGestureDataset(path, str(files / 'poses'), task='localization', window=2, step=1)
        clips = [dataset.get_data_info(i) for i in range(len(dataset))]
        spans = [(clip['start'], clip['end']) for clip in clips]
        assert spans == [(float(s), float(s) + 2) for s in range(8)]  # ten seconds
        assert [clip['label'] for clip in clips] == [0, 3, 3, 3, 0, 0, 0, 0]
        assert len(dataset.recordings) == 1

    def test_a_sample_says_which_window_it_is(self, files) -> None:
        path = self.table(files, 'a.mp4,1.2345,3,,,,,giving')
        sample = SocialGestureDataset(path, str(files / 'poses'), pipeline=PIPELINE)[0]['data_samples'].to_dict()
        assert (sample['recording'], sample['start'], sample['end']) == ('a.mp4', 1.2345, 3.0)
        assert sample['name'] == 'a.mp4@1.234-3.000'  # for display only

    @pytest.mark.parametrize(
        ('row', 'message'),
        [
            ('a.mp4,1,3,,,,,waving', r"t\.csv:2: unknown label 'waving'"),
            ('a.mp4,3,1,,,,,giving', r't\.csv:2: expected 0 <= start < end'),
            ('a.mp4,1,3,5,,,,giving', r't\.csv:2: y1: expected a number'),
            ('a.mp4,1,3,9,9,5,5,giving', r't\.csv:2: box .* expected x1 < x2'),
            ('a.mp4,1,3,390,150,399,199,giving', r't\.csv:2: nobody was tracked in the box'),
            ('a.mp4,50,60,,,,,giving', r't\.csv:2: starts at 50\.0 s, after the end'),
            ('b.mp4,1,3,,,,,giving', r't\.csv:2: no track file'),
            ('../a.mp4,1,3,,,,,giving', r't\.csv:2: .* leaves the folder'),
        ],
    )
    def test_wrong_rows_are_named(self, files, row, message) -> None:
        with pytest.raises(UserError, match=message):
            SocialGestureDataset(self.table(files, row), str(files / 'poses'))
