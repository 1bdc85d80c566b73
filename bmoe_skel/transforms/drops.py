"""What SkateFormer (Do and Kim 2024) hides in training: an axis of a clip, some joints for a while. Off by default."""

from __future__ import annotations

import numpy as np

from bmoe_skel.clip import Clip
from bmoe_skel.registry import TRANSFORMS


@TRANSFORMS.register_module()
class DropAxis:
    """Lose one axis of the whole clip: all its keypoints have 0 there, the body's centre.

    Args:
        prob: Share of clips that lose an axis (SkateFormer: 0.5).
    """

    def __init__(self, prob: float = 0.5) -> None:
        self.prob = prob

    def __call__(self, clip: Clip) -> Clip:
        """Change one clip."""
        rng = clip['rng']
        if rng.random() < self.prob:
            clip['keypoint'][..., rng.integers(clip['keypoint'].shape[-1])] = 0
        return clip


@TRANSFORMS.register_module()
class DropBlock:
    """Hide some joints for some frames in a row, behind ``SampleFrames``; one draw for all persons and cuts.

    A draw that would leave no visible keypoint changes nothing.

    Args:
        prob: Share of clips that are changed (SkateFormer: 0.5).
        joints: Fewest and most joints.
        frames: Fewest and most frames; no more than the clip has.

    Raises:
        ValueError: Fewest and most are not two rising positive numbers.
    """

    def __init__(
        self, prob: float = 0.5, joints: tuple[int, int] = (4, 12), frames: tuple[int, int] = (16, 32)
    ) -> None:
        for name, (low, high) in (('joints', joints), ('frames', frames)):
            if not 1 <= low <= high:
                raise ValueError(f'{name} must satisfy 1 <= fewest <= most, got {(low, high)}')
        self.prob, self.joints, self.frames = prob, tuple(joints), tuple(frames)

    def __call__(self, clip: Clip) -> Clip:
        """Change one clip."""
        rng, visible = clip['rng'], clip['visible']
        if rng.random() >= self.prob:
            return clip
        steps, joints = visible.shape[-2:]
        length = min(int(rng.integers(self.frames[0], self.frames[1] + 1)), steps)
        start = int(rng.integers(steps - length + 1))
        count = min(int(rng.integers(self.joints[0], self.joints[1] + 1)), joints)
        hidden = np.zeros((steps, joints), dtype=bool)
        hidden[start : start + length, rng.choice(joints, count, replace=False)] = True
        if (visible & ~hidden).any():
            clip['visible'] = visible & ~hidden
            clip['keypoint'] = clip['keypoint'] * clip['visible'][..., None]
        return clip
