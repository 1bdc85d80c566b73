"""All signals of a video: shapes, noise, what layouts lack, and tracks with little in them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from benchmarks.moving_people import PIXELS, person, tracks_of
from bmoe_app.signals import UNITS, compute_signals, unavailable_signals
from pose_extract.layouts import LAYOUTS as ALL_LAYOUTS
from pose_extract.skeletons import get_skeleton

TIMES = np.arange(120) / 30
LAYOUTS = ('coco17', 'blazepose33', 'openpose25')


@pytest.mark.parametrize('layout', LAYOUTS)
def test_everything_is_known_of_a_whole_person(layout: str) -> None:
    signals = compute_signals(person(TIMES, layout, head={'yaw': np.full(120, 20.0)}, jitter=0.5))
    assert signals.values.shape == (1, 120, len(UNITS))
    assert signals.unavailable == {}
    assert np.isfinite(signals.values[:, 1:-1]).all()
    assert np.isfinite(signals.noise).all()
    np.testing.assert_allclose(signals.body_size, 36 * PIXELS, rtol=0.03)
    # the made-up head is not the template
    assert np.median(signals.get('head_yaw')) == pytest.approx(20, abs=4)


def test_noise_floor_is_that_of_the_jitter() -> None:
    signals = compute_signals(person(np.arange(2000) / 30, jitter=1.0))
    # the middle of two shoulders less that of two hips, each coordinate with the jitter of 1 px
    assert signals.noise_of('leg_y_left')[0] == pytest.approx(1 / (36 * PIXELS), rel=0.1)
    assert signals.noise_of('head_yaw')[0] == pytest.approx(np.std(signals.get('head_yaw')), rel=0.1)


def test_every_layout_says_what_it_lacks_and_gives_the_rest() -> None:
    for name in ALL_LAYOUTS:  # others may have been declared by tests before this one
        skeleton = get_skeleton(name)
        random = np.random.default_rng(0)
        points = random.uniform(100, 500, (1, 1, skeleton.num_keypoints, 2))
        # as a face must look like a face, only what is said to be lacking is compared
        signals = compute_signals(tracks_of(np.repeat(points, 12, 1), TIMES[:12], name))
        for signal in signals.unavailable:
            assert np.isnan(signals.get(signal)).all(), (name, signal)
        given = [s for s in UNITS if s not in signals.unavailable and not s.startswith('head_')]
        lacking = [s for s in given if np.isnan(signals.get(s)[0, 5])]
        assert set(lacking) <= {'wrists_crossed'}, name  # random shoulders may stand sideways


def test_kinect_has_no_face() -> None:
    lacking = unavailable_signals(get_skeleton('kinect20'))
    assert set(lacking) == {'head_yaw', 'head_pitch', 'head_roll', 'head_shoulder_roll'}


@pytest.mark.parametrize('layout', LAYOUTS)
def test_nobody_one_frame_and_unseen_people(layout: str) -> None:
    points = get_skeleton(layout).num_keypoints
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        nobody = compute_signals(tracks_of(np.full((0, 4, points, 2), np.nan), TIMES[:4], layout))
        unseen = compute_signals(tracks_of(np.full((2, 4, points, 2), np.nan), TIMES[:4], layout))
        one = compute_signals(person(TIMES[:1], layout))
    assert nobody.values.shape == (0, 4, len(UNITS))
    assert np.isnan(unseen.values).all()
    assert np.isnan(unseen.noise).all()
    assert np.isfinite(one.get('head_yaw')).all()
    assert np.isnan(one.get('speed_head')).all()


def test_a_gap_is_unknown_and_the_rest_is_not() -> None:
    tracks = person(TIMES)
    tracks.keypoints[0, 40:60], tracks.scores[0, 40:60] = np.nan, 0
    yaw = compute_signals(tracks).get('head_yaw')[0]
    assert np.flatnonzero(np.isnan(yaw)).tolist() == list(range(40, 60))


def test_all_points_in_one_place_are_no_error() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        signals = compute_signals(tracks_of(np.full((1, 20, 17, 2), 5.0), TIMES[:20], 'coco17'))
    assert np.isnan(signals.body_size).all()


def test_unknown_names_and_scores_are_refused() -> None:
    signals = compute_signals(person(TIMES[:2]))
    with pytest.raises(ValueError, match="unknown signal 'wink': choose one of head_yaw"):
        signals.get('wink')
    with pytest.raises(ValueError, match=r'min_score: must be within 0..1, got 3'):
        compute_signals(person(TIMES[:2]), min_score=3)
