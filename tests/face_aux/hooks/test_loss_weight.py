from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from bmoe_ground.errors import UserError
from face_aux.hooks import LossWeightHook
from face_aux.models.weighting import FixedWeights, ScheduledWeights


def runner(weights: nn.Module | None) -> SimpleNamespace:
    model = nn.Module()
    model.auxiliary = None if weights is None else nn.Module()
    if weights is not None:
        model.auxiliary.weights = weights
    return SimpleNamespace(model=model, iter=0, max_iters=5)


def test_weights_reach_both_ends() -> None:
    weights = ScheduledWeights(start=(1.0, 0.0), end=(0.0, 1.0))
    running, hook = runner(weights), LossWeightHook()
    hook.before_train(running)
    shares = []
    for running.iter in range(5):
        hook.before_train_iter(running, running.iter)
        shares.append(float(weights(torch.tensor(1.0), torch.tensor(1.0))['loss_auxiliary']))
    assert shares == pytest.approx([0.0, 0.25, 0.5, 0.75, 1.0])


@pytest.mark.parametrize('weights', [None, FixedWeights()])
def test_a_model_without_a_schedule_is_refused(weights: nn.Module | None) -> None:
    with pytest.raises(UserError, match="type='schedule'"):
        LossWeightHook().before_train(runner(weights))
