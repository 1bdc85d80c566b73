"""From the encoder's tokens to the one vector that the heads take."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from bmoe_ground.errors import UserError
from face_aux.models.encoder import VisionEncoder

POOLS = ('token', 'avg', 'flat')


class Pool(nn.Module):
    """From tokens (B, prefix + tokens, D) to features (B, :attr:`num_features`)."""

    num_features: int


class TokenPool(Pool):
    """The class token, as in SSAT and MAE."""

    def __init__(self, encoder: VisionEncoder) -> None:
        super().__init__()
        if encoder.vit.cls_token is None:
            raise UserError("this encoder has no class token; use pool='avg' or pool='flat'")
        self.num_features = encoder.num_features

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(B, prefix + tokens, D) to (B, D)."""
        return tokens[:, 0]


class MeanPool(Pool):
    """The mean of the patches."""

    def __init__(self, encoder: VisionEncoder) -> None:
        super().__init__()
        self.num_features, self.prefix = encoder.num_features, encoder.num_prefix_tokens

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(B, prefix + tokens, D) to (B, D)."""
        return tokens[:, self.prefix :].mean(dim=1)


class FlatPool(Pool):
    """Every patch in its place: a few channels of each, one after the other, normalised.

    In an aligned face a place means something (an eyebrow is always there), and few images do not teach a transformer
    to find it again once the patches were averaged. Not for faces that lie anywhere in the image.

    Args:
        encoder: Whose tokens are pooled.
        channels: Values kept of each patch.
        dropout: Share of the values dropped in training.
    """

    def __init__(self, encoder: VisionEncoder, channels: int = 16, dropout: float = 0.2) -> None:
        super().__init__()
        self.num_features, self.prefix = channels * encoder.grid.tokens, encoder.num_prefix_tokens
        self.reduce = nn.Linear(encoder.num_features, channels)
        self.norm = nn.LayerNorm(self.num_features)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(B, prefix + tokens, D) to (B, tokens * channels)."""
        return self.dropout(self.norm(self.reduce(tokens[:, self.prefix :]).flatten(1)))


def make_pool(kind: str, encoder: VisionEncoder) -> Pool:
    """Build a pool: ``'token'``, ``'avg'`` or ``'flat'``."""
    kinds: dict[str, Callable[[VisionEncoder], Pool]] = {'token': TokenPool, 'avg': MeanPool, 'flat': FlatPool}
    if kind not in kinds:
        raise UserError(f'pool must be one of {POOLS}, but got {kind!r}')
    return kinds[kind](encoder)
