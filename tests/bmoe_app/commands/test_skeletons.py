"""bmoe skeletons: a picture under the name that was asked for."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from bmoe_app.commands.skeletons import main


def test_the_sheet_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / 'sheet.png'
    assert main([str(out)]) == 0
    assert capsys.readouterr().out == f'{out}\n'
    height, width, _ = cv2.imread(str(out)).shape
    assert min(height, width) > 500
