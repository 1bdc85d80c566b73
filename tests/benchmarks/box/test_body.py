"""The generated body: bones keep their lengths, hands touch what they are led to, rotations are scipy's."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from benchmarks.box.body import CHANNELS, NAMES, SIDES, Touch, make_bodies, pose, reach, rotation

COUNT, FRAMES = 40, 12


def still(frame: int = 0, place: tuple[float, float, float] = (0, 0, 0), share: float = 0.0) -> dict[str, Touch]:
    empty = np.zeros((COUNT, FRAMES, 3))
    there = np.full((COUNT, FRAMES), share), np.full(COUNT, frame), np.tile(np.array(place, float), (COUNT, 1)), empty
    away = np.zeros((COUNT, FRAMES)), np.zeros(COUNT, int), np.zeros((COUNT, 3)), empty
    return {'left': Touch(*there), 'right': Touch(*away)}


def moving() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.normal(0, 3, (COUNT, FRAMES)) for name in CHANNELS}


def at(points: np.ndarray, name: str) -> np.ndarray:
    return points[:, :, NAMES.index(name)]


def test_bones_keep_their_lengths() -> None:
    body = make_bodies(COUNT, np.zeros(COUNT, bool), np.random.default_rng(1))
    points = pose(body, moving(), still(0, (3, -5, 2), 0.7))
    for side in SIDES:
        for start, end, name in (
            *(('shoulder', 'elbow', 'upper_arm'), ('elbow', 'wrist', 'forearm')),
            *(('hip', 'knee', 'thigh'), ('knee', 'ankle', 'shank')),
        ):
            length = np.linalg.norm(at(points, f'{side}_{end}') - at(points, f'{side}_{start}'), axis=-1)
            np.testing.assert_allclose(length, np.tile(body.length[name][:, None], FRAMES), rtol=1e-9)
    eyes = np.linalg.norm(at(points, 'left_eye') - at(points, 'right_eye'), axis=-1)
    assert np.ptp(eyes, axis=1).max() < 1e-9 and 4 < eyes.min() < eyes.max() < 8


def test_a_hand_that_touches_the_face_is_there_while_the_head_moves() -> None:
    body = make_bodies(COUNT, np.zeros(COUNT, bool), np.random.default_rng(1))
    points = pose(body, moving(), still(0, (0, -3.8, 4), 1.0))
    wrist, elbow = at(points, 'left_wrist'), at(points, 'left_elbow')
    forward = (wrist - elbow) / np.linalg.norm(wrist - elbow, axis=-1, keepdims=True)
    tips = wrist + forward * body.length['hand'][:, None, None]
    gap = np.linalg.norm(tips - at(points, 'nose'), axis=-1)
    assert np.median(gap) < 2.0 and np.quantile(gap, 0.95) < 6.0
    apart = np.linalg.norm(at(points, 'right_index') - at(points, 'nose'), axis=-1)
    assert np.median(apart) > 30


def test_rotations_are_those_of_scipy() -> None:
    angles = np.random.default_rng(2).uniform(-80, 80, (30, 3))
    theirs = Rotation.from_euler('YXZ', angles * (1, -1, -1), degrees=True).as_matrix()
    np.testing.assert_allclose(rotation(*angles.T), theirs, atol=1e-12)
    up, left = rotation(*np.array([0.0, 30, 0])), rotation(*np.array([30.0, 0, 0]))
    assert (up @ (0, 0, 1))[1] > 0.4  # a face that rises
    assert (left @ (0, 0, 1))[0] > 0.4  # a face that turns to the person's left


def test_an_arm_reaches_as_far_as_it_can() -> None:
    shoulder, far = np.zeros((1, 1, 3)), np.array([[[0, 0, 500.0]]])
    elbow, wrist = reach(shoulder, far, np.array([[30.0]]), np.array([[25.0]]), np.array([[[0, -1.0, 0]]]))
    np.testing.assert_allclose(wrist, [[[0, 0, 54.7]]])
    assert elbow[0, 0, 1] < 0
