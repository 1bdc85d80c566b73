"""Global stream: the skeleton of the whole body."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from bmoe_skel.models.region_expert import WHOLE_BODY, RegionExpert
from bmoe_skel.models.streams.base import StreamBatch, resample_steps


class SkeletonStream(RegionExpert):
    """The whole body's skeleton: an expert that sees every joint.

    Args:
        skeleton: Name of the keypoint layout.
        in_channels: Channels of a joint.
        out_dims: Channels of a token.
        **kwargs: For :class:`RegionExpert`.
    """

    def __init__(self, skeleton: str, in_channels: int, out_dims: int, **kwargs: Any) -> None:
        super().__init__(skeleton, WHOLE_BODY, in_channels, out_dims, **kwargs)

    def forward(self, batch: StreamBatch, steps: int) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Encode the batch's joints; see the module."""
        return resample_steps(*super().forward(batch.features, batch.visible), steps)
