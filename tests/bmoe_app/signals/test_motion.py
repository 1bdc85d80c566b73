"""Speeds and energies of known movement."""

from __future__ import annotations

import numpy as np

from benchmarks.moving_people import PIXELS, person
from bmoe_app.signals.motion import LIMBS, motion_signals
from bmoe_app.signals.points import Points
from pose_extract.skeletons import get_skeleton
from pose_extract.tracks import PoseTracks

TIMES = np.arange(30) / 30
SIZE = np.full(30, 36 * PIXELS)


def motion_of(tracks: PoseTracks) -> dict[str, np.ndarray]:
    points = Points(tracks.keypoints[0], tracks.scores[0], get_skeleton(tracks.skeleton), 0.3)
    return motion_signals(points, SIZE, tracks.frame_times)


def test_an_arm_that_rises_has_its_speed_and_the_others_none() -> None:
    rising = TIMES[:, None] * (0, 18)  # half a body size a second
    signals = motion_of(person(TIMES, shift={'left_wrist': rising, 'left_elbow': rising}))
    np.testing.assert_allclose(signals['speed_left_arm'][1:-1], 0.5, rtol=1e-3)
    for limb in set(LIMBS) - {'left_arm'}:
        np.testing.assert_allclose(signals[f'speed_{limb}'][1:-1], 0, atol=1e-3)
    # two of the four points of the upper region move
    np.testing.assert_allclose(signals['energy_upper'][1:-1], 0.125, rtol=1e-3)
    np.testing.assert_allclose(signals['energy_head'][1:-1], 0, atol=1e-5)


def test_walking_is_energy_and_no_speed_of_limbs() -> None:
    signals = motion_of(person(TIMES, walk=TIMES[:, None] * (108, 0)))
    for limb in LIMBS:
        np.testing.assert_allclose(signals[f'speed_{limb}'][1:-1], 0, atol=1e-3)
    for region in ('head', 'body', 'upper', 'lower'):
        np.testing.assert_allclose(signals[f'energy_{region}'][1:-1], 1, rtol=1e-3)


def test_unknown_beside_gaps_and_in_one_frame() -> None:
    tracks = person(TIMES)
    tracks.keypoints[0, 10], tracks.scores[0, 10] = np.nan, 0
    known = np.isfinite(motion_of(tracks)['speed_head'])
    assert np.flatnonzero(~known).tolist() == [0, 9, 11, 29]  # frame 10 lies between two seen ones
