"""Joint, bone, motion, velocity and distance channels of a skeleton, fused early and brought to a common scale."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from bmoe_skel.models.layers import masked_mean
from pose_extract.skeletons import get_skeleton

_STANDSTILL = 0.02  # frames: a step shorter than this has no velocity


def num_channels(skeleton: str, coordinates: int) -> int:
    """Count a joint's channels: 9 C that move with it, whether it is visible, and its V distances, which are the last.

    Args:
        skeleton: Name of the keypoint layout, of V keypoints.
        coordinates: C, 2 or 3.

    Returns:
        F = 9 C + 1 + V.

    Example:
        >>> num_channels('coco17', 2)
        36
    """
    return 9 * coordinates + 1 + get_skeleton(skeleton).num_keypoints


def channels_of(skeleton: str, channels: int, joints: Sequence[int]) -> list[int]:
    """Choose the channels that speak of some joints only: all but the distances to the other joints.

    Args:
        skeleton: Name of the keypoint layout.
        channels: F, as :func:`num_channels` counts them.
        joints: The joints, as indices into the layout.

    Returns:
        Channel numbers; those of the distances come last, in the order of ``joints``.

    Raises:
        ValueError: Fewer channels than a joint of the layout has distances.
    """
    own = channels - get_skeleton(skeleton).num_keypoints
    if own < 0:
        raise ValueError(f'{channels} channels cannot hold the distances to {channels - own} joints of {skeleton}')
    return [*range(own), *(own + joint for joint in joints)]


class SkeletonFeatures(nn.Module):
    """Compute the input channels of every joint: place, bone, and how both move.

    For each joint: its place; its place relative to the body's centre in the same frame; its deviation from its own
    mean place in the clip; the bone from its parent (2s-AGCN, Shi et al. 2019) and that bone's deviation from its
    mean; the forward difference of place and bone from step to step; the same over the time that really passed, the
    velocity, which no stretching of the clip changes; whether it is visible; and its distance from every joint,
    which no turn of the body or camera changes (DD-Net, Yang et al. 2019). A channel that needs an invisible joint or
    frame is 0. Every channel of every joint is standardised over the training clips: a micro-action
    moves a joint by a few hundredths of a body, a static difference between two persons is ten times that.

    Args:
        skeleton: Name of the keypoint layout.
        coordinates: 2 or 3.
    """

    parents: Tensor

    def __init__(self, skeleton: str, coordinates: int) -> None:
        super().__init__()
        layout = get_skeleton(skeleton)
        self.center = list(layout.center)
        self.num_channels = num_channels(skeleton, coordinates)
        self.register_buffer('parents', torch.from_numpy(layout.parents).long(), persistent=False)
        self.standardize = MaskedStandardize((layout.num_keypoints, 9 * coordinates))
        self.standardize_distances = MaskedStandardize((layout.num_keypoints, layout.num_keypoints))

    def forward(self, keypoint: Tensor, visible: Tensor, pace: Tensor) -> Tensor:
        """Compute the channels.

        Args:
            keypoint: (N, T, V, C), finite where visible.
            visible: (N, T, V) bool.
            pace: (N, T) time from each step to the next; where none passes, velocity is 0.

        Returns:
            (N, T, V, F), F of :func:`num_channels`; 0 for invisible joints.
        """
        mask = visible.unsqueeze(-1)
        joint = torch.where(mask, keypoint, torch.zeros((), dtype=keypoint.dtype, device=keypoint.device))
        center_mask = mask[:, :, self.center]
        count = center_mask.sum(2, keepdim=True)
        center = joint[:, :, self.center].sum(2, keepdim=True) / count.clamp(min=1)
        relative = (joint - center) * (mask & (count > 0))
        both = mask & mask[:, :, self.parents]
        bone = (joint - joint[:, :, self.parents]) * both
        steps = [motion(joint, mask), motion(bone, both)]
        passed = pace[:, :, None, None]
        rate = torch.where(passed > _STANDSTILL, 1 / passed.clamp(min=_STANDSTILL), 0)
        channels = [
            joint,
            relative,
            deviation(joint, mask),
            bone,
            deviation(bone, both),
            *steps,
            *(step * rate for step in steps),
        ]
        scaled = self.standardize(torch.cat(channels, dim=-1), mask)
        pairs = self.standardize_distances(distances(joint), visible.unsqueeze(3) & visible.unsqueeze(2))
        return torch.cat([scaled, mask.to(joint.dtype), pairs], dim=-1)


def deviation(value: Tensor, mask: Tensor) -> Tensor:
    """Difference from the mean over the clip.

    Args:
        value: (N, T, V, C).
        mask: (N, T, V, 1) bool.

    Returns:
        (N, T, V, C), 0 where the mask is off.
    """
    return (value - masked_mean(value, mask, dim=1).unsqueeze(1)) * mask


def motion(value: Tensor, mask: Tensor) -> Tensor:
    """Forward difference in time; 0 in the last frame and where either frame is masked.

    Args:
        value: (N, T, V, C).
        mask: (N, T, V, 1) bool.

    Returns:
        (N, T, V, C).
    """
    step = (value[:, 1:] - value[:, :-1]) * (mask[:, 1:] & mask[:, :-1])
    return torch.cat([step, torch.zeros_like(value[:, :1])], dim=1)


def distances(joint: Tensor) -> Tensor:
    """Distance of every joint from every other.

    Args:
        joint: (N, T, V, C).

    Returns:
        (N, T, V, V).
    """
    # the root of 0 has no finite gradient, and what the input has to do with a class is sometimes asked by gradients
    return ((joint.unsqueeze(3) - joint.unsqueeze(2)).square().sum(-1) + 1e-8).sqrt()


class MaskedStandardize(nn.Module):
    """Subtract the mean and divide by the deviation of each channel over the visible entries of a batch.

    A batch normalisation without scale and offset that invisible joints and padding frames do not enter; running
    statistics take the batch's place in evaluation.

    Args:
        shape: The trailing dimensions that have statistics of their own.
        momentum: Weight of a batch in the running statistics.
        eps: Added to the variance.
    """

    mean: Tensor
    var: Tensor

    def __init__(self, shape: tuple[int, ...], momentum: float = 0.1, eps: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.register_buffer('mean', torch.zeros(shape))
        self.register_buffer('var', torch.ones(shape))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Standardise.

        Args:
            x: (N, T, *shape).
            mask: (N, T, ...) bool, broadcastable to ``x``.

        Returns:
            (N, T, *shape), 0 where the mask is off.
        """
        mean, var = self.mean, self.var
        if self.training:
            with torch.no_grad():
                weight = mask.to(x.dtype).expand_as(x)
                count = weight.sum((0, 1))
                batch_mean = (x * weight).sum((0, 1)) / count.clamp(min=1)
                batch_var = ((x - batch_mean).square() * weight).sum((0, 1)) / count.clamp(min=1)
                known = count > 1  # a joint that no clip of the batch shows keeps its statistics
                mean, var = torch.where(known, batch_mean, mean), torch.where(known, batch_var, var)
                self.mean.lerp_(mean.to(self.mean.dtype), self.momentum)
                self.var.lerp_(var.to(self.var.dtype), self.momentum)
        return (x - mean) * (var + self.eps).rsqrt() * mask
