"""Global stream: precomputed features of each clip."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from bmoe_ground.errors import UserError
from bmoe_skel.models.m3e import M3E
from bmoe_skel.models.streams.base import GlobalStream, StreamBatch, resample_steps
from bmoe_skel.registry import MODELS


@MODELS.register_module()
class FeatureStream(GlobalStream):
    """Precomputed features of each clip, such as VideoMAEv2's 1408 channels a window.

    Args:
        feature_channels: C_f.
        out_dims: Channels of a token.
        m3e: Arguments of :class:`M3E` but ``dims``.
        drop: Dropout on the features.
    """

    def __init__(
        self, feature_channels: int, out_dims: int, m3e: dict[str, Any] | None = None, drop: float = 0.1
    ) -> None:
        super().__init__()
        self.feature_channels = feature_channels
        self.embed = nn.Sequential(
            nn.LayerNorm(feature_channels), nn.Dropout(drop), nn.Linear(feature_channels, out_dims)
        )
        self.encoder = M3E(out_dims, **(m3e or {}))

    def forward(self, batch: StreamBatch, steps: int) -> tuple[Tensor, Tensor]:
        """Encode the clips' features; see :class:`GlobalStream`."""
        if batch.feature is None or batch.feature_seen is None:
            raise UserError('the global stream reads precomputed features, but the clips have none: add LoadFeature')
        if batch.feature.shape[-1] != self.feature_channels:
            raise UserError(
                f'the clips have features of {batch.feature.shape[-1]} channels, '
                f'the global stream expects feature_channels={self.feature_channels}'
            )
        tokens = self.encoder(self.embed(batch.feature), batch.feature_seen)
        tokens, seen = resample_steps(tokens, batch.feature_seen, steps)
        return tokens.repeat_interleave(batch.bodies_per_clip, 0), seen.repeat_interleave(batch.bodies_per_clip, 0)
