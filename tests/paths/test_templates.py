"""The templates for one's own clips and faces, trained for an epoch on generated data, and what is printed then."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skeleton_clips import write_tracks
from warm_programs import run as run_program

from bmoe_ground.errors import UserError
from mm_runtime.cli import train_main

REPO = Path(__file__).resolve().parents[2]


def run(folder: Path, tool: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    done = run_program([REPO / 'tools' / f'{tool}.py', *arguments], cwd=folder)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done


def follow(folder: Path, printed: str) -> subprocess.CompletedProcess[str]:
    """Run the command that a tool named as the next."""
    (command,) = [line for line in printed.splitlines() if line.startswith('next: ')]
    python, *words = shlex.split(command.removeprefix('next: '))
    assert python == 'python'
    return run_program(words, cwd=folder)


@pytest.mark.slow
@pytest.mark.parametrize('labels', ['folders', 'file'])
def test_own_clips(tmp_path: Path, labels: str) -> None:
    write_tracks(tmp_path / 'poses', 10)
    options = []
    if labels == 'file':
        names = sorted(file.relative_to(tmp_path / 'poses') for file in (tmp_path / 'poses').rglob('*.npz'))
        lines = [f'{name.as_posix().removesuffix(".npz")},{["a", "b"][i % 2]}' for i, name in enumerate(names)]
        (tmp_path / 'labels.csv').write_text('\n'.join(['video,label', *lines]))
        options = ['--cfg-options', 'dataset.ann_file=labels.csv']
    done = run(tmp_path, 'train', 'own_clips', '--epochs', '1', *options)
    lines = done.stdout.splitlines()
    expected = 'val 6; 3 classes (arms, head, legs)' if labels == 'folders' else 'val 4; 2 classes (a, b)'
    assert lines[0] == f'data: clips train 18, {expected}'
    assert lines[1].startswith('model: BMoE, 0.19 M parameters, on ') and lines[1].endswith('; 1 epochs of 2 steps')
    assert not any('deprecated' in line or 'Exp name' in line for line in lines)
    assert done.stderr == ''
    work = tmp_path / 'work_dirs' / 'own_clips'
    best = torch.load(work / 'best.pth', weights_only=True)['state_dict']
    (chosen,) = work.glob('best_f1_macro_epoch_*.pth')
    assert all(
        torch.equal(value, best[key]) for key, value in torch.load(chosen, weights_only=True)['state_dict'].items()
    )

    tested = follow(tmp_path, done.stdout)
    assert tested.returncode == 0, tested.stderr
    assert tested.stdout.count('f1_macro') == 1  # said once
    predicted = follow(tmp_path, tested.stdout)
    assert predicted.returncode == 0, predicted.stderr


@pytest.mark.slow
def test_own_faces(tmp_path: Path) -> None:
    pytest.importorskip('timm')
    rng = np.random.default_rng(0)
    root = tmp_path / 'data' / 'my_faces'
    root.mkdir(parents=True)
    rows = ['path,expression']
    for i in range(40):
        pixels = rng.integers(0, 100, (40, 40, 3)) + 100 * (i % 2)
        Image.fromarray(pixels.astype(np.uint8)).save(root / f'{i}.png')
        rows.append(f'{i}.png,{("neutral", "smile")[i % 2]}')
    (root / 'labels.csv').write_text('\n'.join(rows))
    options = ['size=32', 'model.encoder.embed_dim=32', 'model.encoder.depth=1', 'model.encoder.num_heads=4']
    options += [f'{part}_dataloader.{key}' for part in ('train', 'val', 'test')
                for key in ('num_workers=0', 'persistent_workers=false', 'batch_size=14')]  # fmt: skip
    done = run(tmp_path, 'train', 'own_faces', '--epochs', '1', '--cfg-options', *options)
    assert done.stdout.startswith('data: images train 28, val 4; expression: 2 classes (neutral, smile)\n')
    assert done.stderr == ''
    tested = follow(tmp_path, done.stdout)
    assert tested.returncode == 0, tested.stderr
    assert 'next: ' in tested.stdout and 'predict_faces.py photos/ --checkpoint ' in tested.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['model.dpeth=3'], "BMoE has no argument 'dpeth'; it takes: "),
        (['model.drop_paht=0.3'], "BMoE has no argument 'drop_paht'; did you mean 'drop_path'?; it takes: "),
        (['train_pipeline.RandomJitter.jiont=1'], "RandomJitter has no argument 'jiont'; did you mean 'joint'?"),
        (['dataset.trakcs=poses'], "TrackDataset has no argument 'trakcs'; did you mean 'tracks'?"),
        (['early_stop.patiense=1'], "StopEarlyHook has no argument 'patiense'; did you mean 'patience'?"),
        (
            ['optim_wrapper.optimizer.wieght_decay=1'],
            "AdamW has no argument 'wieght_decay'; did you mean 'weight_decay'?",
        ),
        (['param_scheduler.LinearLR.start_facto=1'], "did you mean 'start_factor'?"),
        (['val_evaluator.topkk=1'], "ActionMetric has no argument 'topkk'; did you mean 'topk'?"),
    ],
)
def test_typing_mistakes_are_one_line(tmp_path: Path, monkeypatch, options: list[str], message: str) -> None:
    write_tracks(tmp_path / 'poses', 10)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        train_main(['bmoe_skel_small', '--cfg-options', *options])
    assert message in str(caught.value)
    assert '\n' not in str(caught.value)
