"""``bmoe infer`` over a folder, killed at random moments: one here, ``make kill-test`` does thirty."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from killed_runs import assert_no_orphans, code_of, fork, workers_of

from bmoe_app.commands.infer import main
from bmoe_ground.files import TEMPORARY_PREFIX

KILLS = int(os.environ.get('KILLS', '1'))
SIGNALS = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
pytestmark = pytest.mark.slow


def contents(out: Path) -> dict[str, bytes]:
    """All files but the lock, with the times taken out that the manifest holds."""
    found = {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob('*')
        if path.is_file() and not path.name.startswith(TEMPORARY_PREFIX)
    }
    manifest = json.loads(found.pop('poses/manifest.json', b'{"videos": []}'))
    found['records'] = repr([{**record, 'seconds': 0, 'finished': 0} for record in manifest['videos']]).encode()
    return found


def tracks(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in out.rglob('*.npz')}


def count_files(out: Path) -> int:
    return sum(path.is_file() for path in out.rglob('*.*'))


def test_killed_at_random_moments(make_video: Callable[..., Path], tmp_path: Path) -> None:
    for number in range(8):
        make_video(f'videos/{number % 2}/{number}.avi')
    log, rng = tmp_path / 'log.txt', np.random.default_rng(18)

    def start(out: Path, jobs: int = 0) -> int:
        options = ['--backend', 'block_estimator:Slow', '--jobs', str(jobs), '--export', 'textgrid', '--quiet']
        return fork(lambda: main([str(tmp_path / 'videos'), '--out', str(out), *options]), log)

    straight, began = tmp_path / 'straight', time.monotonic()
    assert code_of(start(straight)) == 0, log.read_text()[-3000:]
    usual = time.monotonic() - began
    kills = tries = runs = redone = workers_met = 0
    while kills < KILLS:
        out = tmp_path / f'run{runs}'
        runs += 1
        for _ in range(6):
            # after so many files, so that writing is met, or after some time, so that all else is
            tries, by_files = tries + 1, tries % 2 == 0
            before, have, began = tracks(out), count_files(out), time.monotonic()
            # a kill that came last of all leaves every file there
            aim = rng.integers(have, max(count_files(straight), have + 1))
            until = began + rng.uniform(0.05, 0.95) * usual
            child = start(out, jobs=tries % 4 // 2)
            while count_files(out) < aim if by_files else time.monotonic() < until:
                if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                    usual = min(usual, time.monotonic() - began)
                    break
                time.sleep(0.002)
            workers = workers_of(child)
            workers_met += len(workers)
            os.kill(child, SIGNALS[kills % 3])
            ended = code_of(child)
            assert_no_orphans(workers)
            after = tracks(out)
            redone += sum(after[name] != when for name, when in before.items())
            if ended == 0:  # it was through before the signal came
                break
            kills += 1
            if kills == KILLS:
                break
        assert code_of(start(out)) == 0, log.read_text()[-3000:]
        for path in out.rglob(f'{TEMPORARY_PREFIX}*'):  # kept for an hour, since somebody might be writing them still
            os.utime(path, (0, 0))
        assert code_of(start(out)) == 0
        assert list(out.rglob(f'{TEMPORARY_PREFIX}*')) == []
        assert contents(out) == contents(straight)
    assert redone == 0
    print(
        f'answers: {kills} kills in {runs} runs, nothing lost, {redone} tracks redone, {workers_met} workers, all gone'
    )
