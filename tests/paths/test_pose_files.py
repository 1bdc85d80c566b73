"""From pose files of others to a training: what people bring is read whole, or refused in one line."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pose_files import poses, skeleton_pickle, write_openpose, write_pickle_file
from skeleton_clips import write_tracks

from bmoe_ground.errors import UserError
from bmoe_ground.safe_pickle import load_pickle
from bmoe_skel.datasets import PosePickleDataset, TrackDataset
from pose_extract.convert import ConvertSettings, convert_poses
from pose_extract.convert.clips import ReadOptions
from pose_extract.crops import load_crops
from pose_extract.tracks import load_tracks

REPO = Path(__file__).parents[2]
READ = ReadOptions('coco17', (480, 640))


def tool(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(REPO / 'tools' / name), *map(str, arguments)],
        capture_output=True, text=True, check=False, env={**os.environ, 'PYTHONPATH': str(REPO)},
    )  # fmt: skip


def train_on(path: Path, split: str | None = 'train') -> PosePickleDataset:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return PosePickleDataset(str(path), split=split, skeleton='coco17')


def names(dataset: Any) -> list[str]:
    return sorted(dataset.get_data_info(i)['frame_dir'] for i in range(len(dataset)))


def test_tracks_become_a_pickle_that_the_recipe_reads(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """Folder of tracks -> pickle -> the splits that configs/benchmarks/skeleton.py and mmaction2 ask for by name."""
    write_tracks(tmp_path / 'poses', 8)
    convert_poses(tmp_path / 'poses', tmp_path / 'a.pkl', ConvertSettings())
    assert 'note: no clip has a split' in capsys.readouterr().err
    content = load_pickle(tmp_path / 'a.pkl')
    assert sorted(content['split']) == ['test', 'train', 'val']
    # PoseDataset.load_data_list of mmaction2: split = set(data['split'][name]); key 'frame_dir' of the annotations
    found = {a['frame_dir'] for a in content['annotations']}
    assert set().union(*content['split'].values()) == found
    assert sum(map(len, content['split'].values())) == len(found) == 24
    for split in ('train', 'val', 'test'):
        ours = PosePickleDataset(str(tmp_path / 'a.pkl'), split=split)
        theirs = TrackDataset(str(tmp_path / 'poses'), split=split)
        assert names(ours) == names(theirs)  # the very parts that training on the folder makes
        assert ours.metainfo['classes'] == theirs.metainfo['classes'] == ['arms', 'head', 'legs']


def test_clips_without_labels_say_how_to_give_splits(tmp_path: Path) -> None:
    write_tracks(tmp_path / 'poses', 1)
    for path in list((tmp_path / 'poses').rglob('*.npz')):
        path.rename(tmp_path / 'poses' / path.name)
    done = convert_poses(tmp_path / 'poses', tmp_path / 'a.pkl', ConvertSettings())
    assert any('video,label,split' in note for note in done.notes)


def test_openpose_to_training(tmp_path: Path) -> None:
    for name in ('nod/a', 'nod/b', 'nod/c', 'wave/a', 'wave/b', 'wave/c'):
        write_openpose(tmp_path / 'out' / name, 25, name[-1])
    done = tool('convert_poses.py', tmp_path / 'out', tmp_path / 'a.pkl', '--image-size', '480', '640')
    assert done.returncode == 0, done.stderr
    dataset = PosePickleDataset(str(tmp_path / 'a.pkl'), split='train')
    assert (dataset.metainfo['classes'], dataset.metainfo['skeleton']) == (['nod', 'wave'], 'openpose25')


def test_split_names_as_they_are_with_the_options_ready_to_paste(tmp_path: Path) -> None:
    content = skeleton_pickle()
    content['split'] = {'xsub_train': content['split']['train'], 'xsub_val': content['split']['test'], 'xview_val': []}
    path = write_pickle_file(tmp_path / 'a.pkl', content)
    options = 'train_dataloader.dataset.split=xsub_train test_dataloader.dataset.split=xsub_val'
    with pytest.raises(UserError, match=f'--cfg-options {options}'):
        train_on(path)
    assert names(train_on(path, 'xsub_val')) == ['clip3', 'clip4', 'clip5']
    del content['split']
    path = write_pickle_file(tmp_path / 'b.pkl', content)
    with pytest.raises(UserError, match=r"split=null 'train_dataloader\.dataset\.fold=\{part: train, num_folds: 5\}'"):
        train_on(path)
    assert len(PosePickleDataset(str(path), skeleton='coco17', fold={'part': 'train', 'num_folds': 2})) == 3


def test_texts_are_classes_and_a_missing_label_is_one_line(tmp_path: Path) -> None:
    content = skeleton_pickle()
    for clip in content['annotations']:
        clip['label'] = ('nod', 'shrug', 'wave')[clip['label']]
    path = write_pickle_file(tmp_path / 'a.pkl', content)
    assert train_on(path).metainfo['classes'] == ['nod', 'shrug', 'wave']
    done = convert_poses(path, tmp_path / 'poses', ConvertSettings(read=READ))
    assert (done.failures, done.classes) == ([], ['nod', 'shrug', 'wave'])
    assert 'clip0,nod,train' in (tmp_path / 'poses' / 'annotations.csv').read_text().splitlines()
    del content['annotations'][1]['label']
    path = write_pickle_file(tmp_path / 'b.pkl', content)
    with pytest.raises(UserError, match=r"clip 'clip1' has no label \(1 of 3 clips have none\)"):
        train_on(path)
    done = convert_poses(path, tmp_path / 'poses2', ConvertSettings(read=READ))
    assert [note for note in done.notes if "clip 'clip1' has no label" in note]


def test_scores_in_the_third_place_train_and_convert_alike(tmp_path: Path) -> None:
    content = skeleton_pickle(keypoint=poses(1, 8, 17).astype(np.float32))
    for clip in content['annotations']:
        del clip['keypoint_score']
    path = write_pickle_file(tmp_path / 'a.pkl', content)
    with pytest.warns(UserWarning, match='taken as their score'):
        dataset = PosePickleDataset(str(path), split='train', skeleton='coco17')
    assert dataset.metainfo['coordinates'] == 2
    tracks = convert_poses(path, tmp_path / 'poses', ConvertSettings(read=READ)).clips[0].tracks
    clip = dataset.get_data_info(0)
    np.testing.assert_array_equal(clip['keypoint'], tracks.keypoints)
    np.testing.assert_array_equal(clip['keypoint_score'], tracks.scores)
    assert any('taken as their score' in note for note in load_tracks(tmp_path / 'poses/clip0.npz').provenance['notes'])


def test_packed_rows_train_and_convert_alike(tmp_path: Path) -> None:
    rows = poses(1, 8, 17)[0].astype(np.float16)
    content = skeleton_pickle(keypoint=rows, frame_inds=np.array([0, 0, 1, 2, 3, 4, 5, 7], np.int16))
    for clip in content['annotations']:
        del clip['keypoint_score']
    path = write_pickle_file(tmp_path / 'a.pkl', content)
    clip = train_on(path).get_data_info(0)
    tracks = convert_poses(path, tmp_path / 'poses', ConvertSettings(read=READ)).clips[0].tracks
    assert clip['keypoint'].shape == tracks.keypoints.shape == (2, 8, 17, 2)
    np.testing.assert_array_equal(np.nan_to_num(tracks.keypoints), clip['keypoint'])
    np.testing.assert_array_equal(tracks.scores, clip['keypoint_score'])


class Cases:
    """The folder of inputs on which the product failed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def convert(self, name: str, out: Path, **options: Any) -> Any:
        settings = ConvertSettings(read=ReadOptions(image_size=(480, 640), **options))
        return convert_poses(self.folder / 'poses' / name, out, settings)


@pytest.fixture(scope='session')
def cases() -> Cases:
    folder = Path(os.environ.get('SHARED_CASES', REPO.parent / 'shared' / 'cases'))
    if not folder.is_dir():
        pytest.skip(f'cases not found: {folder} (set SHARED_CASES to their folder)')
    return Cases(folder)


@pytest.mark.parametrize(
    ('name', 'clip', 'frames', 'layout'),
    [
        ('openpose', 'wave/clipA', 30, 'openpose25'),
        ('alphapose-results.json', 'alphapose-results', 30, 'coco17'),
        ('mmpose_images', 'wave/clipA', 30, 'coco17'),
        ('results_h36m.json', 'results_h36m', 4, 'h36m17'),
    ],
)
def test_the_cases_of_other_programs(
    cases: Cases, tmp_path: Path, name: str, clip: str, frames: int, layout: str
) -> None:
    done = cases.convert(name, tmp_path / 'out')
    assert done.failures == []
    assert [(c.name, c.tracks.num_frames, c.tracks.skeleton) for c in done.clips] == [(clip, frames, layout)]
    assert done.clips[0].tracks.person_visible.any(0).all()


@pytest.mark.parametrize('name', ['str_labels', 'nolabel', 'xys', 'k400_compressed', 'ntu_splits'])
def test_the_cases_of_pickles(cases: Cases, tmp_path: Path, name: str) -> None:
    done = cases.convert(f'{name}.pkl', tmp_path / 'out', skeleton='coco17')
    assert (done.failures, len(done.clips)) == ([], 30)
    path = cases.folder / 'poses' / f'{name}.pkl'
    messages = {'nolabel': 'has no label', 'ntu_splits': 'train_dataloader.dataset.split=xsub_train'}
    if name in messages:
        with pytest.raises(UserError, match=messages[name]):
            train_on(path)
    else:
        assert train_on(path).metainfo['coordinates'] == 2


@pytest.mark.parametrize('pattern', ['*.pkl', '*.npz', '*.rgb'])
def test_the_hostile_cases_are_refused_by_name(cases: Cases, tmp_path: Path, pattern: str) -> None:
    files = sorted((cases.folder / 'hostile').glob(pattern))
    assert files
    for path in files:
        if pattern == '*.pkl':
            try:
                done = convert_poses(path, tmp_path / path.stem, ConvertSettings(read=READ))
                assert done.failures
                assert path.name in done.failures[0]
            except UserError as error:
                assert path.name in str(error)
        else:
            with pytest.raises(UserError, match=path.name):
                (load_tracks if pattern == '*.npz' else load_crops)(path)


BOUNDED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2**30 + {base}, 2**30 + {base}))
from bmoe_ground.errors import UserError
from bmoe_ground.skeleton_pickle import read_skeleton_pickle
try:
    read_skeleton_pickle(sys.argv[1])
except UserError as error:
    print('refused')
"""


def test_bombs_within_a_gigabyte_and_ten_seconds(tmp_path: Path) -> None:
    bombs = {
        'memo': b'\x80\x04Nr\x00\x00\x00\x10.',
        'frame': b'\x80\x04\x95' + b'\xff' * 7 + b'\x0f' + b'N.',
        'bytes': b'\x80\x04\x8e' + (2**40).to_bytes(8, 'little') + b'x.',
        'frames': pickle.dumps(skeleton_pickle(1, keypoint=np.zeros((0, 10**12, 17, 2)), keypoint_score=None)),
        'packed': pickle.dumps(
            skeleton_pickle(1, keypoint=np.zeros((1, 17, 3)), frame_inds=np.array([0]), total_frames=9_999_999)
        ),
        'labels': pickle.dumps(skeleton_pickle(1, label=10**12)),
    }
    for name, raw in bombs.items():
        (tmp_path / f'{name}.pkl').write_bytes(raw)
        done = subprocess.run(
            [sys.executable, '-c', BOUNDED.format(base=2**29), str(tmp_path / f'{name}.pkl')],
            capture_output=True, text=True, check=False, timeout=30, env={**os.environ, 'PYTHONPATH': str(REPO)},
        )  # fmt: skip
        assert done.returncode == 0, (name, done.stderr)
        refused = name in ('memo', 'frame', 'bytes')
        assert done.stdout == ('refused\n' if refused else ''), name
