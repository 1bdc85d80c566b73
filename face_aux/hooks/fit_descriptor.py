"""Fits a descriptor model at the end of the pass that gathered its images."""

from __future__ import annotations

import logging
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from bmoe_ground.errors import UserError
from face_aux.models.descriptor import DescriptorModel
from face_aux.registry import HOOKS
from face_aux.samplers import BalancedSampler


@HOOKS.register_module()
class FitDescriptorHook(Hook):
    """Fits :class:`face_aux.models.DescriptorModel` after each pass over the training images, to those of that pass."""

    priority = 'VERY_HIGH'  # before a checkpoint is written

    def before_train_epoch(self, runner: Runner) -> None:
        """Begin anew.

        Raises:
            UserError: The model is no descriptor model, or an image is drawn more than once.
        """
        if isinstance(runner.train_dataloader.sampler, BalancedSampler):
            raise UserError(
                'BalancedSampler draws images twice, and leaving one of them out would not leave it out; take the '
                'DefaultSampler to fit a descriptor model'
            )
        _model(runner).forget()

    def after_train_epoch(self, runner: Runner) -> None:
        """Fit, and say how well."""
        for task, line in _model(runner).fit().items():
            runner.logger.log(logging.INFO, f'fitted {task}: {line}')


def _model(runner: Runner) -> DescriptorModel:
    model: Any = runner.model.module if is_model_wrapper(runner.model) else runner.model
    if not isinstance(model, DescriptorModel):
        raise UserError(f'FitDescriptorHook is for the DescriptorModel, but the model is a {type(model).__name__}')
    return model
