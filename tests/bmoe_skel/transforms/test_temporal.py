from __future__ import annotations

import numpy as np
import pytest
from skeleton_clips import normalized_clip

from bmoe_ground.errors import UserError
from bmoe_skel.transforms import (
    SampleFrames,
)
from bmoe_skel.transforms.side_inputs import cut_of
from bmoe_skel.transforms.temporal import draw_moments, interpolate_frames, warp_time


class TestSampleFrames:
    @pytest.mark.parametrize('length', [1, 2, 5, 64, 200])
    @pytest.mark.parametrize('random', [True, False])
    def test_gives_the_length_asked_for(self, length: int, random: bool) -> None:
        out = SampleFrames(16, random=random, num_clips=2)(normalized_clip(frames=length))
        assert out['keypoint'].shape == (2, 1, 16, 17, 2)
        assert out['visible'].all()

    def test_whole_clip_is_plain_linear_interpolation(self) -> None:
        sample = normalized_clip(frames=7)
        source = sample['keypoint'].copy()
        out = SampleFrames(13, random=False)(sample)['keypoint'][0]
        wanted = np.stack(
            [np.interp(np.linspace(0, 6, 13), np.arange(7), source[0, :, 4, d]) for d in range(2)], axis=-1
        )
        np.testing.assert_allclose(out[0, :, 4], wanted, atol=1e-5)

    def test_window_keeps_the_frame_rate(self) -> None:
        sample = normalized_clip(frames=30)
        source = sample['keypoint'].copy()
        out = SampleFrames(10, random=False, mode='window')(sample)['keypoint'][0]
        np.testing.assert_allclose(out, source[:, 10:20], atol=1e-6)
        assert SampleFrames(50, mode='window')(normalized_clip(frames=30))['keypoint'].shape[2] == 30

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

    def test_moments_are_even_one_of_each_part_or_drawn(self) -> None:
        rng = np.random.default_rng(0)
        np.testing.assert_allclose(draw_moments(5, rng, 'even'), [0, 0.25, 0.5, 0.75, 1])
        parts = np.stack([draw_moments(8, rng, 'one_a_part') for _ in range(400)])
        assert (np.floor(8 * parts) == np.arange(8)).all() and (parts.std(0) > 0.02).all()
        drawn = np.stack([draw_moments(8, rng, 'drawn') for _ in range(400)])
        assert (np.diff(drawn) >= 0).all()
        # the k-th of n uniform numbers is k / (n + 1) on average, and half of all lie in the first half
        np.testing.assert_allclose(drawn.mean(0), np.arange(1, 9) / 9, atol=0.03)

    def test_random_steps_are_of_training_only_and_other_streams_refuse_them(self) -> None:
        sampler = SampleFrames(9, crop=(1.0, 1.0), steps='drawn')
        assert np.abs(sampler.positions(9, np.random.default_rng(0)) - np.arange(9)).max() > 0.1
        tested = SampleFrames(9, crop=(1.0, 1.0), steps='drawn', random=False)
        np.testing.assert_allclose(tested.positions(9, np.random.default_rng(0)), np.arange(9), atol=1e-9)
        with pytest.raises(UserError, match='even pace'):
            cut_of(sampler(normalized_clip(frames=30)))
        with pytest.raises(ValueError, match="unknown steps 'odd'"):
            SampleFrames(9, steps='odd')

    def test_streams_that_cannot_follow_the_pace_refuse(self) -> None:
        sample = SampleFrames(9, warp=0.8)(normalized_clip(frames=30))
        with pytest.raises(UserError, match='even pace'):
            cut_of(sample)
        assert cut_of(SampleFrames(9)(normalized_clip(frames=30)))[1] <= 1

    def test_an_invisible_neighbour_is_not_mixed_in(self) -> None:
        keypoint = np.array([[[[1.0, 1.0]], [[0.0, 0.0]], [[3.0, 3.0]]]], np.float32)
        visible = np.array([[[True], [False], [True]]])
        out, seen = interpolate_frames(keypoint, visible, np.array([0.0, 0.4, 0.6, 1.0, 1.5, 2.0]))
        assert seen[0, :, 0].tolist() == [True, True, False, False, True, True]
        assert out[0, :, 0, 0].tolist() == [1.0, 1.0, 0.0, 0.0, 3.0, 3.0]

    @pytest.mark.parametrize('arguments', [{'crop': (0.5, 1.5), 'warp': 0.8}, {'random': False}, {'mode': 'window'}])
    def test_pace_is_the_time_between_steps(self, arguments) -> None:
        sample = normalized_clip(frames=40)
        sample['keypoint'] = np.tile(np.arange(40, dtype=np.float32)[None, :, None, None], (1, 1, 17, 2))
        out = SampleFrames(16, num_clips=3, **arguments)(sample)
        assert out['pace'].shape == (3, 16)
        passed = np.diff(out['keypoint'][:, 0, :, 0, 0])  # the joints show the number of the frame
        np.testing.assert_allclose(out['pace'][:, :-1], passed, atol=1e-4)
        np.testing.assert_array_equal(out['pace'][:, -1], out['pace'][:, -2])

    def test_pace_goes_by_the_clock_where_there_is_one(self) -> None:
        sample = {**normalized_clip(frames=15), 'frame_times': 7 + np.arange(15) / 60}
        assert SampleFrames(8, random=False)({**sample})['pace'] == pytest.approx(1)  # 2 frames of 1/60 s
        del sample['frame_times']
        assert SampleFrames(8, random=False)({**sample})['pace'] == pytest.approx(2)
        with pytest.raises(ValueError, match='14 frame_times for 15 frames'):
            SampleFrames(8)({**sample, 'frame_times': np.arange(14)})

    @pytest.mark.parametrize('bad', [{'mode': 'fast'}, {'crop': (0.0, 1.0)}, {'crop': (0.9, 0.5)}, {'warp': -1.0}])
    def test_bad_arguments_are_named(self, bad) -> None:
        with pytest.raises(ValueError, match=r'mode|crop|warp'):
            SampleFrames(8, **bad)
