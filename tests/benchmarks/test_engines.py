from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import engines
from benchmarks.engines import Spent, compare
from bmoe_ground.errors import UserError

Capture = pytest.CaptureFixture[str]
REPO = Path(__file__).resolve().parents[2]


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    engines.add_arguments(parser)
    return engines.run(parser.parse_args(list(words)))


@pytest.mark.slow
def test_all_sides_leave_the_same_tracks_and_nothing_else(
    make_video: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    pytest.importorskip('ray', reason='Ray is not installed: pip install .[ray]')
    monkeypatch.setenv('PYTHONPATH', f'{REPO}:{REPO / "tests" / "helpers"}')
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path / 'temporary'))
    (tmp_path / 'temporary').mkdir()
    video = make_video(frames=3)
    assert run(str(video), '--copies', '3', '--frames', '5', '--backend', 'block_estimator:Slow') == 0
    said = capsys.readouterr().out.splitlines()
    assert said[1] == 'clip.mp4: 3 copies of 5 frames of 64x48; backend block_estimator:Slow'
    assert [line[:28].strip() for line in said[3:6]] == [
        '(a) one process', '(b) --jobs 2', '(c) --engine ray --jobs 2'
    ]  # fmt: skip
    assert [line.count('(') for line in said[3:6]] == [
        1,
        2,
        3,
    ]  # its letter, and a ratio to each side before it, to two
    assert said[-1] == 'track files: 3, 3, 3 of 3; the same bytes on all sides'
    assert list((tmp_path / 'temporary').iterdir()) == []
    # what a side says is wrong ends the benchmark
    with pytest.raises(UserError, match='--engine ray --jobs 2: exit code 2: .*nonsense'):
        run(str(video), '--copies', '2', '--backend', 'nonsense')


def test_tracks_that_differ_or_are_missing_are_told(tmp_path: Path, capsys: Capture) -> None:
    outs = [tmp_path / name for name in 'abc']
    for out in outs:
        out.mkdir()
        for number in range(2):
            (out / f'{number}.mp4.npz').write_bytes(bytes([number]))
    assert compare(outs, 2) == 0
    assert compare(outs, 3) == 1
    assert 'track files: 2, 2, 2 of 3; the same bytes' in capsys.readouterr().out
    (outs[2] / '1.mp4.npz').write_bytes(b'other')
    assert compare(outs, 2) == 1
    assert '1 differ, the first of them 1.mp4.npz' in capsys.readouterr().out
    (outs[2] / '1.mp4.npz').unlink()
    assert compare(outs, 2) == 1
    assert 'track files: 2, 2, 1 of 2; 1 differ' in capsys.readouterr().out


def test_ratios_of_the_whole_and_of_the_work_alone() -> None:
    line = engines._line('(c)', [Spent(1, 30, 1), Spent(2, 20, 2), Spent(5, 10, 1)])
    assert line.split() == ['(c)', '16.0', '5.0', '10.0', '1.0', '2.00', '(3.00)', '1.50', '(2.00)']


def test_what_is_refused(make_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    video = str(make_video())
    with pytest.raises(UserError, match='--copies: must be at least 1, got 0'):
        run(video, '--copies', '0')
    monkeypatch.setattr(engines, 'find_spec', lambda name: None)
    with pytest.raises(UserError, match=r"Ray is not installed: pip install 'bmoe-skel\[ray\]'"):
        run(video)
