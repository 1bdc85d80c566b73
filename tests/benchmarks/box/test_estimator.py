"""The estimator's errors, measured as on real tracks."""

from __future__ import annotations

import numpy as np

from benchmarks.box.body import NAMES
from benchmarks.box.estimator import BACKENDS, estimate
from bmoe_app.signals.series import noise_floor
from pose_extract.layout_conversion import lost_points

SIZE = np.tile((640.0, 480.0), (150, 1))


def statues(frames: int = 75) -> np.ndarray:
    place = np.random.default_rng(1).uniform(100, 400, (29, 2))
    place[NAMES.index('left_shoulder')], place[NAMES.index('right_shoulder')] = (350, 250), (250, 250)
    place[NAMES.index('left_hip')] = (320, 380)
    return np.tile(place, (150, frames, 1, 1))


def test_jitter_of_statues_is_as_on_real_tracks() -> None:
    points, _ = estimate(statues(), SIZE, np.random.default_rng(0))
    nose, times = points[:, :, 0, 0] / 100, np.arange(75) / 30
    floors = np.array([[noise_floor(one, times, reach) for reach in (1, 4)] for one in nose])
    near, far = np.nanmedian(floors, 0)
    assert 0.002 < near < 0.015  # measured: 0.0025 to 0.010 shoulder widths
    assert 1.3 < far / near < 3.0  # measured: 1.7 to 2.8


def test_layouts_lack_their_points_and_scores_tell() -> None:
    points, scores = estimate(statues(), SIZE, np.random.default_rng(0))
    assert ((scores > 0) | np.isnan(points[..., 0])).all() and scores.max() <= 1
    assert (np.isnan(points[..., 0]) == (scores == 0)).all()
    gone = np.isnan(points[..., 0]).all(1)
    expected = [np.isin(NAMES, lost_points(name)) for name in BACKENDS]
    exact = [any((row == one).all() for one in expected) for row in gone]
    assert np.mean(exact) > 0.7  # the others lack hips or all but the face as well


def test_what_is_outside_of_the_picture_has_a_low_score() -> None:
    pixels = statues()
    pixels[:, :, NAMES.index('left_knee')] = (300, 700)
    points, scores = estimate(pixels, SIZE, np.random.default_rng(0), errors=False)
    knee = scores[:, :, NAMES.index('left_knee')]
    assert knee.max() <= 0.35
    inside = NAMES.index('nose')
    there = scores[:, :, inside] > 0  # a layout may lack the face
    assert there.mean() > 0.8
    np.testing.assert_array_equal(points[:, :, inside][there], pixels[:, :, inside][there])
