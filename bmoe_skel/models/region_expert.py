"""One expert: a region's embedding and its Macro-Micro Motion Encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from bmoe_ground.errors import UserError
from bmoe_skel.models.features import channels_of
from bmoe_skel.models.joint_encoder import JointEncoder
from bmoe_skel.models.m3e import M3E
from pose_extract.skeletons import REGIONS, get_skeleton

WHOLE_BODY = 'whole'


def region_joints(skeleton: str, region: str) -> tuple[int, ...]:
    """List the joints of a region.

    Args:
        skeleton: Name of the keypoint layout.
        region: One of the four regions, or 'whole'.

    Returns:
        Joint indices.

    Raises:
        UserError: The region or skeleton is unknown.
    """
    layout = get_skeleton(skeleton)
    if region == WHOLE_BODY:
        return tuple(range(layout.num_keypoints))
    if region not in layout.regions:
        raise UserError(f'unknown region {region!r}; choose one of {REGIONS} or {WHOLE_BODY!r}')
    return tuple(layout.regions[region])


class RegionExpert(nn.Module):
    """Tokens of one region of the body, in its own context.

    Args:
        skeleton: Name of the keypoint layout.
        region: 'head', 'body', 'upper', 'lower', or 'whole' for the whole body.
        in_channels: Channels of a joint, from :class:`SkeletonFeatures`.
        out_dims: Channels of a token.
        dims: Channels of the embedding's stages; time is halved between two.
        depths: Blocks of the embedding's stages.
        m3e: Arguments of :class:`M3E` but ``dims``.
        drop_path: Chance to skip a branch in training.
    """

    def __init__(
        self,
        skeleton: str,
        region: str,
        in_channels: int,
        out_dims: int,
        dims: Sequence[int] = (48, 64),
        depths: Sequence[int] = (1, 1),
        m3e: dict[str, Any] | None = None,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.region = region
        layout = get_skeleton(skeleton)
        joints = region_joints(skeleton, region)
        groups = [layout.regions[name] for name in REGIONS] if region == WHOLE_BODY else None
        self.embedding = JointEncoder(
            in_channels,
            joints,
            layout.edges,
            out_dims,
            dims,
            depths,
            groups,
            drop_path=drop_path,
            columns=channels_of(skeleton, in_channels, joints),
        )
        self.encoder = M3E(out_dims, **{'drop_path': drop_path, **(m3e or {})})

    def forward(self, features: Tensor, visible: Tensor) -> tuple[Tensor, Tensor]:
        """Encode.

        Args:
            features: (N, T, V, F) of the whole skeleton.
            visible: (N, T, V) bool.

        Returns:
            tokens (N, T', D) and the steps in which the region is seen, (N, T') bool.
        """
        tokens, seen = self.embedding(features, visible)
        return self.encoder(tokens, seen), seen
