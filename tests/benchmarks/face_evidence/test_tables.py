from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score

from benchmarks.face_evidence.experiments import EXPERIMENTS
from benchmarks.face_evidence.floor import FLOOR, floor_file
from benchmarks.face_evidence.runs import run_folder
from benchmarks.face_evidence.tables import (
    accuracy_gap,
    all_tables,
    by_group,
    paired_interval,
    positive_rate,
    task_accuracy,
    task_auc,
    task_balanced_accuracy,
)
from bmoe_ground.errors import UserError
from face_aux.models import TextureJointModel
from face_aux.structures import FaceSample


def predictions(seed: int, skill: float, n: int = 400, task: str = 'sex', classes: int = 2) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)  # the same people in every run
    label = rng.integers(classes, size=n)
    groups = rng.choice(['a', 'b', 'rare'], size=n, p=[0.6, 0.37, 0.03])
    noise = np.random.default_rng(seed + 1).random((n, classes))
    scores = noise + skill * np.eye(classes)[label]
    return {f'score/{task}': scores / scores.sum(1, keepdims=True), f'label/{task}': label, 'group/race': groups}


def test_statistics_equal_scikit_learn() -> None:
    arrays = predictions(0, 0.4)
    label, scores = arrays['label/sex'], arrays['score/sex']
    assert task_accuracy('sex')(arrays) == pytest.approx(accuracy_score(label, scores.argmax(1)))
    assert task_balanced_accuracy('sex')(arrays) == pytest.approx(balanced_accuracy_score(label, scores.argmax(1)))
    assert task_auc('sex')(arrays) == pytest.approx(roc_auc_score(label, scores[:, 1]))
    assert positive_rate('sex')(arrays) == pytest.approx(np.mean(scores[:, 1] > 0.5))


def test_gap_leaves_small_groups_out() -> None:
    arrays = predictions(0, 0.4)
    right = arrays['score/sex'].argmax(1) == arrays['label/sex']
    shares = {name: right[arrays['group/race'] == name].mean() for name in ('a', 'b')}
    assert (arrays['group/race'] == 'rare').sum() < 20
    assert by_group(arrays, 'race', right) == pytest.approx(shares)
    assert accuracy_gap('sex', 'race')(arrays) == pytest.approx(abs(shares['a'] - shares['b']))


def test_interval_covers_a_null_and_finds_a_real_difference() -> None:
    runs = [predictions(seed, 0.4) for seed in range(3)]
    same = [predictions(seed + 10, 0.4) for seed in range(3)]
    better = [predictions(seed + 10, 0.8) for seed in range(3)]
    difference, low, high = paired_interval(same, runs, task_accuracy('sex'), replicates=80)
    assert low < 0 < high
    assert difference == pytest.approx(
        np.mean([task_accuracy('sex')(a) for a in same]) - np.mean([task_accuracy('sex')(a) for a in runs])
    )
    difference, low, high = paired_interval(better, runs, task_accuracy('sex'), replicates=80)
    assert 0 < low < difference < high
    assert paired_interval(runs, runs, task_accuracy('sex'), replicates=20) == (0, 0, 0)


def test_tables_name_every_variant_and_missing_runs(tmp_path: Path) -> None:
    for variant in EXPERIMENTS['fer2013'].variants:
        for seed in (0, 1):
            folder = run_folder(tmp_path, 'fer2013', variant, seed)
            folder.mkdir(parents=True)
            np.savez(folder / 'predictions.npz', **predictions(seed, 0.4, task='emotion', classes=7))
            cost = {'cpu_seconds': 20.0 if variant == 'LDP-planes' else 10.0, 'peak_mebibytes': 100.0}
            (folder / 'cost.json').write_text(json.dumps(cost))
    path = floor_file(tmp_path, 'fer2013')
    path.parent.mkdir()
    np.savez(path, **predictions(5, 0.8, task='emotion', classes=7))
    text = all_tables(tmp_path, [0, 1], replicates=20)
    first = next(line for line in text.splitlines() if FLOOR in line)
    better = 100 * task_accuracy('emotion')(predictions(5, 0.8, task='emotion', classes=7))
    assert first.startswith(f'| {FLOOR} | {better:.1f} | +')
    accuracies = [100 * task_accuracy('emotion')(predictions(s, 0.4, task='emotion', classes=7)) for s in (0, 1)]
    assert f'| none | {np.mean(accuracies):.1f} ± {np.std(accuracies, ddof=1):.1f} | – |' in text
    assert '| fer2013 | LDP-planes | 20 | 2.00 | 100 | +0 |' in text
    assert 'utkface' not in text
    with pytest.raises(UserError, match='not finished'):
        all_tables(tmp_path, [0, 1, 2])


def test_every_experiment_has_a_baseline_and_a_config(tmp_path: Path) -> None:
    for experiment in EXPERIMENTS.values():
        for variant, chosen in experiment.variants.items():
            cfg = experiment.make_config(variant, tmp_path)
            assert (cfg.model.auxiliary is None) == (chosen is None)
            assert cfg.train_dataloader.dataset.data_root == str(tmp_path)
            kinds = [t['type'] for t in cfg.train_dataloader.dataset.pipeline]
            assert kinds[0] == 'LoadFace'
            assert kinds.index('RandomFlip') < kinds.index('KeepTextureSource') < kinds.index('Normalize')
            assert kinds[-1] == 'PackFaceInputs'
            if variant == 'LDP':  # SSAT's weights stay what the plain name means
                assert dict(cfg.model.auxiliary.weights) == {'type': 'fixed', 'primary': 0.1, 'auxiliary': 0.9}


def test_every_experiment_describes_a_model_that_learns(tmp_path: Path) -> None:
    for experiment in EXPERIMENTS.values():
        cfg = experiment.make_config('LDP-planes', tmp_path)
        options = {key: value for key, value in cfg.model.items() if key != 'type'}
        model = TextureJointModel(**{**options, 'heads': {'fake': {'num_classes': 2}}})
        side = experiment.network.side
        losses = model(
            torch.randn(2, 3, side, side),
            [FaceSample(gt={'fake': i}) for i in range(2)],
            torch.randint(0, 256, (2, 3, side, side), dtype=torch.uint8),
            mode='loss',
        )
        (losses['loss_primary'] + losses['loss_auxiliary']).backward()
        assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
