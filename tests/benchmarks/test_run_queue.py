"""The queue, killed as hard as can be."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import run_queue
from bmoe_ground.errors import UserError

REPO = Path(__file__).resolve().parents[2]


def write_list(folder: Path, names: str, seconds: float) -> tuple[Path, Path]:
    """Commands that note their beginning, with their process, and their end."""
    notes = folder / 'notes.txt'
    script = f'echo begin $0 $$ >> {notes}; sleep {seconds}; echo end $0 >> {notes}'
    path = folder / 'jobs.yaml'
    path.write_text(json.dumps({name: ['sh', '-c', script, name] for name in names}))
    return path, notes


def arguments(path: Path, *more: str) -> list[str]:
    return [str(path), '--folder', str(path.parent / 'queue'), *more]


def run_here(path: Path, *more: str) -> int:
    parser = argparse.ArgumentParser()
    run_queue.add_arguments(parser)
    before = signal.getsignal(signal.SIGTERM)
    try:
        return run_queue.run(parser.parse_args(arguments(path, *more)))
    finally:
        signal.signal(signal.SIGTERM, before)


def lines(notes: Path) -> list[list[str]]:
    return [line.split() for line in notes.read_text().splitlines()] if notes.is_file() else []


def until(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_killed_queue_goes_on_and_runs_each_command_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, notes = write_list(tmp_path, 'abcd', 1.0)
    command = [sys.executable, str(REPO / 'tools/run_queue.py'), *arguments(path, '--processes', '2')]
    queue = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    until(lambda: len(lines(notes)) >= 2)
    queue.kill()
    queue.wait()
    begun = {line[1]: int(line[2]) for line in lines(notes) if line[0] == 'begin'}
    os.kill(begun['a'], signal.SIGKILL)  # a command is killed too; the other is left to end
    capsys.readouterr()
    assert run_here(path, '--processes', '2') == 0
    assert '4 done, 0 failed, 0 running, 0 left' in capsys.readouterr().out
    times = Counter((line[0], line[1]) for line in lines(notes))
    assert times == {**{(word, name): 1 for word in ('begin', 'end') for name in 'abcd'}, ('begin', 'a'): 2}
    # never more than two at a time, of whichever queue; the killed one has no end
    at_once, most = 0, 0
    for line in lines(notes):
        at_once += 1 if line[0] == 'begin' else -1
        most = max(most, at_once)
    assert most <= 3
    assert run_here(path) == 0 and len(lines(notes)) == 9  # nothing is run again


def test_failures_are_kept_counted_and_retried(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / 'jobs.yaml'
    path.write_text(f'good: "true"\nbad: "test -f {tmp_path}/there"\nnone: no-such-program\n')
    assert run_here(path) == 1
    assert '1 done, 2 failed' in capsys.readouterr().out
    assert run_here(path, '--list') == 0
    (tmp_path / 'there').touch()
    assert run_here(path) == 1  # a failure is not tried again unasked
    assert run_here(path, '--retry') == 1
    assert '2 done, 1 failed' in capsys.readouterr().out
    path.write_text('none: no-such-program\n')
    assert run_here(path) == 2
    path.write_text('good: ls\n')
    with pytest.raises(UserError, match='another command had this name: true'):
        run_here(path)


def test_what_is_killed_every_time_has_failed(tmp_path: Path) -> None:
    path = tmp_path / 'jobs.yaml'
    path.write_text(json.dumps({'greedy': ['sh', '-c', f'echo x >> {tmp_path}/tries; kill -9 $$']}))
    assert run_here(path) == 2
    assert (tmp_path / 'tries').read_text() == 'x\n' * 3


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('- a\n', 'expected lines'),
        ('a/b: ls\n', "name 'a/b'"),
        ('a: {b: c}\n', 'expected a command'),
        (':', 'expected|read'),
    ],
)
def test_lists_that_are_wrong(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / 'jobs.yaml').write_text(text)
    with pytest.raises(UserError, match=message):
        run_here(tmp_path / 'jobs.yaml')
