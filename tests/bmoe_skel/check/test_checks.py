from __future__ import annotations

import json
import pickle
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from skeleton_clips import write_tracks
from warm_programs import run as run_program

from benchmarks.rehearsal import write_rehearsal
from bmoe_skel.check.checks import check_config, stance
from bmoe_skel.check.report import as_text
from pose_extract.skeletons import get_skeleton

REPO = Path(__file__).resolve().parents[3]
PIPELINE = [
    {'type': 'bmoe_skel.NormalizePose'},
    {'type': 'bmoe_skel.SampleFrames', 'num_frames': 8},
    {'type': 'bmoe_skel.PackPose'},
]
STANDING = np.array(
    [(5, 0), (6, -1), (4, -1), (7, 0), (3, 0), (8, 4), (2, 4), (9, 8), (1, 8), (9, 11), (1, 11), (7, 12), (3, 12)]
    + [(7, 18), (3, 18), (7, 24), (3, 24)],
    np.float32,
)  # coco17, facing the camera


def clip(i: int, label: int, subject: str = '', **changed):
    rng = np.random.default_rng(i)
    points = STANDING * 20 + rng.normal(0, 1, (1, 16, 17, 2)).astype(np.float32)
    return {'frame_dir': f'clip{i}', 'label': label, 'keypoint': points, 'subject': subject, **changed}


@pytest.fixture
def check(tmp_path):
    def run(train: list, val: list, model=None, **options):
        clips = train + val
        unique = list({c['frame_dir']: c for c in clips}.values())
        content = {
            'split': {'train': [c['frame_dir'] for c in train], 'val': [c['frame_dir'] for c in val]},
            'annotations': unique,
            'metainfo': {'classes': ['a', 'b'], 'layout': 'coco17'},
        }
        path = tmp_path / 'clips.pkl'
        path.write_bytes(pickle.dumps(content))
        dataset = {'type': 'bmoe_skel.PosePickleDataset', 'ann_file': str(path), 'pipeline': PIPELINE, **options}
        loaders = {f'{s}_dataloader': {'dataset': {**dataset, 'split': s}} for s in ('train', 'val')}
        return check_config(Config({'model': model or {}, **loaders}))

    return run


def lines(report, level: str) -> str:
    return '\n'.join(f'{f.split}: {f.text}' for f in report.findings if f.level == level)


def good(count: int = 24, first: int = 0, subject: str = 'p'):
    return [clip(first + i, i % 2, f'{subject}{i % 3}') for i in range(count)]


def test_good_data_passes(check) -> None:
    report = check(good(48), good(8, 100, 'q'))
    assert not report.failed
    assert lines(report, 'warning') == ''
    assert 'test: the config has no such data' in lines(report, 'note')
    assert 'clip' in as_text(report)


def test_shared_subjects_are_said_but_do_not_fail(check) -> None:
    report = check(good(48), good(8, 100))
    assert not report.failed
    assert 'all: train and val share 3 subjects (3 and 3 in all)' in lines(report, 'warning')


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (lambda train, val: val.append(train[0]), '1 clips are in train and val, first clip0'),
        (
            lambda train, val: val.append({**train[0], 'frame_dir': 'copy'}),
            '1 clips of train and val have equal keypoints, first clip0 = copy',
        ),
        (lambda train, val: train.__setitem__(0, clip(0, 7)), 'train: cannot be read: .*clip0: label 7'),
        (lambda train, val: [c.update(label=0) for c in train], 'train: 1 classes have no clip: b'),
        (
            lambda train, val: train.__setitem__(0, clip(0, 0, keypoint=np.zeros((1, 8, 28, 2)))),
            r'train: cannot be read: .*shape \(1, 8, 28, 2\)',
        ),
        (
            lambda train, val: [c.update(keypoint=c['keypoint'] * [1, -1]) for c in train],
            'train: in 100% of 48 clips the head is below the hips',
        ),
    ],
)
def test_what_would_fail_or_mislead(check, spoil, message) -> None:
    train, val = good(48), good(8, 100, 'q')
    spoil(train, val)
    report = check(train, val)
    assert report.failed
    assert re.search(message, lines(report, 'error')), lines(report, 'error')


def test_clips_of_nobody_are_left_out_and_said(check) -> None:
    train = good(48)
    train[0]['keypoint'] = np.full((1, 8, 17, 2), np.nan)
    report = check(train, good(8, 100, 'q'))
    assert 'nobody is seen in 1 clips, first clip0' in lines(report, 'warning') and not report.failed


def test_what_might(check) -> None:
    train = good(200)
    for c in train[:-3]:
        c['label'] = 0
    for c in train[-3:]:
        c['label'] = 1
    train[0]['keypoint'] = train[0]['keypoint'][:, :2]
    train[1]['keypoint'] = np.repeat(train[1]['keypoint'][:, :1], 9, 1)
    for c in train[2:]:
        c['keypoint'] = c['keypoint'] * [-1, 1]
    found = lines(check(train, [clip(900, 0)]), 'warning')
    assert 'train: 1 classes have fewer than 20 clips: b 3' in found
    assert 'a long tail, and model.head.loss.balance is not set' in found
    assert 'fewer than 4 frames in 1 of 200 clips (clip0)' in found
    assert 'nothing moves in 1 of 200 clips (clip1)' in found
    assert 'left is left in the picture' in found
    assert 'val: 1 classes have no clip and no part in its score: b' in found
    model = {'head': {'loss': {'balance': 'class_balanced'}}}
    assert 'long tail' not in lines(check(train, [clip(900, 0)], model), 'warning')


def test_stance_by_hand() -> None:
    points, visible = np.repeat(STANDING[None], 3, 0), np.ones((3, 17), bool)
    layout = get_skeleton('coco17')
    assert stance(points, visible, layout) == (1, 0)
    assert stance(points * [-1, -1], visible, layout) == (0, 1)
    visible[:, list(layout.hips)] = False
    assert np.isnan(stance(points, visible, layout)[0])
    assert np.isnan(stance(np.zeros((3, 17, 3)), visible, layout)).all()


@pytest.mark.slow
def test_tool_on_the_rehearsal_set(tmp_path) -> None:
    write_rehearsal(tmp_path / 'ma52', scale=0.005)
    command = ['tools/check_dataset.py', 'configs/bmoe_skel_ma52.py', '--samples', '20']
    command += ['--sheet', str(tmp_path / 'sheet.png'), '--json', str(tmp_path / 'check.json'), '--cfg-options']

    def run(folder: Path) -> subprocess.CompletedProcess:
        return run_program([*command, f'dataset.data_root={folder}'])

    done = run(tmp_path / 'ma52')
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'share' in done.stdout
    assert (tmp_path / 'sheet.png').stat().st_size > 10_000
    found = json.loads((tmp_path / 'check.json').read_text())
    assert found['splits']['train']['class_counts']['nodding'] >= 3
    assert found['splits']['test']['class_counts'] is None
    path = tmp_path / 'ma52' / 'train_list_videos.txt'
    path.write_bytes(path.read_bytes() + b'0003_01_99999.mp4 9\r\n')
    done = run(tmp_path / 'ma52')
    assert done.returncode == 1
    assert 'error: train: cannot be read' in done.stdout
    assert "clip '0003_01_99999.mp4' has no keypoints" in done.stdout
    assert run_program([command[0], 'none.py']).returncode == 2


def test_tracks(tmp_path) -> None:
    tracks = write_tracks(tmp_path / 'poses', 8)
    dataset = {'type': 'bmoe_skel.TrackDataset', 'tracks': str(tracks), 'pipeline': PIPELINE, 'crops': False}
    loaders = {f'{s}_dataloader': {'dataset': {**dataset, 'split': s}} for s in ('train', 'val', 'test')}
    report = check_config(Config({'model': {}, **loaders}))
    assert set(report.facts) == {'train', 'val', 'test'}
    assert sum(len(f.names) for f in report.facts.values()) == 24
    assert 'cannot be read' not in lines(report, 'error')
