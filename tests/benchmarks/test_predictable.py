from __future__ import annotations

import argparse
from pathlib import Path

import face_trees as trees
import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from benchmarks.predictable import ALPHAS, add_arguments, load, mean_auc, measure, ridge, run
from bmoe_ground.errors import UserError
from face_aux.models.targets import Target


def test_ridge_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    known, asked, values = rng.normal(size=(30, 5)), rng.normal(size=(7, 5)) + 1, rng.normal(size=(30, 3))
    fit = ridge(known, asked)(values)
    for alpha in ALPHAS:
        expected = Ridge(alpha=alpha).fit(known, values).predict(asked)
        np.testing.assert_allclose(fit(alpha), expected, atol=1e-9)


def test_auc_is_scikit_learns() -> None:
    rng = np.random.default_rng(1)
    truth, scores = (rng.random((50, 4)) < 0.4).astype(float), rng.random((50, 4)).round(1)
    truth[:, 3] = 1
    assert mean_auc(truth, scores) == pytest.approx(
        np.mean([roc_auc_score(truth[:, i], scores[:, i]) for i in range(3)])
    )


def test_smooth_is_told_and_noise_is_not() -> None:
    rng = np.random.default_rng(2)
    slope = rng.uniform(-3, 3, (60, 2, 1, 1))
    y, x = np.mgrid[:24, :24] - 11.5
    ramps = 128 + slope[:, 0] * y + slope[:, 1] * x
    noise = rng.integers(0, 256, (60, 24, 24))
    wanted = {'RGB': Target('RGB'), 'LBP bits': Target('LBP', 'planes')}
    found = []
    for images in (ramps, noise):
        pixels = torch.from_numpy(images.round().astype(np.uint8))[:, None, None].expand(-1, 3, -1, -1, -1)
        found.append(measure(pixels.contiguous(), 4, 4, folds=4, wanted=wanted))
    smooth, rough = found
    assert smooth['RGB']['ring'] > 0.99
    assert abs(rough['RGB']['ring']) < 0.05
    assert rough['LBP bits']['auc_ring'] < 0.6 < 0.8 < smooth['LBP bits']['auc_ring']


def test_the_command_prints_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(10):
        trees.image(tmp_path / f'{i}.png', seed=i)
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    words = [str(tmp_path), '--side', '12', '--patch', '4', '--folds', '2', '--json', str(tmp_path / 'out.json')]
    assert run(parser.parse_args(words)) == 0
    printed = capsys.readouterr().out
    assert printed.startswith('10 faces of ')
    assert '| HOG, 2 x 2 cells | ' in printed
    assert (tmp_path / 'out.json').is_file()
    with pytest.raises(UserError, match='three or more times'):
        run(parser.parse_args([str(tmp_path), '--side', '20']))
    with pytest.raises(UserError, match='expected 1 to 4 pixels'):
        run(parser.parse_args([*words, '--ring', '5']))
    with pytest.raises(UserError, match='at least 10'):
        load(tmp_path, 24, 9)
