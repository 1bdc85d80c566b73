from __future__ import annotations

import numpy as np
import pytest

from bmoe_ground.errors import UserError
from bmoe_skel.transforms import (
    AddMirrored,
    DropJoints,
    NormalizePose,
    PackPose,
    RandomAffine,
    RandomFlip,
    RandomJitter,
    SampleFrames,
)
from bmoe_skel.transforms.side_inputs import cut_of
from bmoe_skel.transforms.spatial import body_size, view_rotation
from bmoe_skel.transforms.temporal import interpolate_frames, warp_time
from pose_extract.skeletons import REGIONS, get_skeleton, skeleton_names


def clip(skeleton: str = 'coco17', frames: int = 12, dims: int = 2, persons: int = 1, label: int = 0, seed: int = 0):
    rng = np.random.default_rng(seed)
    joints = get_skeleton(skeleton).num_keypoints
    keypoint = rng.normal(100, 30, (persons, 1, joints, dims)) + rng.normal(0, 1, (persons, frames, joints, dims))
    return {
        'keypoint': keypoint.astype(np.float32),
        'skeleton': skeleton,
        'label': label,
        'frame_dir': 'clip',
        'rng': np.random.default_rng(seed),
    }


def normalized(**kwargs):
    return NormalizePose()(clip(**kwargs))


class TestNormalizePose:
    def test_does_not_depend_on_place_and_size(self) -> None:
        one, two = clip(), clip()
        two['keypoint'] = two['keypoint'] * 3.5 + np.array([40, -7], np.float32)
        np.testing.assert_allclose(NormalizePose()(one)['keypoint'], NormalizePose()(two)['keypoint'], atol=1e-4)

    def test_size_is_the_root_mean_square_of_median_bones(self) -> None:
        sample = clip(frames=5)
        skeleton = get_skeleton('coco17')
        medians = []
        for i, j in skeleton.edges:
            lengths = [np.hypot(*(sample['keypoint'][0, t, i] - sample['keypoint'][0, t, j])) for t in range(5)]
            medians.append(sorted(lengths)[2])
        wanted = np.sqrt(np.mean(np.square(medians)))
        assert body_size(sample['keypoint'], np.ones((1, 5, 17), bool), skeleton) == pytest.approx(wanted, rel=1e-5)

    def test_size_of_the_upper_half_alone_is_like_the_whole(self) -> None:
        skeleton = get_skeleton('coco17')
        keypoint = clip()['keypoint']
        visible = np.ones(keypoint.shape[:3], bool)
        visible[..., list(skeleton.regions['lower'])] = False
        assert 0.5 < body_size(keypoint, visible, skeleton) / body_size(keypoint, np.ones_like(visible), skeleton) < 2

    def test_absent_keypoints_are_invisible_zeros(self) -> None:
        sample = clip()
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
        sample = clip()
        sample['keypoint'][:] = np.nan
        with pytest.raises(UserError, match="'clip' has no visible keypoint"):
            NormalizePose()(sample)

    @pytest.mark.parametrize('angle', [0.4, 2.0, -1.3])
    def test_yaw_view_undoes_a_turn(self, angle: float) -> None:
        one, two = clip('kinect20', dims=3), clip('kinect20', dims=3)
        turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
        two['keypoint'] = (two['keypoint'] @ turn.T).astype(np.float32)
        view = NormalizePose(view='yaw')
        np.testing.assert_allclose(view(one)['keypoint'], view(two)['keypoint'], atol=1e-3)

    def test_rotations_are_proper_and_bring_the_shoulders_to_x(self) -> None:
        skeleton = get_skeleton('kinect20')
        keypoint = clip('kinect20', dims=3)['keypoint']
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
            NormalizePose(view='yaw')(clip())


class TestAffine:
    @pytest.mark.parametrize('dims', [2, 3])
    def test_a_pure_rotation_keeps_distances(self, dims: int) -> None:
        sample = normalized(skeleton='kinect20', dims=dims)
        before = sample['keypoint'].copy()
        after = RandomAffine(rotation=1.0, yaw=1.0, tilt=0.3)(sample)['keypoint']
        assert np.abs(after - before).max() > 0.05
        np.testing.assert_allclose(
            np.linalg.norm(after[..., 1:, :] - after[..., :1, :], axis=-1),
            np.linalg.norm(before[..., 1:, :] - before[..., :1, :], axis=-1),
            atol=1e-4,
        )

    def test_3d_rotation_is_about_the_vertical(self) -> None:
        sample = normalized(skeleton='kinect20', dims=3)
        before = sample['keypoint'].copy()
        np.testing.assert_allclose(RandomAffine(yaw=2.0)(sample)['keypoint'][..., 1], before[..., 1], atol=1e-5)

    def test_invisible_keypoints_stay_zero(self) -> None:
        sample = clip()
        sample['keypoint'][0, :, 3] = np.nan
        out = RandomAffine(rotation=1, scale=0.3, shear=0.2)(NormalizePose()(sample))
        assert (out['keypoint'][0, :, 3] == 0).all()


class TestFlip:
    @pytest.mark.parametrize('skeleton', skeleton_names())
    def test_twice_is_nothing_and_once_swaps_sides(self, skeleton: str) -> None:
        sample = normalized(skeleton=skeleton)
        before = sample['keypoint'].copy()
        flip = RandomFlip(prob=1.0)
        once = flip(sample)['keypoint'].copy()
        left, right = get_skeleton(skeleton).pairs[0]
        np.testing.assert_allclose(once[..., left, 0], -before[..., right, 0])
        np.testing.assert_allclose(once[..., left, 1], before[..., right, 1])
        assert np.array_equal(flip(sample)['keypoint'], before)

    def test_classes_of_one_side_are_left_alone_or_renamed(self) -> None:
        sample = normalized(label=2)
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
            out = flip({**normalized(label=label), 'classes': names})
            assert (out['label'], out.get('flipped', False)) == (after, mirrored)

    def test_several_labels_are_renamed_together(self) -> None:
        names = ['nod', 'lean left', 'lean right', 'raise left arm']
        flip = RandomFlip(prob=1.0, by_name=True)
        out = flip({**normalized(label=np.array([1, 1, 0, 0], np.float32)), 'classes': names})
        assert out['label'].tolist() == [1, 0, 1, 0]
        kept = flip({**normalized(label=np.array([0, 1, 0, 1], np.float32)), 'classes': names})
        assert kept['label'].tolist() == [0, 1, 0, 1]
        assert 'flipped' not in kept

    def test_a_test_sees_every_cut_and_its_mirror_image(self) -> None:
        sample = {**SampleFrames(8, random=False, num_clips=2)(normalized()), 'classes': ['nod', 'stand upright']}
        cuts, seen = sample['keypoint'].copy(), sample['visible'].copy()
        both = AddMirrored()(dict(sample))
        assert both['keypoint'].shape[0] == both['visible'].shape[0] == both['pace'].shape[0] == 4
        assert np.array_equal(both['keypoint'][:2], cuts)
        flipped = RandomFlip(prob=1.0)({**sample, 'keypoint': cuts, 'visible': seen})
        assert np.array_equal(both['keypoint'][2:], flipped['keypoint'])
        sided = AddMirrored()({**sample, 'classes': ['lean left', 'lean right']})
        assert sided['keypoint'].shape[0] == 2


class TestJitter:
    def test_size_is_as_said(self) -> None:
        sample = normalized(frames=400)
        before = sample['keypoint'].copy()
        noise = RandomJitter(joint=0.05, frame=0.01)(sample)['keypoint'] - before
        assert np.std(noise - noise.mean(1, keepdims=True)) == pytest.approx(0.01, rel=0.05)
        assert 0.02 < np.std(noise.mean(1)) < 0.09

    def test_works_after_sampling_too(self) -> None:
        sample = SampleFrames(8)(normalized())
        before = sample['keypoint'].copy()
        noise = RandomJitter(joint=0.05)(sample)['keypoint'] - before
        np.testing.assert_allclose(noise, np.broadcast_to(noise[:, :, :1], noise.shape), atol=1e-6)


class TestDropJoints:
    def test_hides_one_whole_region(self) -> None:
        out = DropJoints(region_prob=1.0)(normalized())
        hidden = {i for i in range(17) if not out['visible'][..., i].any()}
        assert hidden in [set(get_skeleton('coco17').regions[r]) for r in REGIONS]
        assert (out['keypoint'][~out['visible']] == 0).all()

    def test_never_hides_everything(self) -> None:
        sample = normalized()
        sample['visible'][..., 1:] = False
        out = DropJoints(joint_prob=1.0, joint_clip_prob=1.0)(sample)
        assert out['visible'].any()

    def test_share_of_joints(self) -> None:
        drop = DropJoints(joint_prob=0.3, joint_clip_prob=1.0)
        shares = [1 - drop(normalized(seed=i))['visible'].mean() for i in range(200)]
        assert np.mean(shares) == pytest.approx(0.3, abs=0.03)


class TestSampleFrames:
    @pytest.mark.parametrize('length', [1, 2, 5, 64, 200])
    @pytest.mark.parametrize('random', [True, False])
    def test_gives_the_length_asked_for(self, length: int, random: bool) -> None:
        out = SampleFrames(16, random=random, num_clips=2)(normalized(frames=length))
        assert out['keypoint'].shape == (2, 1, 16, 17, 2)
        assert out['visible'].all()

    def test_whole_clip_is_plain_linear_interpolation(self) -> None:
        sample = normalized(frames=7)
        source = sample['keypoint'].copy()
        out = SampleFrames(13, random=False)(sample)['keypoint'][0]
        wanted = np.stack(
            [np.interp(np.linspace(0, 6, 13), np.arange(7), source[0, :, 4, d]) for d in range(2)], axis=-1
        )
        np.testing.assert_allclose(out[0, :, 4], wanted, atol=1e-5)

    def test_window_keeps_the_frame_rate(self) -> None:
        sample = normalized(frames=30)
        source = sample['keypoint'].copy()
        out = SampleFrames(10, random=False, mode='window')(sample)['keypoint'][0]
        np.testing.assert_allclose(out, source[:, 10:20], atol=1e-6)
        assert SampleFrames(50, mode='window')(normalized(frames=30))['keypoint'].shape[2] == 30

    def test_random_cuts_differ_and_lie_inside(self) -> None:
        sampler = SampleFrames(8, crop=(0.4, 0.6))
        cuts = [sampler.positions(100, np.random.default_rng(i)) for i in range(20)]
        assert len({cut[0] for cut in cuts}) > 15
        assert all(cut[0] >= 0 and cut[-1] <= 99 and 38 <= cut[-1] - cut[0] <= 60 for cut in cuts)

    def test_a_cut_beyond_the_clip_stands_still_at_its_ends(self) -> None:
        sampler = SampleFrames(21, crop=(2.0, 2.0))
        for seed in range(10):
            cut = sampler.positions(20, np.random.default_rng(seed))
            steps = np.diff(cut)
            assert cut[0] == 0 and cut[-1] == 19
            still = np.count_nonzero(steps < 1e-9)
            assert 8 <= still <= 11  # half of the cut lies before or after the clip

    def test_a_changing_pace_keeps_order_and_ends(self) -> None:
        even = np.linspace(0, 1, 50)
        warped = np.stack([warp_time(even, np.random.default_rng(seed), 0.8) for seed in range(500)])
        assert (np.diff(warped) > 0).all()
        np.testing.assert_allclose(warped[:, [0, -1]], [[0, 1]] * 500, atol=1e-12)
        assert 0.1 < warped[:, 25].std() < 0.25 and abs(warped[:, 25].mean() - 0.5) < 0.03
        np.testing.assert_allclose(warp_time(even, np.random.default_rng(0), 0.0), even, atol=1e-12)

    def test_pace_is_changed_in_training_only(self) -> None:
        rng = np.random.default_rng(0)
        even = SampleFrames(9, crop=(1.0, 1.0)).positions(9, rng)
        np.testing.assert_allclose(even, np.arange(9), atol=1e-9)
        assert np.abs(SampleFrames(9, crop=(1.0, 1.0), warp=0.8).positions(9, rng) - even).max() > 0.1
        tested = SampleFrames(9, crop=(1.0, 1.0), warp=0.8, random=False).positions(9, rng)
        np.testing.assert_allclose(tested, even, atol=1e-9)

    def test_streams_that_cannot_follow_the_pace_refuse(self) -> None:
        sample = SampleFrames(9, warp=0.8)(normalized(frames=30))
        with pytest.raises(UserError, match='even pace'):
            cut_of(sample)
        assert cut_of(SampleFrames(9)(normalized(frames=30)))[1] <= 1

    def test_an_invisible_neighbour_is_not_mixed_in(self) -> None:
        keypoint = np.array([[[[1.0, 1.0]], [[0.0, 0.0]], [[3.0, 3.0]]]], np.float32)
        visible = np.array([[[True], [False], [True]]])
        out, seen = interpolate_frames(keypoint, visible, np.array([0.0, 0.4, 0.6, 1.0, 1.5, 2.0]))
        assert seen[0, :, 0].tolist() == [True, True, False, False, True, True]
        assert out[0, :, 0, 0].tolist() == [1.0, 1.0, 0.0, 0.0, 3.0, 3.0]

    @pytest.mark.parametrize('arguments', [{'crop': (0.5, 1.5), 'warp': 0.8}, {'random': False}, {'mode': 'window'}])
    def test_pace_is_the_time_between_steps(self, arguments) -> None:
        sample = normalized(frames=40)
        sample['keypoint'] = np.tile(np.arange(40, dtype=np.float32)[None, :, None, None], (1, 1, 17, 2))
        out = SampleFrames(16, num_clips=3, **arguments)(sample)
        assert out['pace'].shape == (3, 16)
        passed = np.diff(out['keypoint'][:, 0, :, 0, 0])  # the joints show the number of the frame
        np.testing.assert_allclose(out['pace'][:, :-1], passed, atol=1e-4)
        np.testing.assert_array_equal(out['pace'][:, -1], out['pace'][:, -2])

    def test_pace_goes_by_the_clock_where_there_is_one(self) -> None:
        sample = {**normalized(frames=15), 'frame_times': 7 + np.arange(15) / 60}
        assert SampleFrames(8, random=False)({**sample})['pace'] == pytest.approx(1)  # 2 frames of 1/60 s
        del sample['frame_times']
        assert SampleFrames(8, random=False)({**sample})['pace'] == pytest.approx(2)
        with pytest.raises(ValueError, match='14 frame_times for 15 frames'):
            SampleFrames(8)({**sample, 'frame_times': np.arange(14)})

    @pytest.mark.parametrize('bad', [{'mode': 'fast'}, {'crop': (0.0, 1.0)}, {'crop': (0.9, 0.5)}, {'warp': -1.0}])
    def test_bad_arguments_are_named(self, bad) -> None:
        with pytest.raises(ValueError, match=r'mode|crop|warp'):
            SampleFrames(8, **bad)


def test_pack_fits_persons() -> None:
    for persons in (1, 2, 3):
        sample = SampleFrames(8)(normalized(persons=persons))
        packed = PackPose(max_persons=2)(sample)
        assert packed['inputs']['keypoint'].shape == (1, 2, 8, 17, 2)
        assert packed['inputs']['visible'][0].any((1, 2)).tolist() == [True, persons > 1]
        assert packed['inputs']['pace'].shape == (1, 8)
        assert int(packed['data_samples'].gt_label) == 0
