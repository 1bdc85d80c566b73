"""Trainings of both models that are killed, stopped, moved and run out of room, and go on as if they had not been."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from killed_runs import files_of, finish, same_weights, start, wait_for
from survival_data import training_arguments as call
from survival_data import write_survival_data

from bmoe_ground.files import TEMPORARY_PREFIX

# each writing of a checkpoint takes half a second, half of its bytes being there already
SLOW_SAVE = """
def put(self, obj, path):
    with files.atomic_write(path) as file:
        file.write(obj[:len(obj) // 2]); file.flush(); time.sleep(0.5); file.write(obj[len(obj) // 2:])
whole.WholeFilesBackend.put = put
"""
SLOW_STEPS = """
from mm_runtime.determinism import EpochSeedHook
seed = EpochSeedHook.before_train_iter
def wait(self, *args, **kwargs):
    seed(self, *args, **kwargs); time.sleep(0.4)
EpochSeedHook.before_train_iter = wait
"""
pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def data(once) -> Path:
    return once('survival', write_survival_data)


@pytest.fixture(scope='module')
def straight(data, once) -> Callable[[str], Path]:
    """The work folder of a training of a model that nothing befell."""

    def train(model: str) -> Path:
        return once(f'survival_{model}', lambda folder: finish(call(data, model, folder / 'work'))) / 'work'

    return train


def assert_as_straight(work: Path, straight: Path) -> None:
    assert files_of(work) == files_of(straight)  # nothing is missing, nothing is left over
    for name in files_of(straight):
        if name.endswith('.pth'):
            assert same_weights(work / name, straight / name), name


def kill(process, number: int = signal.SIGKILL) -> tuple[int, float, str]:
    """Send a signal; the exit code, the seconds it took and the errors."""
    began = time.monotonic()
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    return process.returncode, time.monotonic() - began, err


def half_written(work: Path) -> list[Path]:
    return list(work.glob(f'{TEMPORARY_PREFIX}*'))


# What the face model adds are random numbers of its own; how files are written is the same code for both.
@pytest.mark.parametrize(
    ('model', 'after'),
    [('skeleton', 'epoch_2.pth'), ('skeleton', 'best_*'), ('skeleton', 'last_checkpoint'), ('face', 'epoch_2.pth')],
)
def test_killed_while_it_saves(straight, data, tmp_path, model, after) -> None:
    work = tmp_path / 'work'
    process = start(call(data, model, work), SLOW_SAVE)
    wait_for(lambda: list(work.glob(after)) and half_written(work), process)
    kill(process)
    assert half_written(work)  # it was in the middle of a save indeed
    finish(call(data, model, work, '--resume'))
    assert_as_straight(work, straight(model))


@pytest.mark.parametrize(
    ('model', 'number', 'code'),
    [('skeleton', signal.SIGTERM, 143), ('skeleton', signal.SIGINT, 130), ('face', signal.SIGTERM, 143)],
)
def test_stopped_by_a_signal(straight, data, tmp_path, model, number, code) -> None:
    work = tmp_path / 'work'
    process = start(call(data, model, work), SLOW_STEPS)
    wait_for(lambda: (work / 'last_checkpoint').is_file(), process)
    time.sleep(0.1)
    ended, seconds, err = kill(process, number)
    assert ended == code
    assert seconds < 10
    assert f'stopped by {signal.Signals(number).name}; saved: epoch_' in err
    assert 'Traceback' not in err
    finish(call(data, model, work, '--resume', 'auto'))
    assert_as_straight(work, straight(model))


def test_a_step_that_hangs_is_not_waited_for(data, tmp_path) -> None:
    work = tmp_path / 'work'
    hang = SLOW_STEPS.replace('time.sleep(0.4)', 'open(os.environ["HANGS"], "w"); time.sleep(60); time.sleep(60)')
    mark = tmp_path / 'hangs'
    os.environ['HANGS'] = str(mark)
    try:
        process = start(call(data, 'skeleton', work), hang)
    finally:
        del os.environ['HANGS']
    wait_for(mark.is_file, process)
    ended, seconds, err = kill(process, signal.SIGTERM)
    assert (ended, seconds < 10) == (143, True), err
    assert 'stopped by SIGTERM in the middle of a step' in err


def test_damaged_newest_in_a_folder_that_was_moved(straight, data, tmp_path) -> None:
    work, moved = tmp_path / 'work', tmp_path / 'elsewhere' / 'moved'
    process = start(call(data, 'skeleton', work), SLOW_STEPS)
    wait_for((work / 'epoch_2.pth').is_file, process)
    wait_for(lambda: 'epoch_2' in (work / 'last_checkpoint').read_text(), process)
    kill(process)
    newest = max(work.glob('epoch_*.pth'), key=lambda path: int(path.stem[6:]))
    moved.parent.mkdir()
    shutil.move(work, moved)
    newest = moved / newest.name
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    _, err = finish(call(data, 'skeleton', moved, '--resume'))
    assert f'skipped: checkpoint {newest} is damaged' in err
    assert not work.exists()
    assert_as_straight(moved, straight('skeleton'))


def test_second_training_in_the_folder(data, tmp_path) -> None:
    work = tmp_path / 'work'
    process = start(call(data, 'skeleton', work), SLOW_STEPS)
    wait_for(lambda: (work / 'last_checkpoint').is_file(), process)
    _, err = finish(call(data, 'skeleton', work, '--resume'), code=2)
    assert f'another training works in this folder (process {process.pid} on ' in err
    assert err.count('\n') == 1
    kill(process)
    finish(call(data, 'skeleton', work, '--resume'))  # the lock died with its holder


def test_disk_full(data, tmp_path, straight) -> None:
    work = tmp_path / 'work'
    process = start(call(data, 'skeleton', work), SLOW_STEPS)
    wait_for(lambda: (work / 'last_checkpoint').is_file(), process)
    kill(process)
    before = {path.name: path.read_bytes() for path in work.glob('epoch_*.pth')}
    room = min(len(content) for content in before.values()) // 2

    no_room = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (room, room))
    _, err = finish(call(data, 'skeleton', work, '--resume'), code=2, prepare=no_room)
    assert err.startswith('error: '), err
    assert 'cannot be written: File too large' in err
    assert err.count('\n') == 1
    assert not half_written(work)
    assert {path.name: path.read_bytes() for path in work.glob('epoch_*.pth')} == before
    finish(call(data, 'skeleton', work, '--resume'))
    assert_as_straight(work, straight('skeleton'))


@pytest.mark.skipif(os.geteuid() == 0, reason='root writes everywhere')
def test_unwritable_folder(data, tmp_path) -> None:
    work = tmp_path / 'work'
    work.mkdir()
    work.chmod(0o555)
    _, err = finish(call(data, 'skeleton', work), code=2)
    assert err == f'error: {work}: cannot be written: Permission denied\n'


def test_never_anew_beside_checkpoints_unasked(data, tmp_path, straight) -> None:
    work = tmp_path / 'work'
    shutil.copytree(straight('skeleton'), work)
    _, err = finish(call(data, 'skeleton', work), code=2)
    assert 'holds checkpoints of an earlier training (epoch_3.pth): go on with --resume, start anew with --over' in err
    for path in work.glob('epoch_*.pth'):
        path.write_bytes(b'half')
    _, err = finish(call(data, 'skeleton', work, '--resume'), code=2)
    assert 'none of the checkpoints in' in err.splitlines()[-1]
    finish(call(data, 'skeleton', work, '--overwrite'))
    assert_as_straight(work, straight('skeleton'))
