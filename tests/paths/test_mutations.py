"""Files with wrong types, shapes, nesting or bytes: whatever they hold, readers raise nothing but UserError.

``MUTATIONS=1000 pytest tests/paths/test_mutations.py`` tries as many of each; a failure names reader and number.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mutations import ODD, hold, mutate_bytes, mutate_value
from pose_files import (
    alphapose,
    coco,
    deeplabcut_csv,
    kinetics,
    mmpose_demo,
    mmpose_instance,
    mmpose_video,
    openpose_people,
    poses,
    skeleton_pickle,
    write_deeplabcut_h5,
    write_sleap_analysis,
    write_sleap_project,
)

from bmoe_ground.errors import UserError
from bmoe_ground.npz import load_npz
from bmoe_ground.skeleton_pickle import read_skeleton_pickle
from bmoe_skel.datasets import PosePickleDataset
from pose_extract.convert import ConvertSettings, convert_poses
from pose_extract.convert.clips import ReadOptions
from pose_extract.crops import CropRecorder, load_crops
from pose_extract.manifest import Manifest, new_record, read_manifest
from pose_extract.tracks import PoseTracks, load_tracks, save_tracks

COUNT = int(os.environ.get('MUTATIONS', '25'))
OPTIONS = ReadOptions(image_size=(480, 640))

VALUES: dict[str, Callable[[], Any]] = {
    'openpose': lambda: openpose_people(poses(2, 1, 25)[:, 0], 1),
    'alphapose': lambda: alphapose(poses(2, 3, 17)),
    'alphapose open': lambda: {f'{t}.jpg': openpose_people(poses(2, 1, 18)[:, 0]) for t in range(3)},
    'coco': lambda: coco(poses(2, 3, 17)),
    'kinetics': lambda: kinetics(poses(2, 3, 18)),
    'mmpose video': lambda: mmpose_video(poses(2, 3, 17)),
    'mmpose demo': lambda: mmpose_demo(poses(2, 3, 17)),
    'mmpose picture': lambda: [mmpose_instance(person) for person in poses(2, 1, 17)[:, 0]],
}


def convert(source: Path, kind: str | None = None) -> None:
    """Convert to both targets; an unreadable clip is a failure in the result, not an error."""
    for target in ('out', 'out.pkl'):
        path = source.parent / target
        if path.is_dir():
            shutil.rmtree(path)
        convert_poses(source, path, ConvertSettings(source_kind=kind, read=OPTIONS, overwrite=True))


@pytest.mark.parametrize('kind', VALUES)
def test_every_field_of_every_json(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture) -> None:
    content, rng, ends = VALUES[kind](), np.random.default_rng(len(kind)), []
    for number in range(COUNT):
        folder = tmp_path / 'clips' / 'wave'
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(mutate_value(content, rng))
        for frame in range(2 if kind in ('openpose', 'mmpose picture') else 1):
            (folder / f'a_{frame:012d}_keypoints.json').write_text(text if frame == 0 else json.dumps(content))
        told = kind.split()[0] if number % 2 else None
        ends.append(hold(lambda told=told: convert(tmp_path / 'clips', told), UserError, f'{kind} {number}'))
    assert 'read' in ends  # the files are near enough to real ones to be looked at


@pytest.mark.parametrize('kind', VALUES)
def test_the_bytes_of_every_json(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture) -> None:
    raw, rng = json.dumps(VALUES[kind]()).encode(), np.random.default_rng(1)
    path = tmp_path / 'a_000000000000_keypoints.json'
    for number in range(COUNT):
        path.write_bytes(mutate_bytes(raw, rng))
        hold(lambda: convert(path, kind.split()[0]), UserError, f'{kind} {number}')


def test_tables_of_deeplabcut(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    raw, rng = deeplabcut_csv(poses(2, 4, 17)).encode(), np.random.default_rng(2)
    rows = [line.split(',') for line in raw.decode().splitlines()]
    for number in range(COUNT):
        path = tmp_path / 'waveDLC_x.csv'
        path.write_bytes(mutate_bytes(raw, rng))
        hold(lambda: convert(tmp_path / 'waveDLC_x.csv', 'deeplabcut'), UserError, f'bytes {number}')
        text = '\n'.join(','.join(str(cell) for cell in row) if isinstance(row, list) else str(row)
                         for row in mutate_value(rows, rng))  # fmt: skip
        path.write_text(text, encoding='utf-8', errors='replace')
        hold(lambda: convert(tmp_path / 'waveDLC_x.csv', 'deeplabcut'), UserError, f'cells {number}')


HDF5 = {
    'deeplabcut': write_deeplabcut_h5,
    'sleap': write_sleap_analysis,
    'sleap project': write_sleap_project,
}


@pytest.mark.parametrize('kind', HDF5)
def test_the_bytes_of_hdf5_files(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture) -> None:
    HDF5[kind](tmp_path / 'good', poses(2, 4, 17))
    raw, rng = (tmp_path / 'good').read_bytes(), np.random.default_rng(7)
    path = tmp_path / ('a.slp' if 'project' in kind else 'a.h5')
    for number in range(COUNT):
        path.write_bytes(mutate_bytes(raw, rng))
        hold(lambda told=number % 2: convert(path, kind.split()[0] if told else None), UserError, f'{kind} {number}')


ARRAYS: list[Any] = [
    np.zeros(0), np.zeros((1, 8, 17, 3), np.float32), np.full((1, 8, 17, 2), np.nan), np.full((1, 8, 17), np.inf),
    np.zeros((0, 8, 17, 2)), np.zeros((1, 0, 17, 2)), np.zeros((0, 10**9, 17, 2)), np.ones((8, 17, 3)), np.arange(8),
    np.array(['x']), np.array([[1, 2]]), np.array(5), np.array(True), np.ones((2, 8, 17, 2), np.complex64),
    np.full((1, 8, 17, 2), 1e30), np.int64(3), np.float32('nan'), b'clip', (480, 640), (0, 0), (10**9, 10**9), {1, 2},
    range(5), slice(1), np.array([2**62]), np.full(8, -(2**62)),
]  # fmt: skip


def train(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for split in (None, 'train'):
            dataset = PosePickleDataset(str(path), split=split, skeleton='coco17')
            dataset.get_data_info(0)


def both_ways(path: Path) -> None:
    """Training and conversion refuse the same clips for the same reasons."""
    read = read_skeleton_pickle(path)
    source = path.parent / 'source.pkl'
    shutil.copy(path, source)
    out = path.parent / 'tracks'
    shutil.rmtree(out, ignore_errors=True)
    done = convert_poses(source, out, ConvertSettings(read=ReadOptions('coco17', (480, 640)), overwrite=True))
    kept = {clip.name for clip in done.clips}
    assert kept <= {clip['frame_dir'] for clip in read.annotations}
    for name, reason in read.faults:
        assert any(name in line and reason[:20] in line for line in done.failures)
    for clip in done.clips:
        other = next(c for c in read.annotations if c['frame_dir'] == clip.name)
        assert clip.tracks.keypoints.shape == other['keypoint'].shape
        assert clip.label == other['label']
    train(path)


@pytest.mark.parametrize('packed', [False, True])
def test_every_field_of_skeleton_pickles(tmp_path: Path, packed: bool, capsys: pytest.CaptureFixture) -> None:
    content, rng, ends = skeleton_pickle(3), np.random.default_rng(3), []
    content['metainfo'] = {'classes': ['a', 'b', 'c'], 'layout': 'coco17'}
    if packed:
        for clip in content['annotations']:
            clip['keypoint'] = np.concatenate([clip['keypoint'][0], clip.pop('keypoint_score')[0, ..., None]], -1)
            clip['frame_inds'] = np.arange(8, dtype=np.int16)
    path = tmp_path / 'clips.pkl'
    for number in range(4 * COUNT):
        path.write_bytes(pickle.dumps(mutate_value(content, rng, [*ODD[:-1], *ARRAYS])))
        ends.append(hold(lambda: both_ways(path), UserError, f'packed {packed} {number}'))
    assert 'read' in ends


def test_the_bytes_of_skeleton_pickles(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    rng = np.random.default_rng(4)
    path = tmp_path / 'clips.pkl'
    for number in range(2 * COUNT):
        raw = pickle.dumps(skeleton_pickle(2), protocol=int(rng.choice([0, 2, 4, 5])))
        path.write_bytes(mutate_bytes(raw, rng))
        hold(lambda: both_ways(path), UserError, f'{number}')


def tracks_file(path: Path) -> dict[str, np.ndarray]:
    truth = poses(2, 5, 17).astype(np.float32)
    boxes = np.concatenate([truth[..., :2].min(2), truth[..., :2].max(2)], -1)
    tracks = PoseTracks(
        truth[..., :2], truth[..., 2], boxes, np.arange(5) / 25, (480, 640), 'coco17', {'status': 'ok', 'error': None}
    )
    save_tracks(path, tracks)
    with np.load(path) as arrays:
        return dict(arrays)


def crops_file(path: Path) -> dict[str, np.ndarray]:
    recorder = CropRecorder(32)
    for t in range(3):
        recorder.add(t, np.full((90, 90, 3), 90, np.uint8), np.array([0]), np.array([[10.0, 10, 60, 60]]))
    recorder.write(path, [0], np.arange(3))
    recorder.close()
    with np.load(path) as arrays:
        return dict(arrays)


@pytest.mark.parametrize(('write', 'read'), [(tracks_file, load_tracks), (crops_file, load_crops)])
def test_arrays_and_bytes_of_tracks_and_crops(tmp_path: Path, write: Callable, read: Callable) -> None:
    arrays, rng = write(tmp_path / 'good'), np.random.default_rng(5)
    raw = (tmp_path / 'good').read_bytes()
    path = tmp_path / 'bad'
    odd = [np.asarray(value) for value in [*ODD[:26], *ARRAYS] if not isinstance(value, set | range | slice)]
    odd = [value for value in odd if not value.dtype.hasobject]
    for number in range(2 * COUNT):
        path.write_bytes(mutate_bytes(raw, rng))
        hold(lambda: read(path), UserError, f'{read.__name__} bytes {number}')
        with path.open('wb') as file:
            np.savez_compressed(file, **mutate_value(arrays, rng, odd))
        hold(lambda: read(path), UserError, f'{read.__name__} arrays {number}')
        hold(lambda: load_npz(path), UserError, f'load_npz {number}')


def test_manifests_and_journals(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    rng = np.random.default_rng(6)
    records = [new_record(f'{i}.mp4', 'ok') | {'track': f'{i}.mp4.npz', 'frames': 3} for i in range(3)]
    content = {'format': 1, 'settings': {'a': 1}, 'videos': records}
    for number in range(COUNT):
        out = tmp_path / 'out'
        shutil.rmtree(out, ignore_errors=True)
        (out / '.manifest').mkdir(parents=True)
        changed = json.dumps(mutate_value(content, rng))
        (out / 'manifest.json').write_text(changed)
        if number % 3 == 0:
            (out / 'manifest.json').write_bytes(mutate_bytes(json.dumps(content).encode(), rng))
        line = json.dumps(mutate_value(records[0], rng))
        (out / '.manifest/rank-3.jsonl').write_bytes(mutate_bytes((line + '\n' + line).encode(), rng) + b'\n')
        (out / '.manifest/rank-0.jsonl').write_text(line + '\n' + json.dumps(records[1]) + '\n')

        def restart(out: Path = out) -> None:
            manifest = Manifest(out)
            known = manifest.begin(['0.mp4', '1.mp4', 'new.mp4'], {})
            assert known['new.mp4']['status'] == 'pending'
            assert known['1.mp4']['status'] == 'ok'  # the journal's sound line counts whatever stands before it
            manifest.merge(last=True)
            read_manifest(out / 'manifest.json')

        hold(restart, UserError, f'manifest {number}')
