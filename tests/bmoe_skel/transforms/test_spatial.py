from __future__ import annotations

import numpy as np
import pytest
from skeleton_clips import normalized_clip, pose_clip

from bmoe_ground.errors import UserError
from bmoe_skel.transforms import (
    DropJoints,
    NormalizePose,
    RandomAffine,
    RandomJitter,
    SampleFrames,
)
from bmoe_skel.transforms.spatial import body_size, view_rotation
from pose_extract.skeletons import REGIONS, get_skeleton


class TestNormalizePose:
    def test_does_not_depend_on_place_and_size(self) -> None:
        one, two = pose_clip(), pose_clip()
        two['keypoint'] = two['keypoint'] * 3.5 + np.array([40, -7], np.float32)
        np.testing.assert_allclose(NormalizePose()(one)['keypoint'], NormalizePose()(two)['keypoint'], atol=1e-4)

    def test_size_is_the_root_mean_square_of_median_bones(self) -> None:
        sample = pose_clip(frames=5)
        skeleton = get_skeleton('coco17')
        medians = []
        for i, j in skeleton.edges:
            lengths = [np.hypot(*(sample['keypoint'][0, t, i] - sample['keypoint'][0, t, j])) for t in range(5)]
            medians.append(sorted(lengths)[2])
        wanted = np.sqrt(np.mean(np.square(medians)))
        assert body_size(sample['keypoint'], np.ones((1, 5, 17), bool), skeleton) == pytest.approx(wanted, rel=1e-5)

    def test_size_of_the_upper_half_alone_is_like_the_whole(self) -> None:
        skeleton = get_skeleton('coco17')
        keypoint = pose_clip()['keypoint']
        visible = np.ones(keypoint.shape[:3], bool)
        visible[..., list(skeleton.regions['lower'])] = False
        assert 0.5 < body_size(keypoint, visible, skeleton) / body_size(keypoint, np.ones_like(visible), skeleton) < 2

    def test_absent_keypoints_are_invisible_zeros(self) -> None:
        sample = pose_clip()
        sample['keypoint'][0, 3, 5] = np.nan
        sample['keypoint_score'] = np.ones((1, 12, 17), np.float32)
        sample['keypoint_score'][0, 4] = 0
        sample['keypoint_score'][0, 5, 2] = np.nan
        out = NormalizePose()(sample)
        assert not out['visible'][0, 3, 5]
        assert not out['visible'][0, 4].any()
        assert not out['visible'][0, 5, 2]
        assert out['visible'].sum() == 12 * 17 - 1 - 17 - 1
        assert (out['keypoint'][~out['visible']] == 0).all()
        assert np.isfinite(out['keypoint']).all()

    def test_nobody_is_an_error_that_names_the_clip(self) -> None:
        sample = pose_clip()
        sample['keypoint'][:] = np.nan
        with pytest.raises(UserError, match="'clip' has no visible keypoint"):
            NormalizePose()(sample)

    @pytest.mark.parametrize('angle', [0.4, 2.0, -1.3])
    def test_yaw_view_undoes_a_turn(self, angle: float) -> None:
        one, two = pose_clip('kinect20', dims=3), pose_clip('kinect20', dims=3)
        turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
        two['keypoint'] = (two['keypoint'] @ turn.T).astype(np.float32)
        view = NormalizePose(view='yaw')
        np.testing.assert_allclose(view(one)['keypoint'], view(two)['keypoint'], atol=1e-3)

    def test_rotations_are_proper_and_bring_the_shoulders_to_x(self) -> None:
        skeleton = get_skeleton('kinect20')
        keypoint = pose_clip('kinect20', dims=3)['keypoint']
        for view in ('yaw', 'full'):
            turn = view_rotation(keypoint, np.ones(keypoint.shape[:3], bool), skeleton, view)
            np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-6)
            assert np.linalg.det(turn) == pytest.approx(1)
            turned = keypoint @ turn.T
            left = turned[0][:, [skeleton.shoulders[0], skeleton.hips[0]]].mean((0, 1))
            right = turned[0][:, [skeleton.shoulders[1], skeleton.hips[1]]].mean((0, 1))
            assert (left - right)[0] > 0
            assert abs((left - right)[2]) < 1e-2

    def test_view_needs_three_dimensions(self) -> None:
        with pytest.raises(UserError, match='needs 3D'):
            NormalizePose(view='yaw')(pose_clip())


class TestAffine:
    @pytest.mark.parametrize('dims', [2, 3])
    def test_a_pure_rotation_keeps_distances(self, dims: int) -> None:
        sample = normalized_clip(skeleton='kinect20', dims=dims)
        before = sample['keypoint'].copy()
        after = RandomAffine(rotation=1.0, yaw=1.0, tilt=0.3)(sample)['keypoint']
        assert np.abs(after - before).max() > 0.05
        np.testing.assert_allclose(
            np.linalg.norm(after[..., 1:, :] - after[..., :1, :], axis=-1),
            np.linalg.norm(before[..., 1:, :] - before[..., :1, :], axis=-1),
            atol=1e-4,
        )

    def test_3d_rotation_is_about_the_vertical(self) -> None:
        sample = normalized_clip(skeleton='kinect20', dims=3)
        before = sample['keypoint'].copy()
        np.testing.assert_allclose(RandomAffine(yaw=2.0)(sample)['keypoint'][..., 1], before[..., 1], atol=1e-5)

    def test_invisible_keypoints_stay_zero(self) -> None:
        sample = pose_clip()
        sample['keypoint'][0, :, 3] = np.nan
        out = RandomAffine(rotation=1, scale=0.3, shear=0.2)(NormalizePose()(sample))
        assert (out['keypoint'][0, :, 3] == 0).all()


class TestJitter:
    def test_size_is_as_said(self) -> None:
        sample = normalized_clip(frames=400)
        before = sample['keypoint'].copy()
        noise = RandomJitter(joint=0.05, frame=0.01)(sample)['keypoint'] - before
        assert np.std(noise - noise.mean(1, keepdims=True)) == pytest.approx(0.01, rel=0.05)
        assert 0.02 < np.std(noise.mean(1)) < 0.09

    def test_works_after_sampling_too(self) -> None:
        sample = SampleFrames(8)(normalized_clip())
        before = sample['keypoint'].copy()
        noise = RandomJitter(joint=0.05)(sample)['keypoint'] - before
        np.testing.assert_allclose(noise, np.broadcast_to(noise[:, :, :1], noise.shape), atol=1e-6)


class TestDropJoints:
    def test_hides_one_whole_region(self) -> None:
        out = DropJoints(region_prob=1.0)(normalized_clip())
        hidden = {i for i in range(17) if not out['visible'][..., i].any()}
        assert hidden in [set(get_skeleton('coco17').regions[r]) for r in REGIONS]
        assert (out['keypoint'][~out['visible']] == 0).all()

    def test_never_hides_everything(self) -> None:
        sample = normalized_clip()
        sample['visible'][..., 1:] = False
        out = DropJoints(joint_prob=1.0, joint_clip_prob=1.0)(sample)
        assert out['visible'].any()

    def test_share_of_joints(self) -> None:
        drop = DropJoints(joint_prob=0.3, joint_clip_prob=1.0)
        shares = [1 - drop(normalized_clip(seed=i))['visible'].mean() for i in range(200)]
        assert np.mean(shares) == pytest.approx(0.3, abs=0.03)
