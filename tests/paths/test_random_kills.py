"""Trainings of both models killed at random moments: a few here, ``make kill-test`` kills each thirty times.

The trainings are forks of this process, which has everything imported, so that the kills meet the training itself.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from pathlib import Path

import numpy as np
import pytest
from killed_runs import files_of, same_weights
from survival_data import training_arguments, write_survival_data

from mm_runtime.cli import train_main

KILLS = int(os.environ.get('KILLS', '1'))
ENDS = {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 143, signal.SIGINT: 130}
pytestmark = pytest.mark.slow


def fork_training(arguments: list[str], log: Path) -> int:
    """Train in a fork; returns its process number."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        with log.open('a') as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        code = train_main(arguments)
    except SystemExit as error:
        code = int(error.code or 0)
    except KeyboardInterrupt:  # before the training has its handlers, or after
        code = 130
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(code)


def code_of(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize('model', ['skeleton', 'face'])
def test_killed_at_random_moments(tmp_path, model) -> None:
    write_survival_data(tmp_path)
    log = tmp_path / 'log.txt'

    def train(work: Path, *more: str) -> int:
        return fork_training([*map(str, training_arguments(tmp_path, model, work, *more))], log)

    straight = tmp_path / 'straight'
    began = time.monotonic()
    assert code_of(train(straight)) == 0, log.read_text()[-3000:]
    usual = time.monotonic() - began
    rng = np.random.default_rng(18)
    kills, runs = 0, 0
    while kills < KILLS:
        work = tmp_path / f'run{runs}'
        runs += 1
        while kills < KILLS:
            number = list(ENDS)[kills % len(ENDS)]
            child = train(work, '--resume')
            time.sleep(rng.uniform(0.02, 0.9) * usual)
            os.kill(child, number)
            asked, code = time.monotonic(), code_of(child)
            assert time.monotonic() - asked < 10
            if code == 0:  # it was through before the signal came
                break
            # before the training has its handlers, SIGTERM ends a process by itself
            assert code in (ENDS[number], -number), log.read_text()[-3000:]
            kills += 1
        assert code_of(train(work, '--resume')) == 0, log.read_text()[-3000:]
        assert files_of(work) == files_of(straight)
        for name in files_of(straight):
            if name.endswith('.pth'):
                assert same_weights(work / name, straight / name), (work, name)
    print(f'{model}: {kills} kills in {runs} trainings, nothing lost')
