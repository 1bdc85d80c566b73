"""Global stream: the skeleton of the whole body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from bmoe_skel.models.region_expert import WHOLE_BODY, RegionExpert
from bmoe_skel.models.streams.base import GlobalStream, StreamBatch, StreamFacts, resample_steps
from bmoe_skel.registry import MODELS


@MODELS.register_module()
class SkeletonStream(RegionExpert, GlobalStream):
    """The whole body's skeleton: an expert that sees every joint.

    Args:
        skeleton: Name of the keypoint layout.
        in_channels: Channels of a joint.
        out_dims: Channels of a token.
        **kwargs: For :class:`RegionExpert`.
    """

    def __init__(self, skeleton: str, in_channels: int, out_dims: int, **kwargs: Any) -> None:
        super().__init__(skeleton, WHOLE_BODY, in_channels, out_dims, **kwargs)

    @classmethod
    def from_model(cls, facts: StreamFacts, **own: Any) -> GlobalStream:
        """Build the stream; see :class:`GlobalStream`."""
        return cls(facts.skeleton, facts.in_channels, facts.out_dims, **{'drop_path': facts.drop_path, **own})

    @classmethod
    def settle(cls, config: dict[str, Any], crops: Mapping[str, Any] | None) -> tuple[dict[str, Any], str | None]:
        """Leave out ``rgb``, which stands in the config of an ``AutoStream`` whose type was overridden."""
        config.pop('rgb', None)
        return config, None

    def forward(self, batch: StreamBatch, steps: int) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Encode the batch's joints; see :class:`GlobalStream`."""
        return resample_steps(*super().forward(batch.features, batch.visible), steps)
