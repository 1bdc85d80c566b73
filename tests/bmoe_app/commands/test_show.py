"""bmoe show: two files named after the track, with what was asked drawn."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from skeleton_clips import write_tracks

from bmoe_app.commands.show import main


def test_both_files_are_written_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tracks(tmp_path / 'poses', 1, ('head',))
    track = tmp_path / 'poses' / 'head' / 'head_00.mp4.npz'
    assert main([str(track), '--out', str(tmp_path / 'look'), '--pictures', '2', '--max-size', '64']) == 0
    video, sheet = capsys.readouterr().out.split()
    assert (Path(video), Path(sheet)) == (tmp_path / 'look' / 'head_00.mp4', tmp_path / 'look' / 'head_00.png')
    capture = cv2.VideoCapture(video)
    assert (capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FRAME_WIDTH)) == (24, 64)
    assert cv2.imread(sheet) is not None
