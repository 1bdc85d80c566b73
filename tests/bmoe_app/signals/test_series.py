"""Noise floor, velocity, bridging and averaging, against values known beforehand."""

from __future__ import annotations

import numpy as np
import pytest

from bmoe_app.signals.series import bridge, calm, noise_floor, stretches, velocity

TIMES = np.arange(3000) / 30


@pytest.mark.parametrize('sigma', [0.1, 2.0])
def test_noise_is_found_under_a_movement(sigma: float) -> None:
    noise = np.random.default_rng(0).normal(0, sigma, len(TIMES))
    movement = 10 * sigma * np.sin(2 * np.pi * 0.8 * TIMES)
    assert noise_floor(noise, TIMES) == pytest.approx(sigma, rel=0.06)
    assert noise_floor(noise + movement, TIMES) == pytest.approx(sigma, rel=0.15)


def test_noise_with_uneven_times_and_outliers() -> None:
    random = np.random.default_rng(1)
    times = np.cumsum(random.uniform(0.01, 0.06, 3000))
    values = 50 * times + random.normal(0, 1, 3000)
    values[::50] += 100
    values[::77] = np.nan
    assert noise_floor(values, times) == pytest.approx(1, rel=0.15)


@pytest.mark.parametrize('frames', [1, 2, 5])
def test_noise_of_a_few_frames_is_unknown(frames: int) -> None:
    assert np.isnan(noise_floor(np.arange(frames, dtype=float), TIMES[:frames]))


def test_velocity_of_a_straight_walk_with_uneven_times() -> None:
    times = np.array([0.0, 0.1, 0.15, 0.3, 0.5])
    speeds = velocity(times[:, None] * (3.0, -2.0), times)
    np.testing.assert_allclose(speeds[1:-1], [(3, -2)] * 3)
    assert np.isnan(speeds[[0, -1]]).all()


def test_velocity_is_unknown_beside_gaps_and_pauses_and_at_equal_times() -> None:
    values = np.arange(7.0)
    values[3] = np.nan
    assert np.flatnonzero(np.isfinite(velocity(values, TIMES[:7]))).tolist() == [1, 3, 5]
    assert np.isnan(velocity(np.arange(3.0), np.array([0.0, 2, 4]))).all()
    assert np.isnan(velocity(np.arange(3.0), np.zeros(3))).all()
    assert np.isnan(velocity(np.arange(2.0), TIMES[:2])).all()


def test_short_gaps_are_bridged_and_long_ones_and_ends_are_not() -> None:
    values = np.array([np.nan, 1, np.nan, 3, np.nan, np.nan, np.nan, 7, np.nan])
    found = bridge(values, np.arange(9) / 10, 0.25)
    np.testing.assert_array_equal(found, [np.nan, 1, 2, 3, np.nan, np.nan, np.nan, 7, np.nan])
    assert np.isnan(bridge(np.full(3, np.nan), TIMES[:3], 1.0)).all()


def test_stretches_break_at_gaps_and_pauses() -> None:
    times = np.array([0.0, 0.1, 0.2, 1.5, 1.6])
    assert stretches(np.array([True, True, False, True, True]), times) == [(0, 2), (3, 5)]
    assert stretches(np.ones(5, bool), times) == [(0, 3), (3, 5)]
    assert stretches(np.zeros(0, bool), np.zeros(0)) == []


@pytest.mark.parametrize(('fps', 'kept'), [(30, 0.8), (15, 0.5), (8, 1.0)])
def test_calming_keeps_movement_and_lowers_noise_as_it_says(fps: int, kept: float) -> None:
    times = np.arange(4000) / fps
    sine = np.sin(2 * np.pi * 3 * times)
    average, left = calm(sine, times)
    assert kept <= np.std(average) / np.std(sine) <= 1 + 1e-9
    noise = np.random.default_rng(0).normal(0, 1, len(times))
    assert np.std(calm(noise, times)[0]) == pytest.approx(left, rel=0.05)
    line, _ = calm(2 * times, times)
    np.testing.assert_allclose(line, 2 * times, atol=1e-9)


def test_calming_leaves_gaps() -> None:
    values = np.arange(20.0)
    values[9] = np.nan
    np.testing.assert_allclose(calm(values, TIMES[:20])[0], values)
