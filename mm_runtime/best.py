"""A name for the best checkpoint that does not change with its epoch: ``best.pth``."""

from __future__ import annotations

import logging
import math
import shutil
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook, Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from bmoe_ground.files import atomic_write

BEST = 'best.pth'


@HOOKS.register_module()
class BestCheckpointHook(Hook):
    """Keep ``<work_dir>/best.pth``, a copy of the best checkpoint so far (by the first metric of ``save_best``).

    It is written whole or not at all. One that an earlier run left in the folder stands until the first validation.
    """

    priority = 'LOWEST'  # after the hook that writes checkpoints

    def __init__(self) -> None:
        self._copied: str | None = None
        self._scores: list[float] = []
        self._metric = ''

    def before_train(self, runner: Runner) -> None:
        """Catch up with a run that is resumed, and may have been stopped between the checkpoint and its copy.

        Args:
            runner: The runner that trains.
        """
        self._follow(runner)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, Any] | None = None) -> None:
        """Follow the best checkpoint.

        Args:
            runner: The runner that trains.
            metrics: The validation's metrics.
        """
        self._metric = next(iter(_chosen_by(runner)), '')
        if metrics is not None and self._metric in metrics:
            self._scores.append(float(metrics[self._metric]))
        self._follow(runner)

    def after_train(self, runner: Runner) -> None:
        """Say that no best checkpoint was chosen, and why, where the score was never a number.

        Args:
            runner: The runner that trains.
        """
        if self._scores and not any(map(math.isfinite, self._scores)) and best_checkpoint(runner) is None:
            left = (
                f' The {BEST} in {runner.work_dir} is of an earlier run.'
                if (Path(runner.work_dir) / BEST).is_file()
                else ''
            )
            print_log(
                f'no best checkpoint: {self._metric} was NaN in all {len(self._scores)} validations (one class only in '
                f'the validation samples?).{left} Choose by another '
                'metric: --cfg-options default_hooks.checkpoint.save_best=METRIC',
                logger='current',
                level=logging.WARNING,
            )

    def _follow(self, runner: Runner) -> None:
        best = best_checkpoint(runner)
        if best is None or best == self._copied or not is_main_process() or not Path(best).is_file():
            return
        with Path(best).open('rb') as source, atomic_write(Path(runner.work_dir) / BEST) as target:
            shutil.copyfileobj(source, target)
        self._copied = best


def _chosen_by(runner: Runner) -> list[str]:
    for hook in runner.hooks:
        if isinstance(hook, CheckpointHook) and hook.save_best:
            return list(hook.key_indicators)
    return []


def best_checkpoint(runner: Runner) -> str | None:
    """Find the best checkpoint that a run has written.

    Args:
        runner: The runner that trains.

    Returns:
        Its path, or None where nothing was validated or ``save_best`` names no metric.
    """
    for hook in runner.hooks:
        if isinstance(hook, CheckpointHook) and hook.save_best:
            if len(hook.key_indicators) == 1:
                return getattr(hook, 'best_ckpt_path', None)
            return hook.best_ckpt_path_dict.get(hook.key_indicators[0])
    return None
