from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.signal import savgol_filter

from bmoe_ground.errors import UserError
from pose_extract.smoothing import AfterCare, apply_after_care, interpolate_gaps, one_euro, savitzky_golay
from pose_extract.tracks import PoseTracks

RNG = np.random.default_rng(0)
TIMES = np.arange(40) / 30
UNEVEN = np.cumsum(RNG.uniform(0.02, 0.05, 40))


def walk(persons: int = 2, frames: int = 40, points: int = 3) -> np.ndarray:
    return np.cumsum(RNG.normal(size=(persons, frames, points, 2)), 1).astype(np.float32) + 50


def gappy() -> np.ndarray:
    track = walk()
    track[0, 10:13, 0] = np.nan
    track[0, :4, 1] = np.nan
    track[0, 33:, 1] = np.nan
    track[1, :, 2] = np.nan
    track[1, 5:7, 0] = np.nan
    track[1, 8:15, 0] = np.nan
    return track


def bridged_by_loop(track: np.ndarray, scores: np.ndarray, times: np.ndarray, max_gap: float) -> tuple:
    track, scores = track.copy(), scores.copy()
    mask = np.zeros(track.shape[:3], bool)
    for m in range(track.shape[0]):
        for k in range(track.shape[2]):
            seen = [t for t in range(track.shape[1]) if not np.isnan(track[m, t, k, 0])]
            for a, b in zip(seen, seen[1:], strict=False):
                if b - a > 1 and times[b] - times[a] <= max_gap + 5e-4:
                    for t in range(a + 1, b):
                        for c in range(2):
                            track[m, t, k, c] = np.interp(times[t], times[[a, b]], track[m, [a, b], k, c])
                        scores[m, t, k] = min(scores[m, a, k], scores[m, b, k])
                        mask[m, t, k] = True
    return track, scores, mask


@pytest.mark.parametrize('times', [TIMES, UNEVEN], ids=['even', 'uneven'])
@pytest.mark.parametrize('max_gap', [0.01, 0.1, 0.134, 0.2, 10.0])
def test_gaps_are_bridged_as_by_numpy_interp(times: np.ndarray, max_gap: float) -> None:
    track = gappy()
    scores = np.where(np.isnan(track[..., 0]), 0, RNG.uniform(0.1, 1, track.shape[:3])).astype(np.float32)
    before = track.copy()
    new, new_scores, mask = interpolate_gaps(track, scores, times, max_gap)
    wanted, wanted_scores, wanted_mask = bridged_by_loop(track, scores, times, max_gap)
    np.testing.assert_allclose(new, wanted, rtol=1e-5)
    np.testing.assert_array_equal(new_scores, wanted_scores)
    np.testing.assert_array_equal(mask, wanted_mask)
    np.testing.assert_array_equal(track, before)
    assert new.dtype == np.float32


def test_nothing_is_extrapolated() -> None:
    track = gappy()
    new, _, mask = interpolate_gaps(track, np.ones(track.shape[:3]), TIMES, 100.0)
    assert np.isnan(new[0, :4, 1]).all()
    assert np.isnan(new[0, 33:, 1]).all()
    assert np.isnan(new[1, :, 2]).all()
    assert not np.isnan(new[0, :, 0]).any()
    assert mask.sum() == 3 + 2 + 7


def test_a_gap_as_long_as_allowed_is_bridged_and_a_longer_one_is_not() -> None:
    track = walk(1, 40, 1)
    track[0, 10:15] = np.nan  # five frames: 0.2 s from side to side
    for max_gap, bridged in ((0.2, 5), (0.19, 0)):
        _, _, mask = interpolate_gaps(track, np.ones((1, 40, 1)), TIMES, max_gap)
        assert mask.sum() == bridged


@pytest.mark.parametrize(('window', 'frames'), [(5 / 30, 5), (0.23, 7), (11 / 30, 11)])
@pytest.mark.parametrize('order', [1, 2, 3, 4])
def test_savitzky_golay_equals_scipy_on_every_stretch(window: float, frames: int, order: int) -> None:
    track = gappy()
    smooth = savitzky_golay(track, TIMES, window, order)
    assert smooth.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(smooth), np.isnan(track))
    wanted = savgol_filter(track[0, :, 2].astype(float), frames, order, axis=0, mode='interp')
    np.testing.assert_allclose(smooth[0, :, 2], wanted, atol=1e-4)
    wanted = savgol_filter(track[0, 13:, 0].astype(float), frames, order, axis=0, mode='interp')
    np.testing.assert_allclose(smooth[0, 13:, 0], wanted, atol=1e-4)
    np.testing.assert_array_equal(smooth[1, 7], np.where(np.isnan(smooth[1, 7]), np.nan, smooth[1, 7]))
    np.testing.assert_array_equal(smooth[1, 7, 0], track[1, 7, 0])  # one frame alone


def test_savitzky_golay_at_uneven_times_against_polyfit() -> None:
    track = gappy()
    smooth = savitzky_golay(track, UNEVEN, 7 * float(np.median(np.diff(UNEVEN))), 2)
    for m, k, start, stop in ((0, 2, 0, 40), (0, 0, 13, 40), (1, 0, 15, 40)):
        for t in range(start, stop):
            first = min(max(t - 3, start), stop - 7)
            near = slice(first, first + 7)
            fit = np.polyfit(UNEVEN[near] - UNEVEN[t], track[m, near, k].astype(float), 2)
            np.testing.assert_allclose(smooth[m, t, k], fit[-1], atol=1e-3)


def test_savitzky_golay_keeps_a_parabola_at_any_times() -> None:
    for times in (TIMES, UNEVEN):
        track = np.stack([3 * times**2 - times, 40 + times], -1)[None, :, None]
        np.testing.assert_allclose(savitzky_golay(track, times, 0.3, 2), track, atol=1e-8)


def test_short_tracks_are_left_alone() -> None:
    for frames in (1, 2, 3):
        track = walk(1, frames, 2)
        np.testing.assert_array_equal(savitzky_golay(track, TIMES[:frames], 0.3, 2), track)
    assert one_euro(walk(1, 1, 2), TIMES[:1]).shape == (1, 1, 2, 2)


class PublishedOneEuro:
    """Algorithm 1 and 2 of Casiez et al., sample by sample."""

    def __init__(self, min_cutoff: float, beta: float, d_cutoff: float) -> None:
        self.min_cutoff, self.beta, self.d_cutoff = min_cutoff, beta, d_cutoff
        self.x: float | None = None
        self.dx = 0.0

    def __call__(self, x: float, te: float) -> float:
        def alpha(cutoff: float) -> float:
            tau = 1 / (2 * math.pi * cutoff)
            return 1 / (1 + tau / te)

        if self.x is None:
            self.x = x
            return x
        dx = (x - self.x) / te
        self.dx = alpha(self.d_cutoff) * dx + (1 - alpha(self.d_cutoff)) * self.dx
        a = alpha(self.min_cutoff + self.beta * abs(self.dx))
        self.x = a * x + (1 - a) * self.x
        return self.x


@pytest.mark.parametrize('times', [TIMES, UNEVEN], ids=['even', 'uneven'])
@pytest.mark.parametrize('settings', [(1.0, 0.0, 1.0), (2.0, 0.5, 1.0), (0.5, 3.0, 2.0)])
def test_one_euro_equals_the_published_algorithm(times: np.ndarray, settings: tuple[float, float, float]) -> None:
    track = gappy().astype(np.float64)
    smooth = one_euro(track, times, *settings)
    np.testing.assert_array_equal(np.isnan(smooth), np.isnan(track))
    for m, k, c in np.ndindex(2, 3, 2):
        published = PublishedOneEuro(*settings)
        for t in range(len(times)):
            if np.isnan(track[m, t, k, c]):
                published = PublishedOneEuro(*settings)
                continue
            wanted = published(track[m, t, k, c], times[t] - times[t - 1] if t else 1.0)
            assert smooth[m, t, k, c] == pytest.approx(wanted, rel=1e-9)


def test_one_euro_is_the_same_in_a_picture_of_another_size() -> None:
    track = walk().astype(np.float64)
    small = one_euro(track, TIMES, 1.0, 20.0, scale=300.0)
    large = one_euro(4 * track, TIMES, 1.0, 20.0, scale=np.full((2, 1, 1), 1200.0))
    np.testing.assert_allclose(large, 4 * small)


def test_frames_with_one_time_start_afresh() -> None:
    times = TIMES.copy()
    times[10] = times[9]
    track = walk()
    smooth = one_euro(track, times)
    assert np.isfinite(smooth).all()
    np.testing.assert_array_equal(smooth[:, 10], track[:, 10])
    assert np.isfinite(savitzky_golay(track, times, 0.2)).all()
    assert np.isfinite(savitzky_golay(track, np.zeros(40), 0.2)).all()


def tracks() -> PoseTracks:
    keypoints = np.full((2, 40, 17, 2), np.nan, np.float32)
    keypoints[:, :, :3] = gappy()
    scores = np.where(np.isnan(keypoints[..., 0]), 0, 0.5)
    boxes = np.tile(np.float32([10, 10, 60, 110]), (2, 40, 1))
    boxes[0, 20:22] = np.nan
    boxes[1] = np.nan
    return PoseTracks(keypoints, scores, boxes, TIMES, (200, 300), 'coco17', {'backend': 'x'})


def test_the_default_changes_nothing() -> None:
    original = tracks()
    assert apply_after_care(original, AfterCare()) is original


def test_after_care_says_what_was_done() -> None:
    original = tracks()
    before = original.keypoints.copy()
    done = apply_after_care(original, AfterCare(max_gap=0.15, smooth='savgol', window=0.2, order=3))
    np.testing.assert_array_equal(original.keypoints, before)
    assert done.provenance == {
        'backend': 'x',
        'interpolation': {'max_gap': 0.15},
        'smoothing': {'smooth': 'savgol', 'window': 0.2, 'order': 3},
    }
    assert done.extras['interpolated'].dtype == bool
    assert done.extras['interpolated'].sum() == 3 + 2
    np.testing.assert_allclose(done.boxes[0, 20], [10, 10, 60, 110])
    assert np.isnan(done.boxes[1]).all()
    filled, _, _ = interpolate_gaps(before, original.scores, TIMES, 0.15)
    np.testing.assert_array_equal(done.keypoints, savitzky_golay(filled, TIMES, 0.2, 3))
    again = apply_after_care(done, AfterCare(max_gap=0.01))
    np.testing.assert_array_equal(again.extras['interpolated'], done.extras['interpolated'])


def test_one_euro_measures_speed_in_body_heights() -> None:
    original = tracks()
    done = apply_after_care(original, AfterCare(smooth='one_euro', min_cutoff=1, beta=10))
    assert done.provenance['smoothing'] == {'smooth': 'one_euro', 'min_cutoff': 1, 'beta': 10, 'd_cutoff': 1.0}
    for m, height in ((0, 100), (1, 200)):  # the second has no box: the picture's height
        wanted = one_euro(original.keypoints[m : m + 1], TIMES, 1, 10, 1.0, height)
        np.testing.assert_array_equal(done.keypoints[m], wanted[0])


def test_nobody_is_fine() -> None:
    nobody = PoseTracks(
        np.zeros((0, 5, 17, 2)), np.zeros((0, 5, 17)), np.zeros((0, 5, 4)), np.arange(5.0), (4, 4), 'coco17'
    )
    for method in ('savgol', 'one_euro'):
        assert apply_after_care(nobody, AfterCare(max_gap=1, smooth=method)).num_persons == 0


@pytest.mark.parametrize(
    ('settings', 'name'),
    [
        ({'smooth': 'kalman'}, 'kalman.*savgol'),
        ({'max_gap': -1}, 'max_gap'),
        ({'window': float('nan')}, 'window'),
        ({'order': -1}, 'order'),
        ({'min_cutoff': 0}, 'min_cutoff'),
        ({'beta': float('inf')}, 'beta'),
    ],
)
def test_settings_out_of_range_are_named(settings: dict, name: str) -> None:
    with pytest.raises(UserError, match=name):
        AfterCare(**settings)
