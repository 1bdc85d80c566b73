"""bmoe show: two files named after the track, with what was asked drawn."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from skeleton_clips import write_tracks

from bmoe_app.commands import show
from bmoe_app.commands.show import main
from pose_extract.tracks import PoseTracks, save_tracks


def test_both_files_are_written_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tracks(tmp_path / 'poses', 1, ('head',))
    track = tmp_path / 'poses' / 'head' / 'head_00.mp4.npz'
    assert main([str(track), '--out', str(tmp_path / 'look'), '--pictures', '2', '--max-size', '64']) == 0
    video, sheet = capsys.readouterr().out.splitlines()[:2]  # a third says that PyAV is missing
    assert (Path(video), Path(sheet)) == (tmp_path / 'look' / 'head_00.mp4', tmp_path / 'look' / 'head_00.png')
    capture = cv2.VideoCapture(video)
    assert (capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FRAME_WIDTH)) == (24, 64)
    assert cv2.imread(sheet) is not None


def test_without_pyav_it_says_what_browsers_do_not_play(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keypoints = np.random.default_rng(0).uniform(5, 60, (1, 4, 17, 2))
    boxes = np.tile(np.array([0.0, 0, 64, 64]), (1, 4, 1))
    tracks = PoseTracks(keypoints, np.ones((1, 4, 17)), boxes, np.arange(4) / 25, (64, 64), 'coco17', {})
    save_tracks(tmp_path / 'a.mp4.npz', tracks)
    monkeypatch.setitem(sys.modules, 'av', None)
    assert show.main([str(tmp_path / 'a.mp4.npz'), '--out', str(tmp_path / 'look')]) == 0
    assert 'MPEG-4, which browsers do not play' in capsys.readouterr().out
