from __future__ import annotations

import math

import pytest
import torch

from bmoe_ground.errors import UserError
from face_aux.models.weighting import ScheduledWeights, make_weights

PRIMARY, AUXILIARY = torch.tensor(2.0), torch.tensor(5.0)


def test_fixed_weights_are_ssats_by_default() -> None:
    losses = make_weights()(PRIMARY, AUXILIARY)
    assert float(losses['loss_primary']) == pytest.approx(0.1 * 2)
    assert float(losses['loss_auxiliary']) == pytest.approx(0.9 * 5)


@pytest.mark.parametrize(('shape', 'quarter'), [('linear', 0.25), ('cosine', (1 - math.sqrt(0.5)) / 2)])
def test_scheduled_weights_move_from_start_to_end(shape: str, quarter: float) -> None:
    weights = make_weights('schedule', start=(0.0, 1.0), end=(1.0, 0.5), shape=shape)
    assert isinstance(weights, ScheduledWeights)
    for progress, share in [(0.0, 0.0), (0.25, quarter), (0.5, 0.5), (1.0, 1.0)]:
        weights.progress = progress
        losses = weights(PRIMARY, AUXILIARY)
        assert float(losses['loss_primary']) == pytest.approx(2 * share)
        assert float(losses['loss_auxiliary']) == pytest.approx(5 * (1 - 0.5 * share))


def test_a_schedule_nobody_moves_is_an_error() -> None:
    with pytest.raises(UserError, match='LossWeightHook'):
        make_weights('schedule')(PRIMARY, AUXILIARY)


def test_learned_weights_find_the_logarithm_of_the_losses() -> None:
    weights = make_weights('uncertainty')
    optimizer = torch.optim.SGD(weights.parameters(), lr=0.2)
    for _ in range(200):
        optimizer.zero_grad()
        sum(weights(PRIMARY, AUXILIARY).values()).backward()
        optimizer.step()
    torch.testing.assert_close(weights.log_variance.detach(), torch.tensor([2.0, 5.0]).log())


def test_wrong_descriptions_are_named() -> None:
    with pytest.raises(UserError, match="'fixed', 'schedule', 'uncertainty'"):
        make_weights('learned')
    with pytest.raises(UserError, match='not both 0'):
        make_weights('fixed', primary=0, auxiliary=0)
    with pytest.raises(UserError, match="'linear' or 'cosine'"):
        make_weights('schedule', shape='step')
    with pytest.raises(UserError, match='auxiliary.weights: '):
        make_weights('fixed', main=0.1)
