"""The commands of training and testing, on tracks of a person who moves one part of the body."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from skeleton_clips import write_tracks
from warm_programs import run as run_program

from bmoe_ground.errors import UserError
from mm_runtime.cli import test_main as run_test
from mm_runtime.cli import train_main as run_train

REPO = Path(__file__).resolve().parents[2]
CONFIG = f"""
_base_ = ['{REPO}/configs/bmoe_skel.py']
model = dict(dims=32, expert=dict(dims=(16, 16)), global_stream=dict(dims=(16, 16), depths=(1, 1)))
num_frames = 16
train_dataloader = dict(batch_size=5, num_workers=WORKERS, persistent_workers=WORKERS > 0)
val_dataloader = dict(num_workers=0, persistent_workers=False)
test_dataloader = dict(num_workers=0, persistent_workers=False)
train_cfg = dict(max_epochs=4, val_interval=2)
param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=True, T_max=4, convert_to_iter_based=True)]
"""


@pytest.fixture(scope='module')
def tracks(tmp_path_factory) -> Path:
    return write_tracks(tmp_path_factory.mktemp('tracks') / 'poses', 10)


@pytest.fixture
def config(tmp_path, tracks):
    def write(workers: int = 0, extra: str = '') -> str:
        path = tmp_path / 'config.py'
        path.write_text(CONFIG.replace('WORKERS', str(workers)) + extra)
        return str(path)

    return write


def options(tracks: Path) -> list[str]:
    return ['--cfg-options', f'dataset.tracks={tracks}']


def weights(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)['state_dict']


@pytest.mark.slow
def test_trains_tests_and_reports(config, tracks, tmp_path, capsys) -> None:
    work = tmp_path / 'work'
    run_train([config(), '--work-dir', str(work), *options(tracks), 'train_cfg.max_epochs=25'])
    checkpoint = work / 'epoch_25.pth'
    dump = ['--dump', str(work / 'p.pkl')]
    assert run_test([config(), str(checkpoint), '--work-dir', str(work), *dump, *options(tracks)]) == 0
    metrics = json.loads((work / 'metrics.json').read_text())
    assert metrics['f1_macro'] > 0.8  # chance is a third
    assert metrics['top1'] == pytest.approx(metrics['f1_micro'])
    printed = capsys.readouterr().out
    assert 'f1_macro' in printed
    assert 'router trusts' in printed
    assert (work / 'report.png').stat().st_size > 10_000
    assert 'Content-Security-Policy' in (work / 'report.html').read_text()
    routing = json.loads((work / 'routing.json').read_text())
    assert all(sum(weights.values()) == pytest.approx(1, abs=1e-3) for weights in routing.values())
    assert (work / 'p.pkl').stat().st_size > 100

    saved = torch.load(checkpoint, weights_only=True)
    assert saved['meta']['dataset_meta']['classes'] == ['arms', 'head', 'legs']
    assert saved['meta']['dataset_meta']['skeleton'] == 'coco17'
    assert 'NormalizePose' in saved['meta']['cfg']


@pytest.mark.slow
def test_neither_a_stop_nor_workers_change_the_weights_by_a_bit(config, tracks, tmp_path) -> None:
    straight, stopped = tmp_path / 'straight', tmp_path / 'stopped'
    run_train([config(0), '--work-dir', str(straight), *options(tracks)])
    # the schedule must not know of the stop, so the run is cut by killing its loop, not by fewer epochs
    stop = 'custom_hooks = dict(StopAfter=dict(epochs=2))\n'
    with pytest.raises(KeyboardInterrupt):
        run_train([config(2, stop), '--work-dir', str(stopped), *options(tracks)])
    assert not (stopped / 'epoch_4.pth').exists()
    run_train([config(2), '--work-dir', str(stopped), '--resume', *options(tracks)])
    one, two = (torch.load(folder / 'epoch_4.pth', weights_only=True) for folder in (straight, stopped))
    for part in ('state_dict', 'ema_state_dict'):
        assert one[part].keys() == two[part].keys()
        assert all(torch.equal(one[part][key], two[part][key]) for key in one[part]), part
    for a, b in zip(one['optimizer']['state'].values(), two['optimizer']['state'].values(), strict=True):
        assert all(torch.equal(a[key], b[key]) for key in a)
    assert one['param_schedulers'] == two['param_schedulers']


@pytest.mark.slow
def test_amp_and_no_validate(config, tracks, tmp_path) -> None:
    work = tmp_path / 'work'
    run_train([config(), '--work-dir', str(work), '--amp', '--no-validate', '--auto-scale-lr', *options(tracks)])
    assert all(torch.isfinite(value.float()).all() for value in weights(work / 'epoch_4.pth').values())
    assert not list(work.glob('best_*'))


class TestMistakes:
    def test_wrong_key_is_named(self, config, tracks, tmp_path) -> None:
        with pytest.raises(UserError, match=r'dpeth'):
            run_train([config(extra="model['dpeth'] = 3\n"), '--work-dir', str(tmp_path / 'w'), *options(tracks)])

    def test_class_count_that_does_not_match(self, config, tracks, tmp_path) -> None:
        with pytest.raises(UserError, match='num_classes is 7, but the data has 3'):
            run_train([config(), '--work-dir', str(tmp_path / 'w'), *options(tracks), 'model.num_classes=7'])

    def test_unknown_model_and_transform(self, config, tracks, tmp_path) -> None:
        with pytest.raises(UserError, match="unknown model type 'BMOE'"):
            run_train([config(), '--work-dir', str(tmp_path / 'w'), *options(tracks), 'model.type=BMOE'])
        extra = "train_dataloader['dataset'] = dict(pipeline=[dict(type='NormalisePose')])\n"
        with pytest.raises(UserError, match='NormalisePose'):
            run_train([config(extra=extra), '--work-dir', str(tmp_path / 'w'), *options(tracks)])

    def test_checkpoint_of_another_skeleton(self, config, tracks, tmp_path) -> None:
        meta = {'dataset_meta': {'skeleton': 'ntu25', 'classes': ['arms', 'head', 'legs']}}
        torch.save({'state_dict': {'w': torch.ones(1)}, 'meta': meta}, tmp_path / 'other.pth')
        with pytest.raises(UserError, match="trained with skeleton = 'ntu25', the data has skeleton = 'coco17'"):
            run_test([config(), str(tmp_path / 'other.pth'), '--work-dir', str(tmp_path / 'w'), *options(tracks)])

    def test_checkpoint_of_another_model(self, config, tracks, tmp_path) -> None:
        torch.save({'state_dict': {'w': torch.ones(1)}, 'meta': {}}, tmp_path / 'other.pth')
        with pytest.raises(UserError, match=r"other\.pth does not fit the config's model"):
            run_test([config(), str(tmp_path / 'other.pth'), '--work-dir', str(tmp_path / 'w'), *options(tracks)])

    def test_resume_from_nowhere(self, config, tracks, tmp_path) -> None:
        with pytest.raises(UserError, match=r'--resume: checkpoint not found: nowhere\.pth'):
            run_train([config(), '--work-dir', str(tmp_path / 'w'), '--resume', 'nowhere.pth', *options(tracks)])

    def test_the_tool_ends_with_2_and_no_traceback(self, tmp_path) -> None:
        done = run_program([REPO / 'tools/train.py', REPO / 'configs/bmoe_skel.py'], cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr.startswith('error: no folder of tracks: poses')
        assert 'Traceback' not in done.stderr


def test_importing_the_package_loads_no_pose_toolbox() -> None:
    code = (
        'import sys, bmoe_skel.models, bmoe_skel.datasets, bmoe_skel.transforms, bmoe_skel.metrics, face_aux; '
        "print([m for m in ('mmpose', 'mmdet', 'mediapipe', 'timm', 'torchvision') if m in sys.modules])"
    )
    environment = {**os.environ, 'PYTHONPATH': str(REPO)}
    done = subprocess.run([sys.executable, '-c', code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'


@pytest.fixture(autouse=True)
def stop_hook():
    from mmengine.hooks import Hook
    from mmengine.registry import HOOKS

    @HOOKS.register_module(name='StopAfter', force=True)
    class StopAfter(Hook):
        priority = 'LOWEST'

        def __init__(self, epochs: int) -> None:
            self.epochs = epochs

        def before_train_epoch(self, runner) -> None:
            if runner.epoch >= self.epochs:
                np.random.seed(1)  # noqa: NPY002  (a real stop leaves the generators in no known state)
                torch.manual_seed(1)
                raise KeyboardInterrupt

    yield
