from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.face_curves import queue, tables
from benchmarks.face_curves.plan import Run
from benchmarks.face_curves.queue import add_arguments, plan, read_folders
from benchmarks.face_curves.runs import curve_of, predictions_file, result_file, train_one
from bmoe_ground.errors import UserError


def faces(folder: Path, count: int) -> Path:
    rng = np.random.default_rng(0)
    folder.mkdir()
    for i in range(count):
        pixels = rng.integers(0, 100, (64, 64, 3)) + 150 * (i % 2)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f'{20 + i}_{i % 2}_{i % 3}_{2017000 + i}.png')
    return folder


@pytest.mark.slow
def test_a_run_leaves_its_result_whole(tmp_path: Path) -> None:
    """One of the few trainings that are worth it: labelled and unlabelled faces, test, curve and probe."""
    run = Run('utkface', 'LDP-cells', 0.5, 0)
    train_one(run, faces(tmp_path / 'faces', 80), tmp_path / 'out', steps=2, ratio=1)
    result = json.loads(result_file(tmp_path / 'out', run).read_text())
    assert (result['labelled'], result['unlabelled'], result['target']) == (28, 56, 'LDP-cells')
    assert set(result['test']) == set(result['probe']) == {'gender', 'race'}
    assert [epoch for epoch, _ in result['curve']] == [1, 2]
    with np.load(predictions_file(tmp_path / 'out', run), allow_pickle=False) as arrays:
        right = arrays['score/gender'].argmax(axis=1) == arrays['label/gender']
    assert right.mean() == result['test']['gender']


def test_a_queue_passes_over_what_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started = []

    def pretend(command: list[str], **_: object) -> argparse.Namespace:
        started.append(command[4])
        run = Run(command[3], command[4], float(command[5]), int(command[6]))
        if run.target == 'RGB':
            return argparse.Namespace(returncode=1)
        rng = np.random.default_rng(run.seed)
        label = np.arange(40) % 2
        scores = np.eye(2)[label ^ (rng.random(40) < 0.2)]
        arrays = {f'{kind}/{task}': each for task in ('gender', 'race') for kind, each in
                  (('score', scores), ('label', label))}  # fmt: skip
        np.savez(predictions_file(tmp_path, run), **arrays)
        one = {'gender': 0.75, 'race': 0.5}
        result_file(tmp_path, run).write_text(json.dumps({'test': one, 'probe': one, 'curve': [[1, 0.5], [2, 0.75]]}))
        return argparse.Namespace(returncode=0)

    monkeypatch.setattr(queue.subprocess, 'run', pretend)
    monkeypatch.setattr(queue, 'shrink_images', lambda folder, out: folder)
    monkeypatch.setattr(tables, 'paired_interval', partial(tables.paired_interval, replicates=10))
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    words = ['--data', f'utkface={tmp_path}', '--out', str(tmp_path), '--shares', '0.1', '--seeds', '0', '1']
    words += ['--targets', 'none', 'RGB', 'HOG']
    assert queue.run(parser.parse_args(words)) == 1
    assert started == ['none', 'RGB', 'HOG'] * 2
    assert queue.run(parser.parse_args(words)) == 1
    assert started == ['none', 'RGB', 'HOG'] * 2 + ['RGB'] * 2
    printed = capsys.readouterr().out
    assert 'utkface_RGB_10%_seed0: failed' in printed
    assert '| none | 75.0 ± 0.0 |' in printed
    assert '| HOG | 75.0 ± 0.0, +0.0 [+0.0, +0.0] |' in printed
    assert '(gender, validation)' in printed


def test_curves_are_read_over_all_starts(tmp_path: Path) -> None:
    for start, lines in (('a', [(1, 0.5), (2, 0.6)]), ('b', [(2, 0.61), (3, 0.7)])):
        folder = tmp_path / start / 'vis_data'
        folder.mkdir(parents=True)
        texts = [json.dumps({'gender/accuracy': score, 'step': epoch}) for epoch, score in lines]
        (folder / 'scalars.json').write_text('\n'.join([json.dumps({'loss': 1.0, 'step': 9}), *texts]))
    assert curve_of(tmp_path, 'gender/accuracy') == [(1, 0.5), (2, 0.61), (3, 0.7)]


def test_wrong_words_are_named(tmp_path: Path) -> None:
    for word in ('utkface', 'celeba=/', f'utkface={tmp_path}/gone'):
        with pytest.raises(UserError, match='expected SET=FOLDER'):
            read_folders([word])
    with pytest.raises(UserError, match='--data is missing'):
        read_folders([])
    with pytest.raises(UserError, match='above 0 and up to 1'):
        plan(['utkface'], ['none'], [5], [0])
