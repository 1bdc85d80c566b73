"""The global stream: the whole in view, as skeleton, precomputed features or RGB crops, behind one interface.

A stream turns a batch into one token a time step for every body: ``forward(batch, steps) -> tokens (N, steps, D), seen
(N, steps)``, where N counts cuts, clips and persons together and ``steps`` is the experts' T'.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F  # noqa: N812
from torch import Tensor


@dataclass
class StreamBatch:
    """What a global stream may look at.

    Attributes:
        features: (N, T, V, F) joint channels of every body, N = clips x cuts x persons.
        visible: (N, T, V) bool.
        bodies_per_clip: N over the number of clips.
        feature: (B, T_f, C_f) precomputed features of each clip, zero rows for padding, or None.
        feature_seen: (B, T_f) bool, or None.
        rgb: (B, T_r, 3, H, W) normalised frames of each clip, or None.
        rgb_seen: (B, T_r) bool, whether a frame shows the person; None for all.
    """

    features: Tensor
    visible: Tensor
    bodies_per_clip: int
    feature: Tensor | None = None
    feature_seen: Tensor | None = None
    rgb: Tensor | None = None
    rgb_seen: Tensor | None = None


def resample_steps(tokens: Tensor, seen: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Bring tokens to another number of steps by linear interpolation over the seen ones.

    Args:
        tokens: (N, T, D).
        seen: (N, T) bool.
        steps: T'.

    Returns:
        tokens (N, T', D), and seen (N, T').
    """
    if tokens.shape[1] == steps:
        return tokens * seen.unsqueeze(-1), seen
    weight = seen.to(tokens.dtype).unsqueeze(1)
    value = F.interpolate((tokens * seen.unsqueeze(-1)).transpose(1, 2), size=steps, mode='linear')
    weight = F.interpolate(weight, size=steps, mode='linear')
    return (value / weight.clamp(min=1e-6)).transpose(1, 2), weight.squeeze(1) >= 0.5
