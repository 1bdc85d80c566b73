"""Tells scheduled loss weights how far the training is."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from bmoe_ground.errors import UserError
from face_aux.models.weighting import ScheduledWeights
from face_aux.registry import HOOKS


@HOOKS.register_module()
class LossWeightHook(Hook):
    """Moves :class:`face_aux.models.weighting.ScheduledWeights` on at each training iteration.

    It depends on nothing but the iteration, so a resumed run goes on where it was.
    """

    def before_train(self, runner: Runner) -> None:
        """Find the weights.

        Raises:
            UserError: The model's loss weights are not scheduled.
        """
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        auxiliary = getattr(model, 'auxiliary', None)
        if auxiliary is None or not isinstance(auxiliary.weights, ScheduledWeights):
            raise UserError("LossWeightHook needs a model with auxiliary=dict(weights=dict(type='schedule', ...))")
        self._weights = auxiliary.weights

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Set the share of the training that is done: 0 at the first iteration, 1 at the last."""
        self._weights.progress = runner.iter / max(1, runner.max_iters - 1)
