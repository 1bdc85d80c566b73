"""Trunk, shoulders, hands and legs of a person whose posture is known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.moving_people import person
from bmoe_app.signals.body import hand, hand_signals, head_signals, leg_signals, shoulder_angle, trunk_signals
from bmoe_app.signals.points import Points, body_size
from pose_extract.skeletons import get_skeleton
from pose_extract.tracks import PoseTracks

TIMES = np.arange(3) / 30
LAYOUTS = ('coco17', 'blazepose33', 'openpose25')
ONE = np.ones((3, 1))


def posed(tracks: PoseTracks) -> tuple[Points, np.ndarray]:
    points = Points(tracks.keypoints[0], tracks.scores[0], get_skeleton(tracks.skeleton), 0.3)
    return points, body_size(points, TIMES)


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('angle', [-25.0, 0.0, 10.0])
def test_lean_is_the_angle_in_the_picture(layout: str, angle: float) -> None:
    signals = trunk_signals(*posed(person(TIMES, layout, lean=np.full(3, angle))))
    np.testing.assert_allclose(signals['trunk_lean_side'], angle, atol=0.01)
    np.testing.assert_allclose(signals['trunk_length'], 50 / 36, rtol=1e-4)


def test_a_lifted_shoulder_is_higher_by_its_way() -> None:
    rest, lifted = (trunk_signals(*posed(person(TIMES, shift={'left_shoulder': ONE * (0, y)}))) for y in (0.0, 5.0))
    rise = lifted['shoulder_height_left'] - rest['shoulder_height_left']
    np.testing.assert_allclose(rise, 5 / 36, atol=0.015)
    np.testing.assert_allclose(lifted['shoulder_height_right'], rest['shoulder_height_right'], atol=0.015)


def test_without_hips_height_is_that_in_the_picture_and_lean_unknown() -> None:
    tracks = person(TIMES)
    tracks.keypoints[:, :, 11:13], tracks.scores[:, :, 11:13] = np.nan, 0
    points, size = posed(tracks)
    signals = trunk_signals(points, size)
    np.testing.assert_allclose(signals['shoulder_height_left'], points.get('left_shoulder')[:, 1] / size)
    for name in ('trunk_lean_side', 'trunk_length', 'trunk_lean_depth'):
        assert np.isnan(signals[name]).all()


def test_a_head_that_tilts_with_the_body_does_not_tilt_against_it() -> None:
    tracks = person(TIMES, lean=np.full(3, 20.0))
    points, size = posed(tracks)
    np.testing.assert_allclose(shoulder_angle(points), 20, atol=0.01)
    signals = head_signals(points, size, np.full(3, 20.0))
    np.testing.assert_allclose(signals['head_shoulder_roll'], 0, atol=0.01)


def test_shoulders_of_somebody_seen_from_behind_have_the_same_angle() -> None:
    tracks = person(TIMES, lean=np.full(3, 20.0))
    tracks.keypoints[:, :, [5, 6]] = tracks.keypoints[:, :, [6, 5]]
    np.testing.assert_allclose(shoulder_angle(posed(tracks)[0]), 20, atol=0.01)


def test_the_hand_without_points_lies_beyond_the_wrist() -> None:
    points, _ = posed(person(TIMES))
    wrist, elbow = points.get('left_wrist'), points.get('left_elbow')
    np.testing.assert_allclose(hand(points, 'left'), wrist + 0.33 * (wrist - elbow))
    with_hand, _ = posed(person(TIMES, 'blazepose33'))
    fingers = np.mean([with_hand.get(f'left_{name}') for name in ('index', 'pinky', 'thumb')], 0)
    np.testing.assert_allclose(hand(with_hand, 'left'), fingers)


@pytest.mark.parametrize('layout', LAYOUTS)
def test_a_hand_at_the_mouth_is_near_the_face_and_the_other_is_not(layout: str) -> None:
    way = {f'left_{part}': ONE * (-18, 58) for part in ('wrist', 'index', 'pinky', 'thumb')}
    signals = hand_signals(*posed(person(TIMES, layout, shift=way | {'left_elbow': ONE * (6, 2)})))
    assert (signals['hand_face_left'] < 0.4).all()
    assert (signals['hand_face_right'] > 1.5).all()
    assert (signals['hand_hand'] > 1.5).all()


def test_distances_to_trunk_and_crossing() -> None:
    rest = hand_signals(*posed(person(TIMES)))
    np.testing.assert_allclose(rest['wrists_crossed'], -44 / 36, rtol=1e-4)
    crossing = {'left_wrist': ONE * (-32, 25), 'right_wrist': ONE * (32, 25)}
    crossed = hand_signals(*posed(person(TIMES, shift=crossing)))
    np.testing.assert_allclose(crossed['wrists_crossed'], 20 / 36, rtol=1e-4)
    assert (crossed['hand_trunk_left'] < rest['hand_trunk_left']).all()


def test_left_and_right_are_not_told_of_somebody_sideways() -> None:
    tracks = person(TIMES)
    tracks.keypoints[..., 0] = 600 + (tracks.keypoints[..., 0] - 600) * 0.2
    assert np.isnan(hand_signals(*posed(tracks))['wrists_crossed']).all()


def test_a_lower_leg_is_placed_against_the_hips() -> None:
    signals = leg_signals(*posed(person(TIMES, shift={'left_knee': ONE * (3, 4), 'left_ankle': ONE * (3, 4)})))
    rest = leg_signals(*posed(person(TIMES)))
    np.testing.assert_allclose(signals['leg_x_left'] - rest['leg_x_left'], 3 / 36, rtol=1e-4)
    np.testing.assert_allclose(signals['leg_y_left'] - rest['leg_y_left'], 4 / 36, rtol=1e-4)
    np.testing.assert_allclose(signals['leg_y_right'], rest['leg_y_right'])
