from __future__ import annotations

import numpy as np
import pytest
from skeleton_clips import normalized_clip

from bmoe_skel.transforms import DropAxis, DropBlock, SampleFrames


def sampled(seed: int) -> dict:
    clip = SampleFrames(40, random=False)(normalized_clip(frames=50, dims=3))
    return {**clip, 'rng': np.random.default_rng(seed)}


def test_an_axis_is_lost_in_its_share_of_the_clips() -> None:
    lost = []
    for seed in range(200):
        before = sampled(0)['keypoint']
        after = DropAxis(0.5)({**sampled(0), 'rng': np.random.default_rng(seed)})['keypoint']
        gone = [axis for axis in range(3) if not after[..., axis].any()]
        assert len(gone) <= 1
        kept = [axis for axis in range(3) if axis not in gone]
        assert np.array_equal(after[..., kept], before[..., kept])
        lost += gone
    assert 75 <= len(lost) <= 125 and set(lost) == {0, 1, 2}


def test_some_joints_are_hidden_for_some_frames_in_a_row() -> None:
    changed = 0
    for seed in range(60):
        before, after = sampled(seed), DropBlock(0.5, (4, 12), (16, 32))(sampled(seed))
        hidden = (before['visible'] & ~after['visible'])[0, 0]
        frames, joints = (np.flatnonzero(hidden.any(axis)) for axis in (1, 0))
        assert hidden.sum() == len(frames) * len(joints)  # a block
        assert not after['keypoint'][~after['visible']].any()
        assert np.array_equal(after['keypoint'][after['visible']], before['keypoint'][after['visible']])
        if len(frames):
            changed += 1
            assert 4 <= len(joints) <= 12 and 16 <= len(frames) <= 32 and np.ptp(frames) == len(frames) - 1
    assert 15 <= changed <= 45


def test_something_stays_visible_and_mistakes_are_named() -> None:
    clip = sampled(1)
    assert DropBlock(1.0, (20, 20), (90, 90))(clip)['visible'].all()
    with pytest.raises(ValueError, match='frames must satisfy'):
        DropBlock(frames=(5, 2))
