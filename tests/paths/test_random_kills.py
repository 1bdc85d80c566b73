"""Trainings of both models killed at random moments: a few here, ``make kill-test`` kills each thirty times.

The trainings are forks of this process, which has everything imported, so that the kills meet the training itself.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from killed_runs import ENDS, code_of, files_of, fork, same_weights, warm_up
from survival_data import training_arguments, write_survival_data

from mm_runtime.cli import train_main

KILLS = int(os.environ.get('KILLS', '1'))
pytestmark = pytest.mark.slow


@pytest.mark.parametrize('model', ['skeleton', 'face'])
def test_killed_at_random_moments(tmp_path, model) -> None:
    write_survival_data(tmp_path)
    log = tmp_path / 'log.txt'

    def train(work: Path, *more: str) -> int:
        arguments = [*map(str, training_arguments(tmp_path, model, work, *more))]
        return fork(lambda: train_main(arguments), log)

    warm_up()
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
