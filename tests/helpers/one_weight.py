"""The smallest model that a runner trains."""

from __future__ import annotations

import torch
from mmengine.model import BaseModel


class OneWeight(BaseModel):
    """One number that learns to be 1."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, inputs, mode='loss'):
        """The loss, or an empty prediction."""
        return {'loss': (self.weight - 1).square()} if mode == 'loss' else [{}]
