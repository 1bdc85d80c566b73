"""Joint, bone and motion channels of a skeleton, fused early."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pose_extract.skeletons import get_skeleton


class SkeletonFeatures(nn.Module):
    """Compute the input channels of every joint: place, bone, and the motion of both.

    For each joint: its place; its place relative to the body's centre in the same frame; the bone from its parent
    (2s-AGCN, Shi et al. 2019); the forward difference in time of place and bone; and whether it is visible. A channel
    that needs an invisible joint or frame is 0. Lengths are in body sizes; motions are scaled up, since a
    micro-action moves a joint by a few hundredths of a body between two frames.

    Args:
        skeleton: Name of the keypoint layout.
        coordinates: 2 or 3.
        motion_scale: Factor on the two motion channels.
    """

    parents: Tensor

    def __init__(self, skeleton: str, coordinates: int, motion_scale: float = 10.0) -> None:
        super().__init__()
        layout = get_skeleton(skeleton)
        self.center = list(layout.center)
        self.motion_scale = motion_scale
        self.num_channels = 5 * coordinates + 1
        self.register_buffer('parents', torch.from_numpy(layout.parents).long(), persistent=False)

    def forward(self, keypoint: Tensor, visible: Tensor) -> Tensor:
        """Compute the channels.

        Args:
            keypoint: (N, T, V, C), finite where visible.
            visible: (N, T, V) bool.

        Returns:
            (N, T, V, 5 C + 1); 0 for invisible joints.
        """
        mask = visible.unsqueeze(-1)
        joint = torch.where(mask, keypoint, torch.zeros((), dtype=keypoint.dtype, device=keypoint.device))
        center_mask = mask[:, :, self.center]
        count = center_mask.sum(2, keepdim=True)
        center = joint[:, :, self.center].sum(2, keepdim=True) / count.clamp(min=1)
        relative = (joint - center) * (mask & (count > 0))
        both = mask & mask[:, :, self.parents]
        bone = (joint - joint[:, :, self.parents]) * both
        channels = [joint, relative, bone, self._motion(joint, mask), self._motion(bone, both), mask.to(joint.dtype)]
        return torch.cat(channels, dim=-1)

    def _motion(self, value: Tensor, mask: Tensor) -> Tensor:
        step = (value[:, 1:] - value[:, :-1]) * (mask[:, 1:] & mask[:, :-1]) * self.motion_scale
        return torch.cat([step, torch.zeros_like(value[:, :1])], dim=1)

    def extra_repr(self) -> str:
        """Name the size for ``print(model)``."""
        return f'num_channels={self.num_channels}'
