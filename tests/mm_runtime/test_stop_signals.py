"""A signal stops between two steps, a second one at once, and afterwards signals do what they did before."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace
from typing import Any

import pytest

from mm_runtime.stop_signals import StopHook, TrainingStopped, stop_on_signals

RUNNER: Any = SimpleNamespace(train_dataloader=[0, 1, 2])


@pytest.mark.parametrize(('number', 'code'), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_stops_after_the_step(number, code) -> None:
    before, hook = signal.getsignal(number), StopHook()
    with pytest.raises(TrainingStopped) as stopped, stop_on_signals(hook):
        hook.before_train(RUNNER)
        hook.after_train_iter(RUNNER, 0)
        os.kill(os.getpid(), number)
        hook.after_train_iter(RUNNER, 2)  # the epoch's last step: it is saved first
        hook.after_train_iter(RUNNER, 1)
    assert stopped.value.code == code
    assert signal.getsignal(number) is before


def test_a_second_signal_or_one_before_training_stops_at_once() -> None:
    hook = StopHook()
    with pytest.raises(TrainingStopped), stop_on_signals(hook):
        os.kill(os.getpid(), signal.SIGTERM)
    hook = StopHook()
    with stop_on_signals(hook):
        hook.before_train(RUNNER)
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(TrainingStopped) as stopped:
            os.kill(os.getpid(), signal.SIGINT)
    assert stopped.value.code == 130


@pytest.mark.parametrize('place', ['after_train_epoch', 'after_val_epoch'])
def test_stops_where_all_is_saved(place) -> None:
    hook = StopHook()
    hook.asked = signal.SIGTERM
    with pytest.raises(TrainingStopped):
        getattr(hook, place)(RUNNER)


def test_a_stop_that_a_library_swallowed_comes_before_the_first_step() -> None:
    hook = StopHook()
    with pytest.raises(TrainingStopped), stop_on_signals(hook):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except BaseException as error:
            assert isinstance(error, TrainingStopped)
        hook.before_train(RUNNER)
