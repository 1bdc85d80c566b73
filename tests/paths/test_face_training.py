"""Training and testing through the project's own command lines, on a few synthetic faces."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from warm_programs import run as run_program

REPO = Path(__file__).resolve().parents[2]
SMALL = [
    'model.encoder.name=vit_tiny_patch16_224',
    'model.encoder.patch_size=6',
    'model.encoder.embed_dim=32',
    'model.encoder.depth=1',
    'model.encoder.num_heads=4',
    'train_dataloader.batch_size=8',
    'size=24',
    'train_cfg.max_epochs=2',
]


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """UTKFace-like chips: women are bright, men dark."""
    rng = np.random.default_rng(0)
    folder = tmp_path / 'faces'
    folder.mkdir()
    for i in range(60):
        gender, race, age = i % 2, i % 3, 20 + i % 50
        pixels = rng.integers(0, 100, (30, 30, 3)) + 120 * gender
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f'{age}_{gender}_{race}_{20170000000 + i}.jpg')
    return folder


def options(faces: Path) -> list[str]:
    given = list(SMALL)
    for part in ('train', 'val', 'test'):
        loader = f'{part}_dataloader'
        given += [
            f'{loader}.dataset.data_root={faces}',
            f'{loader}.num_workers=0',
            f'{loader}.persistent_workers=false',
        ]
    return given


def run(tool: str, *arguments: object, processes: int = 1) -> subprocess.CompletedProcess[str]:
    words = [f'tools/{tool}.py', *map(str, arguments)]
    if processes == 1:
        result = run_program(words)
    else:
        launcher = ['-m', 'torch.distributed.run', f'--nproc-per-node={processes}', '--master-port=29617']
        env = {**os.environ, 'PYTHONPATH': str(REPO), 'OMP_NUM_THREADS': '1'}
        result = subprocess.run([sys.executable, *launcher, *words], cwd=REPO, env=env, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    return result


def weights(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(path, map_location='cpu', weights_only=True)['state_dict']


@pytest.mark.slow
def test_train_stop_resume_and_test(faces: Path, tmp_path: Path) -> None:
    config, through, stopped = 'configs/face_aux/utkface.py', tmp_path / 'through', tmp_path / 'stopped'
    given = ['--cfg-options', *options(faces)]
    run('train', config, '--work-dir', through, *given)
    run('train', config, '--work-dir', stopped, *given, 'train_cfg.max_epochs=1')
    run('train', config, '--work-dir', stopped, '--resume', *given)
    resumed, whole = weights(stopped / 'epoch_2.pth'), weights(through / 'epoch_2.pth')
    assert all(torch.equal(resumed[name], value) for name, value in whole.items())
    assert (through / 'reconstructions' / 'epoch_002.png').is_file()

    run('test', config, through / 'epoch_2.pth', '--work-dir', tmp_path / 'tested', *given)
    metrics = json.loads((tmp_path / 'tested' / 'metrics.json').read_text())
    assert 0 <= metrics['gender/accuracy'] <= 1
    assert (tmp_path / 'tested' / 'fairness.html').is_file()


@pytest.mark.slow
def test_mixed_precision_two_processes_and_the_baseline(faces: Path, tmp_path: Path) -> None:
    config = 'configs/face_aux/utkface.py'
    given = ['--cfg-options', *options(faces)]
    run('train', config, '--work-dir', tmp_path / 'two', '--launcher', 'pytorch', '--amp', *given, processes=2)
    trained = weights(tmp_path / 'two' / 'epoch_2.pth')
    assert any(name.startswith('auxiliary.decoder') for name in trained)
    assert all(value.isfinite().all() for value in trained.values())
    run('train', config, '--work-dir', tmp_path / 'plain', *given, 'model.auxiliary=None')
    assert not any(name.startswith('auxiliary') for name in weights(tmp_path / 'plain' / 'epoch_2.pth'))


def test_a_descriptor_model_goes_through_the_same_commands(faces: Path, tmp_path: Path) -> None:
    config, work = tmp_path / 'mine.py', tmp_path / 'work'
    base = REPO / 'configs' / 'face_aux' / 'utkface_hog.py'
    described = "[dict(type='HOG', cell=8), dict(type='RGB', cells=2)]"
    config.write_text(f"_base_ = ['{base}']\nsize = 32\nmodel = dict(descriptors={described})\n")
    kept = [each for each in options(faces) if not each.startswith(('model.encoder', 'size', 'train_cfg'))]
    given = ['--cfg-options', *kept]
    said = run('train', config, '--work-dir', work, *given).stdout
    assert 'DescriptorModel' in said
    assert bool(weights(work / 'best.pth')['fitted'])
    run('test', config, work / 'best.pth', '--work-dir', tmp_path / 'test', *given)
    metrics = json.loads((tmp_path / 'test' / 'metrics.json').read_text())
    assert metrics['gender/accuracy'] == 1.0
    assert (tmp_path / 'test' / 'fairness.html').is_file()
    out = tmp_path / 'faces.csv'
    run('predict_faces', faces, '--checkpoint', work / 'best.pth', '--detector', 'none', '--out', out)
    assert len(out.read_text().splitlines()) == 61
