"""Keypoints by name, and the size of a body in the picture."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.moving_people import PIXELS, person
from bmoe_app.signals.points import Points, body_size, jumps, shoulder_width
from pose_extract.skeletons import get_skeleton
from pose_extract.tracks import PoseTracks

TIMES = np.arange(300) / 30
SHOULDERS = 36 * PIXELS


def points_of(tracks: PoseTracks, min_score: float = 0.3) -> Points:
    return Points(tracks.keypoints[0], tracks.scores[0], get_skeleton(tracks.skeleton), min_score)


def test_weak_points_are_unseen_and_y_goes_up() -> None:
    tracks = person(TIMES[:2])
    tracks.scores[0, 1, 0] = 0.2
    points = points_of(tracks)
    assert points.get('nose')[0, 1] == pytest.approx(-tracks.keypoints[0, 0, 0, 1])
    assert np.isnan(points.get('nose')[1]).all()
    assert np.isnan(points.get('left_thumb')).all()
    assert not points.has('nose', 'left_thumb')
    np.testing.assert_allclose(points.mean(['nose', 'left_ear'])[1], points.get('left_ear')[1])
    assert np.isnan(points.mean(['left_thumb'])).all()


def test_size_is_the_shoulders_and_survives_a_turn_of_the_body() -> None:
    tracks = person(TIMES)
    np.testing.assert_allclose(body_size(points_of(tracks), TIMES), SHOULDERS, rtol=1e-5)
    x = tracks.keypoints[0, :, :, 0]
    x[100:160] = 600 + (x[100:160] - 600) * 0.3  # turned by 73 degrees for two seconds
    np.testing.assert_allclose(body_size(points_of(tracks), TIMES), SHOULDERS, rtol=0.02)


def test_a_body_seen_from_the_side_has_the_size_of_its_trunk() -> None:
    tracks = person(TIMES)
    tracks.keypoints[..., 0] = 600 + (tracks.keypoints[..., 0] - 600) * 0.1
    np.testing.assert_allclose(body_size(points_of(tracks), TIMES), 0.6 * 50 * PIXELS, rtol=1e-5)


def test_a_face_alone_gives_nearly_the_same_size() -> None:
    tracks = person(TIMES)
    tracks.keypoints[:, :, 5:], tracks.scores[:, :, 5:] = np.nan, 0
    np.testing.assert_allclose(body_size(points_of(tracks), TIMES), SHOULDERS, rtol=0.1)


def test_size_follows_somebody_who_comes_nearer() -> None:
    tracks = person(TIMES)
    growing = 1 + TIMES / 10
    tracks.keypoints[0] *= growing[:, None, None].astype(np.float32)
    size = body_size(points_of(tracks), TIMES)
    middle = slice(120, 180)
    np.testing.assert_allclose(size[middle], SHOULDERS * growing[middle], rtol=0.06)


def test_nobody_has_no_size() -> None:
    tracks = person(TIMES[:5])
    assert np.isnan(body_size(points_of(tracks, 1.1), TIMES[:5])).all()
    assert np.isnan(shoulder_width(points_of(tracks, 1.1))).all()


def test_a_leap_to_another_person_is_told_and_walking_is_not() -> None:
    tracks = person(TIMES, walk=TIMES[:, None] * (400, 0), jitter=2.0)
    tracks.keypoints[0, 50:60], tracks.scores[0, 50:60] = np.nan, 0
    points = points_of(tracks)
    assert not jumps(points, body_size(points, TIMES), TIMES).any()
    tracks.keypoints[0, 100:] -= 300
    points = points_of(tracks)
    assert np.flatnonzero(jumps(points, body_size(points, TIMES), TIMES)).tolist() == [100]


def test_keypoints_outside_of_the_picture_are_guesses() -> None:
    skeleton = get_skeleton('coco17')
    keypoints = np.full((3, 17, 2), 50.0)
    keypoints[0, 0] = (-0.5, 50)
    keypoints[1, 0] = (50, 60.5)
    keypoints[2, 0] = (100, 60)
    nose = Points(keypoints, np.ones((3, 17)), skeleton, 0.3, (60, 100)).get('nose')
    np.testing.assert_array_equal(nose, [[np.nan, np.nan], [np.nan, np.nan], [100, -60]])
    assert np.isfinite(Points(keypoints, np.ones((3, 17)), skeleton, 0.3).get('nose')).all()
