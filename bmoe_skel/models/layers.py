"""Small layers that several modules share."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


def masked_mean(x: Tensor, mask: Tensor, dim: int) -> Tensor:
    """Average over the entries that a mask lets through.

    Args:
        x: Any shape.
        mask: Bool, broadcastable to ``x``.
        dim: The dimension to average over.

    Returns:
        The mean without ``dim``; 0 where the mask is empty.
    """
    weight = mask.to(x.dtype)
    return (x * weight).sum(dim) / weight.sum(dim).clamp(min=1)


class Mlp(nn.Module):
    """Normalise, widen, GELU, narrow; the residual is the caller's.

    Args:
        dims: Channels in and out.
        hidden: Channels between.
        drop: Dropout after the last layer.
    """

    def __init__(self, dims: int, hidden: int, drop: float = 0.0) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.LayerNorm(dims), nn.Linear(dims, hidden), nn.GELU(), nn.Linear(hidden, dims), nn.Dropout(drop)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) -> (..., C)."""
        return self.net(x)


class DropPath(nn.Module):
    """Skip a residual branch for random samples (Huang et al. 2016)."""

    def __init__(self, prob: float = 0.0) -> None:
        super().__init__()
        self.prob = prob

    def forward(self, x: Tensor) -> Tensor:
        """Zero the branch of random samples in training and scale up the others."""
        if not self.training or self.prob == 0:
            return x
        keep = torch.rand(x.shape[0], *[1] * (x.ndim - 1), device=x.device, dtype=x.dtype) >= self.prob
        return x * keep / (1 - self.prob)


def sinusoidal_positions(length: int, dims: int, device: torch.device | None = None) -> Tensor:
    """Sine and cosine positions (Vaswani et al. 2017), for any length.

    Args:
        length: T.
        dims: C, even.
        device: Where to make them.

    Returns:
        (T, C) float32.
    """
    place = torch.arange(length, device=device, dtype=torch.float32)[:, None]
    rate = torch.exp(torch.arange(0, dims, 2, device=device, dtype=torch.float32) * (-math.log(10000.0) / dims))
    return torch.stack([torch.sin(place * rate), torch.cos(place * rate)], dim=-1).flatten(1)[:, :dims]


class SelfAttention(nn.Module):
    """Multi-head self-attention over time with a padding mask, normalised before; the residual is the caller's.

    Args:
        dims: C.
        heads: Heads; C must be a multiple.
        drop: Dropout of the attention weights.
    """

    def __init__(self, dims: int, heads: int = 4, drop: float = 0.0) -> None:
        super().__init__()
        if dims % heads:
            raise ValueError(f'dims {dims} must be a multiple of heads {heads}')
        self.heads = heads
        self.drop = drop
        self.norm = nn.LayerNorm(dims)
        self.qkv = nn.Linear(dims, 3 * dims)
        self.proj = nn.Linear(dims, dims)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Attend.

        Args:
            x: (B, T, C).
            mask: (B, T) bool, False for steps that no other may look at.

        Returns:
            (B, T, C).
        """
        b, t, c = x.shape
        y = self.norm(x)
        y = y + sinusoidal_positions(t, c, x.device).to(y.dtype)
        query, key, value = self.qkv(y).view(b, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        # a row without any step would be all -inf: a large negative number leaves it finite, the caller masks it
        bias = torch.zeros(b, 1, 1, t, dtype=query.dtype, device=x.device).masked_fill(~mask[:, None, None], -1e4)
        drop = self.drop if self.training else 0.0
        y = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=drop)
        return self.proj(y.transpose(1, 2).reshape(b, t, c))
