"""Stop a run whose validation gets no better, by the metric that its best checkpoint is chosen by."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import CheckpointHook, EarlyStoppingHook, Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from bmoe_ground.errors import UserError

_COUNTED = 'early_stop'


@HOOKS.register_module()
class StopEarlyHook(Hook):
    """mmengine's ``EarlyStoppingHook`` on the (first) metric of the checkpoint hook's ``save_best``.

    What it has counted is part of the checkpoint, so that a resumed run stops where one that was not stopped would.

    Args:
        patience: Validations in a row without a better one after which training stops; None never stops it.
        min_delta: The least change that counts as better.
    """

    priority = 'LOW'  # before the hook that writes checkpoints

    def __init__(self, patience: int | None = None, min_delta: float = 0.001) -> None:
        if patience is not None and patience < 1:
            raise UserError(f'StopEarlyHook: patience must be at least 1 validation, or null for never, got {patience}')
        self.patience, self.min_delta = patience, min_delta
        self._hook: EarlyStoppingHook | None = None

    def before_train(self, runner: Runner) -> None:
        """Find the metric.

        Args:
            runner: The runner that trains.

        Raises:
            UserError: The run does not validate, or chooses no best checkpoint.
        """
        if self.patience is None:
            return
        metric, rule = None, None
        for hook in runner.hooks:
            if isinstance(hook, CheckpointHook) and hook.save_best and 'auto' not in hook.save_best:
                metric, rule = hook.key_indicators[0], hook.rules[0]
        if metric is None or runner.val_loop is None:
            raise UserError(
                'StopEarlyHook: patience needs validation and default_hooks.checkpoint.save_best, the name of a metric'
            )
        self._hook = EarlyStoppingHook(metric, rule=rule, min_delta=self.min_delta, patience=self.patience, strict=True)
        self._hook.before_run(runner)
        counted = runner.message_hub.runtime_info.get(_COUNTED)
        if isinstance(counted, dict) and counted.get('metric') == metric:
            self._hook.wait_count, self._hook.best_score = counted['waited'], counted['best']
            if self._hook.wait_count >= self.patience:
                runner.train_loop.stop_training = True

    def after_val_epoch(self, runner: Runner, metrics: dict[str, Any] | None = None) -> None:
        """Stop the training loop where it is time.

        Args:
            runner: The runner that trains.
            metrics: The validation's metrics.
        """
        if self._hook is not None:
            self._hook.after_val_epoch(runner, metrics)
            stopped = runner.train_loop.stop_training
            counted = {
                'waited': self.patience if stopped else self._hook.wait_count,
                'best': float(self._hook.best_score),
            }
            runner.message_hub.update_info(_COUNTED, {'metric': self._hook.monitor, **counted})
