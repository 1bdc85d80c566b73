"""How fast limbs move and how much movement each region of the body has."""

from __future__ import annotations

import numpy as np

from bmoe_app.signals.points import Points, length
from bmoe_app.signals.series import velocity

LIMBS: dict[str, tuple[str, ...]] = {
    'head': ('head',),
    'left_arm': ('left_elbow', 'left_wrist', 'left_hand'),
    'right_arm': ('right_elbow', 'right_wrist', 'right_hand'),
    'left_leg': ('left_knee', 'left_ankle', 'left_foot'),
    'right_leg': ('right_knee', 'right_ankle', 'right_foot'),
}
"""Limb to the points whose speeds are averaged; of the head all its points."""


def trunk_velocity(points: Points, times: np.ndarray) -> np.ndarray:
    """Velocity of the trunk, (T, 2) pixels a second: of the shoulders' middle, else of the hips', else 0."""
    shoulders = velocity(points.middle('shoulder'), times)
    hips = velocity(points.middle('hip'), times)
    found = np.where(np.isfinite(shoulders), shoulders, hips)
    return np.where(np.isfinite(found), found, 0)


def motion_signals(points: Points, size: np.ndarray, times: np.ndarray) -> dict[str, np.ndarray]:
    """Speeds of the limbs against the trunk, and energies of the regions in the picture.

    Args:
        points: The person.
        size: (T,) pixels of a body size.
        times: (T,) seconds.

    Returns:
        ``speed_<limb>``, body sizes a second: mean over the limb's seen points, the trunk's own motion taken away so
        that walking through the picture is no waving. ``energy_<region>``, squared body sizes a second: mean square
        velocity of the region's seen points in the picture, walking and the estimator's jitter included.
    """
    speeds = velocity(points.xy, times) / size[:, None, None]
    trunk = (trunk_velocity(points, times) / size[:, None])[:, None]
    signals = {}
    for limb, names in LIMBS.items():
        members = [points.skeleton.index(name) for name in names if points.has(name)]
        if limb == 'head':
            members = list(points.skeleton.regions['head'])
        signals[f'speed_{limb}'] = _mean_seen(length(speeds[:, members] - trunk))
    for region, indices in points.skeleton.regions.items():
        signals[f'energy_{region}'] = _mean_seen((speeds[:, list(indices)] ** 2).sum(-1))
    return signals


def _mean_seen(values: np.ndarray) -> np.ndarray:
    """Mean (T,) over what is known of (T, P); NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(1)
    return np.where(count, np.where(known, values, 0).sum(1) / np.maximum(count, 1), np.nan)
