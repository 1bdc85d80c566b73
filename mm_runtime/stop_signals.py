"""Stop a training in order when SIGTERM or SIGINT asks for it: Slurm sends the first, Ctrl-C is the second.

The run stops after the step that it is in. What it goes on from is the checkpoint of the last whole epoch that was
saved: every epoch starts from a seed of its own (:mod:`mm_runtime.determinism`), so that the epoch that was cut off is
repeated as it was.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_PATIENCE = 8.0  # seconds for the step; Slurm's own is 30, ours must be within 10


class TrainingStopped(SystemExit):
    """A signal stopped the training; ends the process with 128 + the signal's number unless it is caught."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.name = signal.Signals(number).name


class StopHook(Hook):
    """Stop between two steps once a signal came.

    Example:
        >>> hook = StopHook()
        >>> hook.asked is None
        True
    """

    priority = 'LOWEST'

    def __init__(self) -> None:
        self.asked: int | None = None
        """The number of the signal that came."""
        self.between_steps = False
        """Whether the run comes by here soon: only a run in its steps can wait for the next one."""

    def before_train(self, runner: Runner) -> None:
        """From now on a signal waits for the next step."""
        self.between_steps = True
        self._stop_if_asked()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Stop after a step of training, unless it ends its epoch: that is saved first."""
        if batch_idx + 1 < len(runner.train_dataloader):
            self._stop_if_asked()

    def after_train_epoch(self, runner: Runner) -> None:
        """Stop after an epoch, which has been saved."""
        self._stop_if_asked()

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Stop in a validation; it is made up when the run goes on."""
        self._stop_if_asked()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Stop after a validation, whose outcome has been saved."""
        self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        if self.asked is not None:
            raise TrainingStopped(self.asked)


@contextmanager
def stop_on_signals(hook: StopHook) -> Iterator[None]:
    """Have SIGTERM and SIGINT stop a training in order; a second one stops it at once.

    A step that takes longer than 8 s is not waited for: the process ends, which costs nothing that was saved.

    Args:
        hook: The hook that stops the run.

    Yields:
        Nothing; afterwards the signals do what they did before.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread can be told of signals
        return
    owner, timers = os.getpid(), []

    def ask(number: int, frame: FrameType | None) -> None:
        if os.getpid() != owner:  # a data loader's worker inherits this; its parent ends it
            if number == signal.SIGTERM:
                os._exit(128 + number)
            return
        first, hook.asked = hook.asked is None, number
        if first:
            timers.append(threading.Timer(_PATIENCE, _leave, [number]))
            timers[-1].daemon = True
            timers[-1].start()
        if not (first and hook.between_steps):
            raise TrainingStopped(number)

    before = {number: signal.signal(number, ask) for number in _SIGNALS}
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int) -> None:
    """End the process from beside the step that does not come to its end."""
    print(f'stopped by {signal.Signals(number).name} in the middle of a step', file=sys.stderr, flush=True)
    os._exit(128 + number)
