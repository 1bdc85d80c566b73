from __future__ import annotations

import numpy as np
import pytest
from skeleton_clips import normalized_clip

from bmoe_skel.transforms import (
    AddMirrored,
    RandomFlip,
    SampleFrames,
)
from pose_extract.skeletons import get_skeleton, skeleton_names


class TestFlip:
    @pytest.mark.parametrize('skeleton', skeleton_names())
    def test_twice_is_nothing_and_once_swaps_sides(self, skeleton: str) -> None:
        sample = normalized_clip(skeleton=skeleton)
        before = sample['keypoint'].copy()
        flip = RandomFlip(prob=1.0)
        once = flip(sample)['keypoint'].copy()
        left, right = get_skeleton(skeleton).pairs[0]
        np.testing.assert_allclose(once[..., left, 0], -before[..., right, 0])
        np.testing.assert_allclose(once[..., left, 1], before[..., right, 1])
        assert np.array_equal(flip(sample)['keypoint'], before)

    def test_classes_of_one_side_are_left_alone_or_renamed(self) -> None:
        sample = normalized_clip(label=2)
        before = sample['keypoint'].copy()
        assert np.array_equal(RandomFlip(prob=1.0, keep_classes=[2])(sample)['keypoint'], before)
        renamed = RandomFlip(prob=1.0, label_map={2: 1, 1: 2})(sample)
        assert renamed['label'] == 1
        assert not np.array_equal(renamed['keypoint'], before)

    def test_class_names_tell_what_a_mirror_does(self) -> None:
        names = ['nod', 'Lean-Left', 'lean_right', 'raise left arm', 'stand upright']
        flip = RandomFlip(prob=1.0, by_name=True)
        expected = {0: (0, True), 1: (2, True), 2: (1, True), 3: (3, False), 4: (4, True)}
        for label, (after, mirrored) in expected.items():
            out = flip({**normalized_clip(label=label), 'classes': names})
            assert (out['label'], out.get('flipped', False)) == (after, mirrored)

    def test_several_labels_are_renamed_together(self) -> None:
        names = ['nod', 'lean left', 'lean right', 'raise left arm']
        flip = RandomFlip(prob=1.0, by_name=True)
        out = flip({**normalized_clip(label=np.array([1, 1, 0, 0], np.float32)), 'classes': names})
        assert out['label'].tolist() == [1, 0, 1, 0]
        kept = flip({**normalized_clip(label=np.array([0, 1, 0, 1], np.float32)), 'classes': names})
        assert kept['label'].tolist() == [0, 1, 0, 1]
        assert 'flipped' not in kept

    def test_a_test_sees_every_cut_and_its_mirror_image(self) -> None:
        sample = {**SampleFrames(8, random=False, num_clips=2)(normalized_clip()), 'classes': ['nod', 'stand upright']}
        cuts, seen = sample['keypoint'].copy(), sample['visible'].copy()
        both = AddMirrored()(dict(sample))
        assert both['keypoint'].shape[0] == both['visible'].shape[0] == both['pace'].shape[0] == 4
        assert np.array_equal(both['keypoint'][:2], cuts)
        flipped = RandomFlip(prob=1.0)({**sample, 'keypoint': cuts, 'visible': seen})
        assert np.array_equal(both['keypoint'][2:], flipped['keypoint'])
        sided = AddMirrored()({**sample, 'classes': ['lean left', 'lean right']})
        assert sided['keypoint'].shape[0] == 2
