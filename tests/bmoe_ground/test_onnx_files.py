"""ONNX files: nothing is written that answers otherwise than torch, and nothing is opened but the file itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bmoe_ground.errors import UserError
from bmoe_ground.onnx_files import read_onnx, write_onnx

pytest.importorskip('onnxruntime')
pytest.importorskip('onnx')

AXES = {'x': {0: 'rows'}, 'y': {0: 'rows'}}
SAMPLES = [{'x': torch.rand(2, 3)}, {'x': torch.rand(5, 3)}]


class Double(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor]:
        return (2 * x,)


class Frozen(torch.nn.Module):
    """Its length is a Python number, which the export keeps as it was."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor]:
        return (x + len(x),)


def test_write_and_read(tmp_path: Path) -> None:
    path = tmp_path / 'double.onnx'
    assert write_onnx(path, Double(), SAMPLES, ['y'], AXES, {'format': 'double 1'}) == 0
    session, facts = read_onnx(path)
    assert facts == {'format': 'double 1'}
    np.testing.assert_array_equal(session.run(None, {'x': np.ones((7, 3), np.float32)})[0], np.full((7, 3), 2))


def test_an_answer_that_depends_on_a_frozen_size_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='not written: it differs from torch by 3'):
        write_onnx(tmp_path / 'frozen.onnx', Frozen(), SAMPLES, ['y'], AXES, {})
    assert not list(tmp_path.iterdir())


def test_a_folder_is_no_network(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='cannot be read'):
        read_onnx(tmp_path)
