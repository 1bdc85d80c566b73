"""Stage 1: one expert alone. Stage 2 starts from its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from bmoe_skel.models.heads import ActionHead
from bmoe_skel.models.layers import masked_mean
from bmoe_skel.models.recognizer import Batch, Encoded, SkeletonRecognizer
from bmoe_skel.models.region_expert import RegionExpert
from bmoe_skel.registry import MODELS

EXPERT_PREFIX = 'expert.'
"""What the keys of the expert's weights begin with in a checkpoint."""


@dataclass(frozen=True)
class EncodedRegion(Encoded):
    """A batch after the expert.

    Attributes:
        shown: (B * S,) bool, whether the region is seen at all.
    """

    shown: Tensor


@MODELS.register_module()
class RegionRecognizer(SkeletonRecognizer[EncodedRegion]):
    """A region's expert as a classifier of its own.

    Args:
        region: 'head', 'body', 'upper', 'lower', or 'whole'.
        num_classes: C; None in a config takes the dataset's.
        skeleton: Name of the keypoint layout; None in a config takes the dataset's.
        coordinates: 2 or 3; None in a config takes the dataset's.
        dims: D, channels of every token; as in the mixture it is to start.
        expert: Further arguments of :class:`RegionExpert`; as in the mixture.
        drop_path: Chance to skip a branch in training.
        head: Arguments of :class:`ActionHead` but ``dims`` and ``num_classes``.
        data_preprocessor: Config of the batch builder.
    """

    expert: RegionExpert

    def __init__(
        self,
        region: str,
        num_classes: int | None = None,
        skeleton: str | None = None,
        coordinates: int | None = 2,
        dims: int = 96,
        expert: dict[str, Any] | None = None,
        drop_path: float = 0.0,
        head: dict[str, Any] | None = None,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(num_classes, skeleton, coordinates, data_preprocessor)
        arguments = {'drop_path': drop_path, **(expert or {})}
        self.expert = RegionExpert(self.skeleton, region, self.features.num_channels, dims, **arguments)
        self.head = ActionHead(dims, self.num_classes, **(head or {}))

    def encode(self, inputs: Batch) -> EncodedRegion:
        """Run the expert and average over steps, then over persons; see :class:`SkeletonRecognizer`."""
        features, visible, bodies = self.read(inputs)
        tokens, seen = self.expert(features, visible)
        body = masked_mean(tokens, seen.unsqueeze(-1), dim=1).view(-1, bodies[2], tokens.shape[-1])
        shown = seen.any(1).view(-1, bodies[2], 1)
        return EncodedRegion(clip=masked_mean(body, shown, dim=1), bodies=bodies, shown=shown.any(1).squeeze(-1))

    def losses(self, encoded: EncodedRegion, target: Tensor) -> dict[str, Tensor]:
        """Compute the losses of the cuts that show the region."""
        return self.head.losses(encoded.clip, target, encoded.shown.to(encoded.clip.dtype))
