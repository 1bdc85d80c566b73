"""The benchmark of the app: a real server and a real kill, and the verdict on made-up ends."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import local_app
from benchmarks.local_app import Copy, living_of_group, note, report, stamps
from bmoe_ground.errors import UserError

Capture = pytest.CaptureFixture[str]
REPO = Path(__file__).resolve().parents[2]
needs_proc = pytest.mark.skipif(not local_app.PROCESSES.is_dir(), reason='needs /proc')


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    local_app.add_arguments(parser)
    return local_app.run(parser.parse_args(list(words)))


@pytest.mark.slow
@needs_proc
def test_a_killed_server_loses_nothing_and_nothing_is_left_behind(
    make_video: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    pytest.importorskip('starlette', reason="needs the extra 'app'")
    monkeypatch.setenv('PYTHONPATH', f'{REPO}{os.pathsep}{REPO / "tests" / "helpers"}')
    monkeypatch.setenv('BLOCK_SECONDS', '0.05')
    monkeypatch.setattr(local_app, 'GONE_WITHIN', 120.0)  # that they end is tested, not how fast
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path / 'temporary'))
    (tmp_path / 'temporary').mkdir()
    words = [str(make_video()), '--copies', '2', '--seconds', '1', '--backend', 'block_estimator:Slow']
    assert run(*words, '--kill-after', '1') == 0
    said = capsys.readouterr().out.splitlines()
    assert said[1] == 'clip.mp4: 25 frames of 64x48, 2 copies; backend block_estimator:Slow'
    assert [line.startswith('the app is ready after') for line in said[2:5]] == [True, False, True]
    assert said[3].startswith('the server is killed: ') and 'further processes end' in said[3]
    rows = [line.split() for line in said[6:8]]
    assert [(row[0], row[1], row[-1]) for row in rows] == [('copy_1.mp4', '1.0', 'ok'), ('copy_2.mp4', '1.0', 'ok')]
    assert said[-1] == '2 of 2 answered at the end, 0 lost, 0 answered twice'
    assert list((tmp_path / 'temporary').iterdir()) == []
    # what the app says is wrong ends the benchmark
    with pytest.raises(UserError, match='the app ended at its start: .*nonsense'):
        run(*words[:-1], 'nonsense')


def finished(folder: Path, *names: str) -> None:
    for name in names:
        place = folder / 'items' / name
        place.mkdir(parents=True, exist_ok=True)
        for file in (local_app.RESULT, 'answer.json', 'answer.events.csv'):
            (place / file).write_text('{}')


def test_lost_and_answered_twice(tmp_path: Path, capsys: Capture) -> None:
    copies = [Copy(key, f'copy_{key}.mp4', 100.0) for key in 'ab']
    finished(tmp_path, 'a')
    before = stamps(tmp_path, copies)
    assert list(before) == ['a']
    finished(tmp_path, 'b')
    videos = [{'id': key, 'state': 'ok', 'took': 2.5} for key in 'ab']
    note(copies, videos, 110.0)
    note(copies, videos, 120.0)  # the first time that it was seen counts
    assert report(copies, 4.0, before, stamps(tmp_path, copies)) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[1].split() == ['copy_a.mp4', '4.0', 's', '10.0', 's', '6.0', 's', '2.5', 's', 'ok']
    assert said[3].split() == ['all', '8.0', 's', '10.0', 's', '2.0', 's']
    assert said[4] == '2 of 2 answered at the end, 0 lost, 0 answered twice'

    answer = tmp_path / 'items' / 'a' / 'answer.json'
    os.utime(answer, ns=(0, answer.stat().st_mtime_ns + 1))
    assert report(copies, 4.0, before, stamps(tmp_path, copies)) == 1
    assert '2 of 2 answered at the end, 0 lost, 1 answered twice' in capsys.readouterr().out

    note(copies, videos[1:], 130.0)  # the app no longer knows of a
    assert copies[0].state == 'lost'
    assert report(copies, 4.0, {}, stamps(tmp_path, copies)) == 1
    assert '1 of 2 answered at the end, 1 lost, 0 answered twice' in capsys.readouterr().out


@pytest.mark.parametrize('state', ['queued', 'running', 'failed', 'cancelled'])
def test_a_video_without_an_answer_counts_as_lost(tmp_path: Path, state: str, capsys: Capture) -> None:
    copy = Copy('a', 'copy_1.mp4', 0.0)
    finished(tmp_path, 'a')
    note([copy], [{'id': 'a', 'state': state, 'took': None}], 1.0)
    assert report([copy], 4.0, {}, stamps(tmp_path, [copy])) == 1
    assert '0 of 1 answered at the end, 1 lost' in capsys.readouterr().out


@needs_proc
def test_processes_that_outlive_their_parent_are_found() -> None:
    script = (
        'import subprocess; subprocess.Popen(["sleep", "60"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL); '
        'print("begun", flush=True); input()'
    )
    parent = subprocess.Popen(
        [sys.executable, '-c', script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert parent.stdout is not None and parent.stdout.readline()
    assert len(living_of_group(parent.pid)) == 2
    parent.kill()
    parent.communicate()
    (left,) = living_of_group(parent.pid)
    os.kill(left, signal.SIGKILL)
    until = time.monotonic() + 30
    while living_of_group(parent.pid):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_what_is_refused(make_video: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = str(make_video())
    for words, message in (
        (['--copies', '0'], '--copies: must be at least 1, got 0'),
        (['--seconds', 'nan'], '--seconds: must be above 0, got nan'),
        (['--kill-after', '-1'], '--kill-after: must not be negative'),
    ):
        with pytest.raises(UserError, match=message):
            run(video, *words)
    monkeypatch.setattr(local_app, 'PROCESSES', tmp_path / 'none')
    with pytest.raises(UserError, match='read from /proc'):
        run(video, '--kill-after', '1')
