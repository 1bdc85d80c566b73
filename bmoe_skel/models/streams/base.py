"""The global stream: the whole in view, as skeleton, precomputed features or RGB crops, behind one interface.

A new stream is one file beside this one with a registered subclass of :class:`GlobalStream`, and its line in
``streams/__init__.py``; a config then names it by ``global_stream=dict(type=...)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


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


@dataclass(frozen=True)
class StreamFacts:
    """What a mixture tells the stream that it builds.

    Attributes:
        skeleton: Name of the keypoint layout.
        in_channels: F, channels of a joint, from :class:`SkeletonFeatures`.
        out_dims: D, channels of a token.
        drop_path: Chance to skip a branch in training, where the stream's own config says nothing of it.
    """

    skeleton: str
    in_channels: int
    out_dims: int
    drop_path: float = 0.0


class GlobalStream(nn.Module):
    """Base of the global streams.

    A stream turns a batch into one token a time step for every body: ``forward(batch, steps) -> tokens (N, steps, D),
    seen (N, steps)``, where N counts clips, cuts and persons together and ``steps`` is the experts' T'.
    """

    @classmethod
    def from_model(cls, facts: StreamFacts, **own: Any) -> GlobalStream:
        """Build the stream for a mixture.

        Args:
            facts: What the mixture says of itself.
            **own: What the stream's config says beside ``type``.

        Returns:
            The stream.
        """
        return cls(out_dims=facts.out_dims, **own)

    @classmethod
    def settle(cls, config: dict[str, Any], crops: Mapping[str, Any] | None) -> tuple[dict[str, Any], str | None]:
        """Decide, now that the data is known, what a config that names this stream means.

        Args:
            config: The stream's config, its ``type`` among it; a copy that may be changed.
            crops: What the dataset says of its RGB crops, see :func:`choose_stream`; None if nothing.

        Returns:
            The config of the stream to build, and what was chosen and why where there was a choice.

        Raises:
            UserError: The data lacks what the stream needs.
        """
        return config, None


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
