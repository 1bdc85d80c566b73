"""A cross-validation killed at random moments, in training, testing and between: ``make kill-test`` does thirty."""

from __future__ import annotations

import argparse
import os
import pickle
import time
from pathlib import Path

import numpy as np
import pytest
from killed_runs import ENDS, REPO, code_of, fork, same_weights, warm_up
from skeleton_clips import moving_clip

from benchmarks.cross_validation import add_arguments, run
from bmoe_ground.files import TEMPORARY_PREFIX

KILLS = int(os.environ.get('KILLS', '1'))
SMALL = ('model.expert.dims=(8,8)', 'model.global_stream.dims=(8,8)', 'model.dims=16', 'train_cfg.max_epochs=2')
FOLDS = ['0', '1'] if KILLS > 1 else ['0']
pytestmark = pytest.mark.slow


def files_below(out: Path) -> list[str]:
    """Names of all files, without the logs of which each start makes a folder."""
    kept = [path for path in (out / 'full').glob('seed*/*') if path.is_file()]
    return sorted(path.relative_to(out).as_posix() for path in [*kept, *out.glob('*.*')])


def done(out: Path) -> dict[str, int]:
    """The runs that are through, and when their files were last written."""
    through = [path.parent for path in out.glob('full/seed*/run.json')]
    return {str(path): path.stat().st_mtime_ns for folder in through for path in folder.iterdir()}


def assert_as_straight(out: Path, straight: Path) -> None:
    assert files_below(out) == files_below(straight)
    for name in files_below(straight):
        if name.endswith('.pth'):
            assert same_weights(out / name, straight / name), name
        elif name.endswith(('.png', '.json')) and not name.endswith('run.json'):
            assert (out / name).read_bytes() == (straight / name).read_bytes(), name


def test_killed_at_random_moments(tmp_path: Path) -> None:
    rng, log = np.random.default_rng(18), tmp_path / 'log.txt'
    clips = [{'frame_dir': f'c{i}', 'label': i % 3, 'keypoint': moving_clip(i % 3, rng)} for i in range(15)]
    split = {'all': [clip['frame_dir'] for clip in clips]}
    (tmp_path / 'clips.pkl').write_bytes(pickle.dumps({'split': split, 'annotations': clips}))
    parser = argparse.ArgumentParser()
    add_arguments(parser)

    def start(out: Path) -> int:
        arguments = [str(tmp_path / 'clips.pkl'), '--protocol', 'clips5', '--folds', *FOLDS, '--out', str(out)]
        arguments += ['--config', str(REPO / 'configs/benchmarks/skeleton_small.py'), '--cfg-options', *SMALL]
        arguments += ['dataset.skeleton=coco17', 'train_dataloader.dataset.epoch_clips=0']
        return fork(lambda: run(parser.parse_args(arguments)), log)

    warm_up()
    straight, began = tmp_path / 'straight', time.monotonic()
    assert code_of(start(straight)) == 0, log.read_text()[-3000:]
    usual = time.monotonic() - began
    kills = runs = 0
    while kills < KILLS:
        out = tmp_path / f'run{runs}'
        runs += 1
        while kills < KILLS:
            before, number = done(out), list(ENDS)[kills % len(ENDS)]
            child, began = start(out), time.monotonic()
            time.sleep(rng.uniform(0.02, 0.9) * usual)
            os.kill(child, number)
            code = code_of(child)
            assert {name: when for name, when in done(out).items() if name in before} == before  # none is run again
            if code == 0:  # it was through before the signal came
                usual = min(usual, time.monotonic() - began)
                break
            assert code in (ENDS[number], -number), log.read_text()[-3000:]
            kills += 1
        assert code_of(start(out)) == 0, log.read_text()[-3000:]
        for path in out.glob(f'{TEMPORARY_PREFIX}*'):  # of the pictures over all runs, kept for an hour
            os.utime(path, (0, 0))
        before = done(out)
        assert code_of(start(out)) == 0
        assert done(out) == before
        assert_as_straight(out, straight)
    print(f'cross-validation: {kills} kills in {runs} runs, nothing lost')
