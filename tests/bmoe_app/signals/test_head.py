"""Head angles on generated heads: scipy's rotations, jitter, missing points, another head than the template."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.moving_people import turned
from bmoe_app.signals.head import TEMPLATE, enough_points, fit_rotation, from_angles, head_angles, to_angles
from bmoe_app.signals.points import Points
from pose_extract.skeletons import get_skeleton

COCO = ('nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear')
MODEL = np.array([TEMPLATE[name] for name in COCO])
GRID = [(yaw, pitch, roll) for yaw in (-60, -20, 0, 45) for pitch in (-30, 0, 25) for roll in (-40, 0, 120)]


def seen(model: np.ndarray, angles: tuple[float, float, float], distance: float | None = None) -> np.ndarray:
    """Points of a head in the picture (P, 2), 6 pixels a centimetre; from a camera ``distance`` cm away, or afar."""
    turned_head = model @ turned(*angles).T
    scale = 1 if distance is None else distance / (distance - turned_head[:, 2:])
    return 6 * turned_head[:, :2] * scale + (400, -300)


@pytest.mark.parametrize('angles', GRID)
def test_known_angles_come_back(angles: tuple[float, float, float]) -> None:
    found = to_angles(fit_rotation(MODEL, seen(MODEL, angles)[None]))[0]
    np.testing.assert_allclose(found, angles, atol=1e-3)


@pytest.mark.parametrize('angles', GRID)
def test_own_rotation_is_that_of_scipy(angles: tuple[float, float, float]) -> None:
    np.testing.assert_allclose(from_angles(*angles), turned(*angles), atol=1e-12)


def test_signs() -> None:
    right, up, tilted = (from_angles(*angles) for angles in ((30, 0, 0), (0, 30, 0), (0, 0, 30)))
    assert (right @ MODEL[0])[0] > 1  # the nose goes to the right of the picture
    assert (up @ [0, 0, 1])[1] > 0.4  # the face looks up
    assert (tilted @ [0, 1, 0])[0] > 0.4  # the crown goes to the right of the picture


@pytest.mark.parametrize('angles', [(0, 0, 0), (30, 10, -15), (-45, -20, 10)])
def test_jitter_makes_a_small_error_without_bias(angles: tuple[float, float, float]) -> None:
    """A pixel of jitter on a face whose eyes are 38 pixels apart."""
    noise = np.random.default_rng(0).normal(0, 1, (2000, len(MODEL), 2))
    error = to_angles(fit_rotation(MODEL, seen(MODEL, angles) + noise)) - angles
    assert np.abs(error.mean(0)).max() < 0.2
    assert (error.std(0) < 1.6).all()


@pytest.mark.parametrize('angles', [(0, 0, 0), (25, 0, 0), (0, -15, 0), (-40, 10, 5)])
def test_a_camera_at_arms_length_shifts_angles_little(angles: tuple[float, float, float]) -> None:
    found = to_angles(fit_rotation(MODEL, seen(MODEL, angles, distance=70)[None]))[0]
    assert np.abs(found - angles).max() < 8


def test_another_face_shifts_pitch_and_keeps_its_changes() -> None:
    """Heads whose points lie elsewhere by 5 mm (standard deviation) than the template's, left and right alike."""
    random, shifts, ratios = np.random.default_rng(1), [], []
    for _ in range(50):
        eye, ear, nose = random.normal(0, 0.5, (3, 3))
        other = MODEL + [nose * (0, 1, 1), eye, eye * (-1, 1, 1), ear, ear * (-1, 1, 1)]
        pitches = [to_angles(fit_rotation(MODEL, seen(other, (0, pitch, 0))[None]))[0, 1] for pitch in (0, 10)]
        shifts.append(pitches[0])
        ratios.append((pitches[1] - pitches[0]) / 10)
    assert np.std(shifts) < 7
    assert np.std(ratios) < 0.1
    assert np.mean(ratios) == pytest.approx(1, abs=0.05)


def test_unknown_where_too_little_is_seen() -> None:
    points = np.repeat(seen(MODEL, (20, 5, 0))[None], 4, 0)
    points[1, 4] = np.nan  # one ear: four points are left
    points[2, 3:] = np.nan  # three points
    points[3] = np.nan
    found = to_angles(fit_rotation(MODEL, points))
    np.testing.assert_allclose(found[:2], [(20, 5, 0)] * 2, atol=1e-3)
    assert np.isnan(found[2:]).all()


def test_what_is_no_face_has_no_angles() -> None:
    random = np.random.default_rng(0)
    angles = to_angles(fit_rotation(MODEL, random.uniform(0, 100, (200, len(MODEL), 2))))
    assert np.isnan(angles).any(-1).mean() > 0.5
    assert np.isnan(to_angles(fit_rotation(MODEL, np.zeros((1, len(MODEL), 2))))).all()


def test_in_profile_yaw_alone_is_told() -> None:
    skeleton = get_skeleton('coco17')
    keypoints = np.full((2, 17, 2), np.nan)
    for t, angles in enumerate([(80, 10, 0), (60, 10, 0)]):
        keypoints[t, :5] = seen(MODEL, angles) * (1, -1)
    found = head_angles(Points(keypoints, np.ones((2, 17)), skeleton, 0.3))
    np.testing.assert_allclose(found, [(80, np.nan, np.nan), (60, 10, 0)], atol=1e-2)


def test_flat_points_are_not_enough() -> None:
    assert not enough_points(['left_eye', 'right_eye', 'left_eye_inner', 'right_eye_inner'])
    assert not enough_points([])
    assert enough_points(list(COCO))


@pytest.mark.parametrize('layout', ['coco17', 'blazepose33', 'openpose25', 'halpe44', 'coco_wholebody133', 'halpe26'])
def test_every_layout_with_a_face_gives_the_same_angles(layout: str) -> None:
    skeleton = get_skeleton(layout)
    keypoints = np.full((3, skeleton.num_keypoints, 2), np.nan)
    for t, angles in enumerate([(0, 0, 0), (20, -10, 5), (-35, 12, -20)]):
        for k, name in enumerate(skeleton.keypoints):
            if name in TEMPLATE:
                keypoints[t, k] = seen(np.array([TEMPLATE[name]]), angles)[0] * (1, -1)
    scores = np.isfinite(keypoints[..., 0]).astype(float)
    found = head_angles(Points(keypoints, scores, skeleton, 0.3))
    np.testing.assert_allclose(found, [(0, 0, 0), (20, -10, 5), (-35, 12, -20)], atol=1e-2)
