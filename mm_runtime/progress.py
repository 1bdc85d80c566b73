"""A progress bar for training and testing."""

from __future__ import annotations

import sys
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from tqdm import tqdm


@HOOKS.register_module()
class ProgressBarHook(Hook):
    """Show epochs, loss and time left on a terminal; silent where standard error is no terminal."""

    priority = 'VERY_LOW'

    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def before_train(self, runner: Runner) -> None:
        """Open the bar at the first iteration to be run."""
        hidden = not (is_main_process() and sys.stderr.isatty())
        self._bar = tqdm(
            total=runner.max_iters, initial=runner.iter, desc='train', unit='it', disable=hidden, dynamic_ncols=True
        )

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Move on by one iteration."""
        if self._bar is None:
            return
        self._bar.update(1)
        if outputs and 'loss' in outputs and not self._bar.disable:
            epoch = f'{runner.epoch + 1}/{runner.max_epochs}'
            self._bar.set_postfix(epoch=epoch, loss=f'{float(outputs["loss"]):.3f}', refresh=False)

    def after_train(self, runner: Runner) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
