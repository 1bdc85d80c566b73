"""How much the primary loss and the reconstruction loss count against each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from bmoe_ground.errors import UserError


class FixedWeights(nn.Module):
    """Constant weights; SSAT's 0.1 for the primary and 0.9 for the reconstruction loss by default."""

    def __init__(self, primary: float = 0.1, auxiliary: float = 0.9) -> None:
        super().__init__()
        self.primary, self.auxiliary = _checked(primary, auxiliary)

    def forward(self, primary: torch.Tensor, auxiliary: torch.Tensor) -> dict[str, torch.Tensor]:
        """Weigh the two losses; their sum is what is minimised."""
        return {'loss_primary': self.primary * primary, 'loss_auxiliary': self.auxiliary * auxiliary}


class ScheduledWeights(nn.Module):
    """Weights that go from one pair to another over the training.

    :class:`face_aux.hooks.LossWeightHook` has to tell it how far the training is.

    Args:
        start: Primary and auxiliary weight at the start.
        end: The same at the end.
        shape: ``'linear'`` or ``'cosine'``.
    """

    def __init__(
        self, start: Sequence[float] = (0.1, 0.9), end: Sequence[float] = (0.9, 0.1), shape: str = 'linear'
    ) -> None:
        super().__init__()
        if shape not in ('linear', 'cosine'):
            raise UserError(f"auxiliary.weights.shape must be 'linear' or 'cosine', but got {shape!r}")
        self.start, self.end, self.shape = _checked(*start), _checked(*end), shape
        self.progress: float | None = None

    def forward(self, primary: torch.Tensor, auxiliary: torch.Tensor) -> dict[str, torch.Tensor]:
        """Weigh the two losses by how far the training is."""
        if self.progress is None:
            raise UserError("scheduled loss weights need custom_hooks=[dict(type='LossWeightHook')] in the config")
        share = self.progress if self.shape == 'linear' else (1 - math.cos(math.pi * self.progress)) / 2
        first, second = (a + share * (b - a) for a, b in zip(self.start, self.end, strict=True))
        return {'loss_primary': first * primary, 'loss_auxiliary': second * auxiliary}


class UncertaintyWeights(nn.Module):
    """Learned weights (Kendall, Gal & Cipolla 2018): each loss L counts exp(-s) L + s with a parameter s.

    For a constant L the minimum is at s = log L.
    """

    def __init__(self) -> None:
        super().__init__()
        self.log_variance = nn.Parameter(torch.zeros(2))

    def forward(self, primary: torch.Tensor, auxiliary: torch.Tensor) -> dict[str, torch.Tensor]:
        """Weigh the two losses by what was learned so far."""
        first, second = self.log_variance.unbind()
        return {
            'loss_primary': (-first).exp() * primary + first,
            'loss_auxiliary': (-second).exp() * auxiliary + second,
        }


def make_weights(type: str = 'fixed', **options: Any) -> nn.Module:
    """Build loss weights.

    Args:
        type: ``'fixed'``, ``'schedule'`` or ``'uncertainty'``.
        **options: Arguments of the class.
    """
    kinds = {'fixed': FixedWeights, 'schedule': ScheduledWeights, 'uncertainty': UncertaintyWeights}
    if type not in kinds:
        raise UserError(f'auxiliary.weights.type must be one of {list(kinds)}, but got {type!r}')
    try:
        return kinds[type](**options)
    except TypeError as error:
        raise UserError(f'auxiliary.weights: {error}') from error


def _checked(primary: float, auxiliary: float) -> tuple[float, float]:
    if primary < 0 or auxiliary < 0 or primary + auxiliary == 0:
        raise UserError(f'loss weights must be 0 or more and not both 0, but got {primary} and {auxiliary}')
    return primary, auxiliary
