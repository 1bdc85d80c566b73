"""bmoe export: one command for both kinds of model."""

from __future__ import annotations

from pathlib import Path

import pytest
from skeleton_clips import write_checkpoint

from bmoe_app.commands.export import main
from bmoe_ground.errors import UserError

pytest.importorskip('onnxruntime')
pytest.importorskip('onnx')


def test_a_skeleton_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / 'new' / 'model.onnx'
    assert main([str(write_checkpoint(tmp_path / 'model.pth')), '--out', str(out)]) == 0
    assert 'differs from torch by at most' in capsys.readouterr().out
    assert out.stat().st_size > 10_000
    assert Path(f'{out}.json').is_file()


def test_what_is_wrong_with_the_call_is_said_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='must end in .onnx or .pt2'):
        main([str(tmp_path / 'gone.pth'), '--out', str(tmp_path / 'model.tflite')])
    with pytest.raises(UserError, match='gone.pth'):
        main([str(tmp_path / 'gone.pth'), '--out', str(tmp_path / 'model.onnx')])
