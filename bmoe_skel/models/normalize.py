"""The transform ``NormalizePose``, with its defaults, for a batch of plain tensors.

A model that is called on a bare tensor of coordinates must see what it saw in training: poses at a common place, of a
common size and, in 3D, turned to a common direction. Frames are taken as they are: nothing is resampled, so that clips
of one call have one number of frames, and a clip at another frame rate than the training's moves faster or slower to
the model's eyes (see ``SkeletonRecognizer.batch_of``).

All is computed in float64 (float32 where a device has none), clip by clip, and equals the numpy transform.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bmoe_skel.models.layers import masked_mean
from pose_extract.skeletons import Skeleton, get_skeleton

_NOTHING = 1e-6  # a length below this says nothing of size or direction


def normalize_pose(clips: Tensor, skeleton: str) -> tuple[Tensor, Tensor]:
    """Bring clips to a common place, size and, for 3D, direction of view.

    The origin is the body's centre (the first seen person's, mean over the clip's frames), the unit the body's size:
    the root mean square over its bones of each bone's median length. A 3D body is turned about the vertical axis, y,
    until shoulders and hips lie along x. What is not seen takes part in none of them.

    Args:
        clips: (N, M, T, V, C) coordinates of any unit, C = 2 or 3; NaN or infinite where absent.
        skeleton: Name of the keypoint layout, of V keypoints.

    Returns:
        (N, M, T, V, C) in body sizes, of the type of ``clips``, 0 where absent; and (N, M, T, V) bool, which keypoints
        are there. A clip without any keypoint is all 0.

    Example:
        >>> points, visible = normalize_pose(torch.rand(4, 1, 30, 17, 2), 'coco17')
        >>> points.shape, bool(visible.all())
        (torch.Size([4, 1, 30, 17, 2]), True)
    """
    layout = get_skeleton(skeleton)
    visible = clips.isfinite().all(-1)
    mask = visible.unsqueeze(-1)
    exact = torch.float32 if clips.device.type == 'mps' else torch.float64
    points = clips.to(exact).masked_fill(~mask, 0)
    points = points - _center(points, visible, layout)[:, None, None, None]
    if points.shape[-1] == 3:
        points = points @ _yaw(points, visible, layout)[:, None, None].mT
    points = points / _body_size(points, visible, layout)[:, None, None, None, None]
    return points.masked_fill(~mask, 0).to(clips.dtype), visible


def _first_seen(points: Tensor, visible: Tensor) -> tuple[Tensor, Tensor]:
    """The first person of each clip who is seen at all: (N, T, V, C) and (N, T, V)."""
    person = visible.any(3).any(2).int().argmax(1)
    clip = torch.arange(points.shape[0], device=points.device)
    return points[clip, person], visible[clip, person]


def _center(points: Tensor, visible: Tensor, layout: Skeleton) -> Tensor:
    """(N, C) mean place of that person's centre keypoints, or of all that is seen of them if those are hidden."""
    body, seen = _first_seen(points, visible)
    joints = torch.zeros(layout.num_keypoints, dtype=torch.bool, device=points.device)
    joints[list(layout.center)] = True
    central = seen & joints
    told = central.any(2).any(1)[:, None, None]
    used = (central & told) | (seen & ~told)  # ONNX Runtime knows no choice between two masks
    return masked_mean(body.flatten(1, 2), used.flatten(1).unsqueeze(-1), dim=1)


def _yaw(points: Tensor, visible: Tensor, layout: Skeleton) -> Tensor:
    """(N, 3, 3) rotations about y that lay shoulders and hips along x; the identity where the side cannot be told."""
    body, seen = _first_seen(points, visible)
    left, right = ([pair[side] for pair in (layout.shoulders, layout.hips)] for side in (0, 1))
    both = seen[:, :, left + right].all(2)
    side = masked_mean(body[:, :, left].mean(2) - body[:, :, right].mean(2), both.unsqueeze(-1), dim=1)
    up = torch.tensor([0.0, 1.0, 0.0], dtype=points.dtype, device=points.device).expand_as(side)
    side = side * (1 - up)
    length = side.norm(dim=-1, keepdim=True)
    told = length >= _NOTHING
    x = torch.where(told, side / length.clamp(min=_NOTHING), up.roll(-1, -1))  # (1, 0, 0)
    return torch.stack([x, up, torch.linalg.cross(x, up)], dim=1)


def _body_size(points: Tensor, visible: Tensor, layout: Skeleton) -> Tensor:
    """(N,) root mean square of the bones' median lengths; without bones the spread of what is seen, or 1."""
    start, end = torch.tensor(layout.edges, device=points.device).unbind(1)
    length = (points[..., start, :] - points[..., end, :]).norm(dim=-1).flatten(1, 2)
    both = (visible[..., start] & visible[..., end]).flatten(1, 2)
    size = masked_mean(_masked_median(length, both).square(), both.any(1), dim=1).sqrt()
    flat, shown = points.flatten(1), visible.unsqueeze(-1).expand_as(points).flatten(1)
    mean = masked_mean(flat, shown, dim=1)
    spread = masked_mean((flat - mean.unsqueeze(1)).square(), shown, dim=1).sqrt()
    size = torch.where(size > _NOTHING, size, spread)
    return torch.where(size > _NOTHING, size, torch.ones_like(size))


def _masked_median(values: Tensor, mask: Tensor) -> Tensor:
    """Median over dimension 1 of what a mask lets through; (N, L, E) -> (N, E), 0 where it lets nothing through."""
    order = values.masked_fill(~mask, torch.inf).sort(dim=1).values
    count = mask.sum(1, keepdim=True)
    low, high = ((count - 1) // 2).clamp(min=0), (count // 2).clamp(max=values.shape[1] - 1)
    middle = (order.gather(1, low) + order.gather(1, high)) / 2  # an even number of values has a middle of two
    return torch.where(count > 0, middle, 0).squeeze(1)
