"""All movement signals of the people of one video, from their keypoint tracks and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bmoe_app.signals.body import hand_signals, head_signals, leg_signals, trunk_signals
from bmoe_app.signals.head import TEMPLATE, enough_points, head_angles
from bmoe_app.signals.motion import LIMBS, motion_signals
from bmoe_app.signals.points import Points, body_size, jumps
from bmoe_app.signals.series import noise_floor
from pose_extract.body_parts import REGIONS
from pose_extract.skeletons import Skeleton, get_skeleton
from pose_extract.tracks import PoseTracks

MIN_SCORE = 0.3
"""Keypoints below this score are not believed."""

_BOTH = ('left', 'right')
UNITS: dict[str, str] = {
    'head_yaw': 'degrees',
    'head_pitch': 'degrees',
    'head_roll': 'degrees',
    'head_shoulder_x': 'body sizes',
    'head_shoulder_y': 'body sizes',
    'head_shoulder_roll': 'degrees',
    'trunk_lean_side': 'degrees',
    'trunk_length': 'body sizes',
    'trunk_lean_depth': 'log ratio',
    **{f'shoulder_height_{side}': 'body sizes' for side in _BOTH},
    **{f'hand_{to}_{side}': 'body sizes' for to in ('face', 'trunk') for side in _BOTH},
    'hand_hand': 'body sizes',
    'wrists_crossed': 'body sizes',
    **{f'leg_{axis}_{side}': 'body sizes' for axis in 'xy' for side in _BOTH},
    **{f'speed_{limb}': 'body sizes/s' for limb in LIMBS},
    **{f'energy_{region}': '(body sizes/s)^2' for region in REGIONS},
}
"""Every signal by name, with its unit; the order of the columns."""


@dataclass(eq=False)
class Signals:
    """Movement signals of ``M`` people over ``T`` frames.

    Attributes:
        values: (M, T, S) in the order and units of :data:`UNITS`; NaN where it cannot be known.
        noise: (M, S) standard deviation of each signal's frame-to-frame noise, see
            :func:`bmoe_app.signals.series.noise_floor`; NaN where too little is seen.
        body_size: (M, T) pixels of a body size, see :func:`bmoe_app.signals.points.body_size`.
        frame_times: (T,) seconds.
        skeleton: Name of the layout.
        unavailable: Signals that the layout cannot give at all, with the reason.
        jumps: (M, T) bool, frames at which a track leaps, see :func:`bmoe_app.signals.points.jumps`.
    """

    values: np.ndarray
    noise: np.ndarray
    body_size: np.ndarray
    frame_times: np.ndarray
    skeleton: str
    unavailable: dict[str, str]
    jumps: np.ndarray

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the signals, in the order of ``values``."""
        return tuple(UNITS)

    def get(self, name: str) -> np.ndarray:
        """One signal of everybody, (M, T).

        Raises:
            ValueError: No signal has that name.
        """
        return self.values[..., self._index(name)]

    def noise_of(self, name: str) -> np.ndarray:
        """The noise floor of one signal for everybody, (M,).

        Raises:
            ValueError: No signal has that name.
        """
        return self.noise[..., self._index(name)]

    def _index(self, name: str) -> int:
        if name not in UNITS:
            raise ValueError(f'unknown signal {name!r}: choose one of {", ".join(UNITS)}')
        return self.names.index(name)


def compute_signals(tracks: PoseTracks, min_score: float = MIN_SCORE, angles: np.ndarray | None = None) -> Signals:
    """Movement signals of everybody in a video.

    Keypoints outside of the picture count as unseen: there an estimator can only guess.

    Args:
        tracks: Their keypoints, in any layout.
        min_score: Keypoints below this score count as unseen, within 0..1.
        angles: (M, T, 3) head angles of :func:`bmoe_app.signals.head.head_angles`, where they are known already.

    Raises:
        ValueError: ``min_score`` is outside 0..1.

    Example:
        >>> from bmoe_app.signals import compute_signals
        >>> signals = compute_signals(pose_extract.load_tracks('poses/head/head_00.mp4.npz'))
        >>> signals.get('head_pitch').shape
        (1, 24)
    """
    if not 0 <= min_score <= 1:
        raise ValueError(f'min_score: must be within 0..1, got {min_score}')
    skeleton = get_skeleton(tracks.skeleton)
    people, frames, times = tracks.num_persons, tracks.num_frames, tracks.frame_times
    values = np.full((people, frames, len(UNITS)), np.nan)
    noise = np.full((people, len(UNITS)), np.nan)
    sizes = np.full((people, frames), np.nan)
    leaps = np.zeros((people, frames), bool)
    for m in range(people):
        points = Points(tracks.keypoints[m], tracks.scores[m], skeleton, min_score, tracks.image_size)
        sizes[m] = body_size(points, times)
        leaps[m] = jumps(points, sizes[m], times)
        turned = head_angles(points) if angles is None else angles[m]
        for s, one in enumerate(_of_person(points, sizes[m], times, turned)):
            values[m, :, s] = one
            noise[m, s] = noise_floor(one, times)
    return Signals(values, noise, sizes, times, tracks.skeleton, unavailable_signals(skeleton), leaps)


def _of_person(points: Points, size: np.ndarray, times: np.ndarray, angles: np.ndarray) -> list[np.ndarray]:
    """All signals of one person, each (T,), in the order of :data:`UNITS`."""
    found = {
        **dict(zip(('head_yaw', 'head_pitch', 'head_roll'), angles.T, strict=True)),
        **head_signals(points, size, angles[:, 2]),
        **trunk_signals(points, size),
        **hand_signals(points, size),
        **leg_signals(points, size),
        **motion_signals(points, size, times),
    }
    return [found[name] for name in UNITS]


def unavailable_signals(skeleton: Skeleton) -> dict[str, str]:
    """The signals that no track of a layout can give, with the reason.

    Args:
        skeleton: The layout.

    Example:
        >>> from pose_extract.skeletons import get_skeleton
        >>> unavailable_signals(get_skeleton('kinect20'))['head_yaw']
        'kinect20 has too few face points'
    """
    name, points = skeleton.name, skeleton.keypoints
    reasons: list[tuple[str, tuple[str, ...]]] = []
    if not enough_points([point for point in TEMPLATE if point in points]):
        angles = ('head_yaw', 'head_pitch', 'head_roll', 'head_shoulder_roll')
        reasons.append((f'{name} has too few face points', angles))
    for side in _BOTH:
        if f'{side}_wrist' not in points:
            reasons.append((f'{name} has no wrists', ('wrists_crossed',)))
        if not any(point.startswith(f'{side}_') and _is_hand(point) for point in points):
            of_hand = (f'hand_face_{side}', f'hand_trunk_{side}', 'hand_hand', f'speed_{side}_arm')
            reasons.append((f'{name} has no {side} hand', of_hand))
        if f'{side}_knee' not in points:
            of_leg = (f'leg_x_{side}', f'leg_y_{side}', f'speed_{side}_leg')
            reasons.append((f'{name} has no {side} knee', of_leg))
    return {signal: reason for reason, signals in reasons for signal in signals}


def _is_hand(point: str) -> bool:
    return any(word in point for word in ('wrist', 'hand', 'index', 'thumb', 'pinky'))
