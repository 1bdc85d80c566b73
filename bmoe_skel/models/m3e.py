"""The Macro-Micro Motion Encoder (M3E): long-range context and fine local motion of one stream of tokens."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from bmoe_skel.models.layers import DropPath, Mlp, SelfAttention, masked_mean


class ScalableGranularityBlock(nn.Module):
    """Micro branch: scalable-granularity perception (TriDet, Shi et al. 2023) with a padding mask.

    The instant branch gates each step's features by the clip's mean, so that what differs from the average moment
    stands out; the window branch sums depthwise convolutions of several widths, gated by a pointwise one. Both are
    added to the input with the normalised input itself, then an MLP follows.

    Args:
        dims: C.
        kernels: Widths of the window branch, odd.
        expansion: Width of the MLP over C.
        drop_path: Chance to skip a branch in training.
    """

    def __init__(
        self, dims: int, kernels: Sequence[int] = (3, 5, 7), expansion: float = 1.5, drop_path: float = 0.0
    ) -> None:
        super().__init__()
        if any(kernel % 2 == 0 for kernel in kernels):
            raise ValueError(f'kernels must be odd, got {tuple(kernels)}')
        self.norm = nn.LayerNorm(dims)
        self.instant = Scale(dims)
        self.clip_gate = Scale(dims)
        self.window_gate = Scale(dims)
        self.windows = nn.ModuleList(nn.Conv1d(dims, dims, k, padding=k // 2, groups=dims) for k in kernels)
        self.mlp = Mlp(dims, int(dims * expansion))
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Encode.

        Args:
            x: (B, T, C).
            mask: (B, T) bool, False for padding.

        Returns:
            (B, T, C), 0 at masked steps.
        """
        keep = mask.unsqueeze(-1)
        y = self.norm(x) * keep
        gate = torch.relu(self.clip_gate(masked_mean(y, keep, dim=1))).unsqueeze(1)
        channels_first = y.transpose(1, 2)
        window = torch.stack([conv(channels_first) for conv in self.windows]).sum(0).transpose(1, 2)
        x = x + self.drop_path(self.instant(y) * gate + window * self.window_gate(y) + y)
        return (x + self.drop_path(self.mlp(x))) * keep


class Scale(nn.Module):
    """A depthwise convolution of width 1: a factor and an offset a channel."""

    def __init__(self, dims: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dims) + 0.02 * torch.randn(dims))
        self.bias = nn.Parameter(torch.zeros(dims))

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) -> (..., C)."""
        return x * self.weight + self.bias


class M3EBlock(nn.Module):
    """One layer of the encoder: macro attention, then the micro block, each optional for ablations.

    Args:
        dims: C.
        heads: Heads of the macro attention.
        kernels: Widths of the micro block.
        expansion: Width of its MLP over C.
        macro: Whether the attention is there.
        micro: Whether the scalable-granularity block is there; without it an MLP takes its place.
        drop_path: Chance to skip a branch in training.
    """

    def __init__(
        self,
        dims: int,
        heads: int = 4,
        kernels: Sequence[int] = (3, 5, 7),
        expansion: float = 1.5,
        macro: bool = True,
        micro: bool = True,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.macro = SelfAttention(dims, heads) if macro else None
        self.mlp: Mlp | None
        if micro:
            self.micro, self.mlp = ScalableGranularityBlock(dims, kernels, expansion, drop_path), None
        else:
            self.mlp = Mlp(dims, int(dims * expansion))
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, C) and (B, T) bool -> (B, T, C), 0 at masked steps."""
        keep = mask.unsqueeze(-1)
        if self.macro is not None:
            x = (x + self.drop_path(self.macro(x, mask))) * keep
        if self.mlp is None:
            return self.micro(x, mask)
        return (x + self.drop_path(self.mlp(x))) * keep


class M3E(nn.Module):
    """Macro-Micro Motion Encoder: a stack of :class:`M3EBlock` and a final normalisation.

    Masked steps are padding or moments in which the stream sees nothing: they change nothing at any other step, and
    are 0 in the output. Any T works.

    Args:
        dims: C.
        depth: Blocks.
        heads: Heads of the macro attention.
        kernels: Widths of the micro block.
        expansion: Width of the MLP over C.
        macro: Whether the macro attention is there.
        micro: Whether the micro block is there.
        drop_path: Chance to skip a branch in the last block; rises linearly from 0.
    """

    def __init__(
        self,
        dims: int,
        depth: int = 1,
        heads: int = 4,
        kernels: Sequence[int] = (3, 5, 7),
        expansion: float = 1.5,
        macro: bool = True,
        micro: bool = True,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        rates = torch.linspace(0, drop_path, depth + 1)[1:].tolist()
        self.blocks = nn.ModuleList(M3EBlock(dims, heads, kernels, expansion, macro, micro, rate) for rate in rates)
        self.norm = nn.LayerNorm(dims)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Encode.

        Args:
            x: (B, T, C).
            mask: (B, T) bool.

        Returns:
            (B, T, C), 0 at masked steps.
        """
        x = x * mask.unsqueeze(-1)
        for block in self.blocks:
            x = block(x, mask)
        return self.norm(x) * mask.unsqueeze(-1)
