from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.face_descriptors import SETS, add_arguments, all_labels, floor_scores, judge, measure_fold, run, table
from benchmarks.face_floor import open_config
from bmoe_ground.errors import UserError
from face_aux.models.descriptor_parts import ImageDescriptor


def striped(root: Path, count: int = 40) -> Path:
    """UTKFace names; the stripes of the men lie, those of the women stand."""
    rng = np.random.default_rng(0)
    root.mkdir(parents=True)
    for i in range(count):
        gender = i % 2
        waves = 128 + 100 * np.sin(np.arange(32) * 0.9 + rng.uniform(0, 6)) + rng.normal(0, 20, (32, 32))
        name = f'{20 + i}_{gender}_{i // 2 % 2}_{2017000 + i}.png'
        Image.fromarray(np.clip(waves if gender else waves.T, 0, 255).astype(np.uint8)).save(root / name)
    return root


def test_one_command_gives_a_row_a_set_and_the_choice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    faces, out = striped(tmp_path / 'faces'), tmp_path / 'figures.json'
    words = ['configs/face_aux/utkface.py', '--sets', 'RGB 16', 'HOG 64', '--folds', '2', '--repeats', '2']
    words += ['--no-floor', '--chips', str(faces), '--count', '40', '--out', str(out)]
    words += ['--cfg-options', f'dataset.data_root={faces}']
    assert run(parser.parse_args(words)) == 0
    figures = json.loads(out.read_text())
    assert list(figures) == ['RGB 16', 'HOG 64', 'chosen']
    assert all(len(found) == 4 for found in figures.values())
    assert [fold['accuracy'] for fold in figures['HOG 64']] == [1.0] * 4
    printed = capsys.readouterr().out
    assert '40 images, 2 folds, 2 times' in printed
    assert '| chosen |' in printed
    assert '| female (20) |' in printed


def test_the_choice_is_made_by_the_training_images_alone() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    train, test = np.arange(40), np.arange(40, 60)
    told = rng.normal(size=(60, 8)).astype(np.float32)
    told[:40, 0] += 5 * labels[:40]  # the test images are not told by it
    other = rng.normal(size=(60, 8)).astype(np.float32)
    other[40:, 0] += 5 * labels[40:]
    features = {'HOG 128': (told, [8]), 'LBP 128': (other, [3, 5])}
    found = measure_fold(features, list(features), labels, 2, train, test, no_floor=False)
    assert found['chosen'] == found['HOG 128'] != found['LBP 128']
    assert found['floor'] == judge(labels[test], floor_scores(told, labels, train, test))
    text = table({name: [row, row] for name, row in found.items()}, 60, 2, 1)
    assert text.splitlines()[2] == '| descriptors | accuracy | auc | accuracy above the floor | auc above the floor |'
    assert text.splitlines()[-1].endswith('| – | – |')


def test_every_set_can_be_built() -> None:
    for size, parts in SETS.values():
        assert ImageDescriptor(size, parts).num_features > 0


def test_a_task_that_is_not_there_is_refused(tmp_path: Path) -> None:
    options = [f'dataset.data_root={striped(tmp_path / "faces", 8)}']
    cfg = open_config('configs/face_aux/utkface.py', options)
    with pytest.raises(UserError, match=r"--task look: the tasks with one label an image are \['gender', 'race'\]"):
        all_labels(cfg, 'look')
    assert all_labels(cfg, 'gender')[0].tolist() == [0, 1] * 4
