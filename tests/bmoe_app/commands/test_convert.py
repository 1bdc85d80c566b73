"""bmoe convert: what was written and what failed, counted on the screen and in the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest
from skeleton_clips import write_tracks

from bmoe_app.commands.convert import SHOWN, main
from bmoe_ground.errors import UserError
from pose_extract.tracks import load_tracks


def test_all_and_some_of_the_clips(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    poses, out = write_tracks(tmp_path / 'poses', 1), tmp_path / 'poses18'
    assert main([str(poses), str(out), '--layout', 'openpose18', '--smooth', 'savgol']) == 0
    assert capsys.readouterr().out == f'3 clips (openpose18) written to {out}, 0 failed\n'
    tracks = load_tracks(out / 'head' / 'head_00.mp4.npz')
    assert (tracks.skeleton, tracks.provenance['smoothing']['smooth']) == ('openpose18', 'savgol')

    (poses / 'head' / 'bad.mp4.npz').write_bytes(b'nothing')
    assert main([str(poses), str(out), '--overwrite']) == 1
    assert capsys.readouterr().err.count('failed: ') == 1


def test_many_failures_are_counted_and_not_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    poses = tmp_path / 'poses'
    poses.mkdir()
    for i in range(SHOWN + 3):
        (poses / f'{i}.mp4.npz').write_bytes(b'nothing')
    with pytest.raises(UserError, match=f'none of its {SHOWN + 3} clips could be converted'):
        main([str(poses), str(tmp_path / 'out.pkl')])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == SHOWN + 1
    assert lines[-1] == 'failed: 3 more'
