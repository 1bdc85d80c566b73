"""Every class has a movement, and it moves what it is named for."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.box.body import NAMES
from benchmarks.box.generate import act
from benchmarks.box.motions import MOTIONS, minimum_jerk
from bmoe_skel.taxonomy import CLASSES, TAXONOMY


def played(label: str, count: int = 60) -> np.ndarray:
    labels = np.full(count, CLASSES.index(label))
    return act(labels, np.random.default_rng(0), ('idle',))[0]


def at(points: np.ndarray, name: str) -> np.ndarray:
    return points[:, :, NAMES.index(name)]


def travel(points: np.ndarray, name: str) -> np.ndarray:
    return np.linalg.norm(np.ptp(at(points, name), axis=1), axis=-1)


def test_every_class_has_a_movement() -> None:
    assert set(MOTIONS) == set(TAXONOMY)


@pytest.mark.parametrize(
    ('label', 'point', 'least'),
    [
        *(('nod', 'nose', 0.8), ('turn', 'nose', 2.0), ('lean_left', 'nose', 3.0), ('shrug', 'left_shoulder', 1.5)),
        *(('sway', 'nose', 1.5), ('rise', 'nose', 15.0), ('leg_shaking', 'nose', 0.0), ('spread_legs', 'left_knee', 3)),
    ],
)
def test_what_is_named_moves(label: str, point: str, least: float) -> None:
    assert np.median(travel(played(label), point)) >= least


def test_statues_do_not_move_but_by_small_movements() -> None:
    still = travel(played('nothing'), 'left_hip')
    assert np.median(still) < 1.0


def test_sides_are_the_persons_own() -> None:
    left, right = (at(played(label), 'nose')[..., 0] for label in ('lean_left', 'lean_right'))
    assert np.median(np.ptp(left, axis=1) * np.sign(left[:, 30] - left[:, 0])) > 2
    assert np.median(np.ptp(right, axis=1) * np.sign(right[:, 30] - right[:, 0])) < -2


def test_hands_come_to_the_face() -> None:
    points = played('hand_to_face')
    gaps = [np.linalg.norm(at(points, f'{side}_index') - at(points, 'nose'), axis=-1) for side in ('left', 'right')]
    assert np.median(np.minimum(*gaps).min(1)) < 18


def test_minimum_jerk_has_no_speed_at_its_ends() -> None:
    way = minimum_jerk(np.linspace(0, 1, 1001))
    speed = np.diff(way) * 1000
    assert speed[[0, -1]].max() < 1e-2 and speed.max() == pytest.approx(1.875, abs=1e-3)
