from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.face_evidence.experiments import EXPERIMENTS
from benchmarks.face_evidence.reconstruction import examine, explained_variance
from benchmarks.face_evidence.runs import run_folder, run_one, shrink_images
from bmoe_ground.errors import UserError
from face_aux.models import ReconstructionPictures


def faces(folder: Path, count: int) -> Path:
    rng = np.random.default_rng(0)
    for i in range(count):
        pixels = rng.integers(0, 100, (90, 100, 3)) + 150 * (i % 2)
        folder.mkdir(exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f'{20 + i}_{i % 2}_{i % 3}_{2017000 + i}.jpg.chip.jpg')
    return folder


def test_small_copies_keep_names_and_are_made_once(tmp_path: Path) -> None:
    small = shrink_images(faces(tmp_path / 'faces', 2), tmp_path / 'small', side=45)
    copies = sorted(small.iterdir())
    assert [copy.name for copy in copies] == ['20_0_0_2017000.jpg.chip.jpg.png', '21_1_1_2017001.jpg.chip.jpg.png']
    assert Image.open(copies[0]).size == (50, 45)
    stamp = copies[0].stat().st_mtime_ns
    shrink_images(tmp_path / 'faces', small, side=45)
    assert copies[0].stat().st_mtime_ns == stamp
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match='no images'):
        shrink_images(tmp_path / 'empty', small)


@pytest.mark.slow
@pytest.mark.parametrize('variant', ['none', 'LDP'])
def test_one_run_trains_predicts_and_counts_its_cost(variant: str, tmp_path: Path) -> None:
    experiment = dataclasses.replace(EXPERIMENTS['utkface'], epochs=2)
    folder = run_folder(tmp_path, 'utkface', variant, 0)
    folder.mkdir(parents=True)
    run_one(experiment, variant, 0, faces(tmp_path / 'faces', 64), folder, None)
    with np.load(folder / 'predictions.npz', allow_pickle=False) as arrays:
        n = len(arrays['label/gender'])
        assert n == pytest.approx(64 * 0.2, abs=4)
        assert arrays['score/race'].shape == (n, 5)
        assert set(arrays['group/gender']) <= {'male', 'female'}
        np.testing.assert_allclose(arrays['score/gender'].sum(axis=1), 1, rtol=1e-5)
    assert (folder / 'cost.json').is_file()
    if variant == 'none':
        assert examine(tmp_path) == ''
    assert (folder / 'reconstructions').is_dir() == (variant == 'LDP')


class Decoded:
    """Stands for a model whose decoder gives a chosen picture."""

    def __init__(self, share: float) -> None:
        self.share = share

    def reconstruct(self, inputs: torch.Tensor) -> ReconstructionPictures:
        mask = torch.zeros(len(inputs), 4, dtype=torch.bool)
        mask[:, 1:] = True
        truth = inputs[:, :, None]
        hidden = self.hidden_pixels(mask)
        mean = truth.transpose(0, 1)[:, hidden[:, 0]].mean(dim=1).view(1, -1, 1, 1, 1)
        filled = torch.where(hidden, mean + self.share * (truth - mean), truth)
        return ReconstructionPictures(truth, mask, {'RGB': (truth, filled)})

    @staticmethod
    def hidden_pixels(mask: torch.Tensor) -> torch.Tensor:
        return mask.view(-1, 1, 1, 2, 2).repeat_interleave(3, 3).repeat_interleave(3, 4)


@pytest.mark.parametrize(('share', 'expected'), [(1.0, 1.0), (0.0, 0.0), (0.5, 0.75), (-1.0, -3.0)])
def test_explained_variance_by_construction(share: float, expected: float) -> None:
    generator = torch.Generator().manual_seed(0)
    images = [{'inputs': torch.randn(3, 6, 6, generator=generator)} for _ in range(20)]
    assert explained_variance(Decoded(share), images)['RGB'] == pytest.approx(expected, abs=1e-6)
