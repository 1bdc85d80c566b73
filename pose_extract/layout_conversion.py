"""From one keypoint layout to another, where every point of the target follows from the source.

A point of the same name is taken over as it is. Some are the same spot under another name (the tip of the thumb is
``left_thumb_tip`` in one layout and ``left_thumb4`` in another), and some lie on known lines, such as the neck half
way between the shoulders. Nothing else is made up: where a point of the target cannot be had, the conversion is
refused with the list of such points; or, where the caller says so, the point is absent in all frames
(``partial``), which is how tracks of any backend are brought to :data:`COMMON`.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np

from bmoe_ground.errors import UserError
from pose_extract.skeletons import get_skeleton, skeleton_names
from pose_extract.tracks import PoseTracks

COMMON = 'common29'
"""The layout that tracks of any backend are brought to where one model reads them all."""

_MID_SHOULDERS = {'left_shoulder': 0.5, 'right_shoulder': 0.5}
_MID_HIPS = {'left_hip': 0.5, 'right_hip': 0.5}


def _on_trunk(height: float) -> dict[str, float]:
    """The point at ``height`` on the trunk's axis: 0 between the hips, 1 between the shoulders."""
    return {k: w * height for k, w in _MID_SHOULDERS.items()} | {k: w * (1 - height) for k, w in _MID_HIPS.items()}


DERIVED: dict[str, tuple[dict[str, float], ...]] = {
    # Measured: OpenPose's neck lies 1.00 and its middle hip 0.00 up the trunk (its own definitions), Kinect's spine
    # 0.35 and 0.37, JHMDB's belly 0.24, Kinect's shoulder centre 1.22 (above the line between the shoulders).
    'neck': (_MID_SHOULDERS,),
    'hip_center': (_MID_HIPS,),
    'spine_shoulder': (_MID_SHOULDERS,),
    'thorax': (_MID_SHOULDERS,),
    'shoulder_center': (_on_trunk(1.2),),
    'spine': (_on_trunk(0.35),),
    'spine_mid': (_on_trunk(0.5),),
    'belly': (_on_trunk(0.25),),
    'head': ({'left_ear': 0.5, 'right_ear': 0.5},),
    'face': ({'nose': 1.0}, {'head': 1.0}),
    # the same spot under the name of another layout
    'left_eye_inner': ({'face_42': 1.0},),
    'right_eye_inner': ({'face_39': 1.0},),
    'left_eye_outer': ({'face_45': 1.0},),
    'right_eye_outer': ({'face_36': 1.0},),
    'left_mouth': ({'face_54': 1.0},),
    'right_mouth': ({'face_48': 1.0},),
    '*_foot_index': ({'*_big_toe': 1.0},),
    '*_foot': ({'*_big_toe': 1.0}, {'*_foot_index': 1.0}),
    '*_hand': (
        {'*_wrist': 0.5, '*_middle_finger1': 0.5},
        {'*_wrist': 0.5, '*_index': 0.25, '*_pinky': 0.25},
    ),
    '*_hand_tip': ({'*_middle_finger4': 1.0},),
    '*_thumb': ({'*_thumb3': 1.0},),
    '*_index': ({'*_forefinger1': 1.0},),
    '*_pinky': ({'*_pinky_finger1': 1.0},),
    '*_thumb_tip': ({'*_thumb4': 1.0},),
    '*_index_tip': ({'*_forefinger4': 1.0},),
    '*_middle_tip': ({'*_middle_finger4': 1.0},),
    '*_ring_tip': ({'*_ring_finger4': 1.0},),
    '*_pinky_tip': ({'*_pinky_finger4': 1.0},),
}
"""Target point -> recipes by weight, the first that the source can serve is used; '*' stands for the side."""


def recipe_for(target: str, source: tuple[str, ...]) -> dict[str, float] | None:
    """Weights over the source's names that give the point ``target``, or None."""
    if target in source:
        return {target: 1.0}
    side = re.match('(left|right)_', target)
    general = f'*_{target[side.end() :]}' if side else target
    for option in DERIVED.get(target, DERIVED.get(general, ())):
        named = {name.replace('*', side[1]) if side else name: weight for name, weight in option.items()}
        if all(name in source for name in named):
            return named
    return None


def lost_points(source: str, target: str = COMMON) -> tuple[str, ...]:
    """The keypoints of one layout that do not follow from another.

    Args:
        source: The layout that is there.
        target: The layout that is wanted.

    Returns:
        Names of the target's keypoints, in its order.

    Raises:
        UserError: A layout is unknown.

    Example:
        >>> lost_points('halpe26')[:2]
        ('left_mouth', 'right_mouth')
    """
    names = get_skeleton(source).keypoints
    return tuple(name for name in get_skeleton(target).keypoints if recipe_for(name, names) is None)


@lru_cache
def _recipes(source: str, target: str, partial: bool) -> tuple[tuple[tuple[int, ...], tuple[float, ...]], ...]:
    """For each keypoint of the target, the source's keypoints and their weights; none where it cannot be had."""
    names, wanted = get_skeleton(source).keypoints, get_skeleton(target).keypoints
    missing = lost_points(source, target)
    if missing and (not partial or len(missing) == len(wanted)):
        options = [name for name in skeleton_names() if name != source and can_convert(source, name)]
        raise UserError(
            f'{source} cannot become {target}: it has nothing for {", ".join(missing)}. '
            f'It can become: {", ".join(options) or "no other layout"}'
        )
    recipes = [recipe_for(name, names) or {} for name in wanted]
    return tuple((tuple(names.index(name) for name in recipe), tuple(recipe.values())) for recipe in recipes)


def can_convert(source: str, target: str) -> bool:
    """Whether every keypoint of the layout ``target`` follows from the layout ``source``."""
    return not lost_points(source, target)


def convert_keypoints(
    keypoints: np.ndarray, scores: np.ndarray, source: str, target: str, partial: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Turn keypoints of one layout into those of another.

    Args:
        keypoints: (..., K, C) coordinates, NaN where absent.
        scores: (..., K) confidences.
        source: Layout of ``keypoints``.
        target: Layout to give.
        partial: Whether points that the source cannot give are absent in all frames, instead of an error.

    Returns:
        Coordinates (..., K', C) and scores (..., K'). A derived point is absent where one of its sources is, and has
        the lowest of their scores. A point that the source cannot give is NaN with the score 0.

    Raises:
        UserError: A layout is unknown, or the target has points that the source cannot give (with ``partial``: it can
            give none).
        ValueError: The arrays do not have the source's number of keypoints.
    """
    recipes = _recipes(source, target, partial)
    count = get_skeleton(source).num_keypoints
    if keypoints.shape[-2] != count or scores.shape != keypoints.shape[:-1]:
        raise ValueError(f'{source} has {count} keypoints, got keypoints {keypoints.shape} and scores {scores.shape}')
    points = np.stack([_weighted(keypoints, indices, weights) for indices, weights in recipes], -2)
    nothing = np.zeros_like(scores[..., 0])
    lowest = np.stack([scores[..., list(indices)].min(-1) if indices else nothing for indices, _ in recipes], -1)
    return points, lowest


def convert_layout(tracks: PoseTracks, target: str, partial: bool = False) -> PoseTracks:
    """Turn tracks of one layout into another; see :func:`convert_keypoints`.

    Extras with one value a keypoint, (M, T, K), go along: a derived point is marked where one of its sources is.

    Args:
        tracks: Of any layout.
        target: The layout to give; :data:`COMMON` with ``partial`` takes tracks of every backend.
        partial: Whether points that the tracks cannot give are absent (NaN, score 0), instead of an error.

    Raises:
        UserError: A layout is unknown, or the target has points that the source cannot give.
        ValueError: An extra has values for each keypoint that are not true or false.

    Example:
        >>> tracks = pose_extract.load_tracks('poses/head/head_00.mp4.npz')
        >>> pose_extract.convert_layout(tracks, 'openpose18').keypoints.shape
        (1, 24, 18, 2)
    """
    keypoints, scores = convert_keypoints(tracks.keypoints, tracks.scores, tracks.skeleton, target, partial)
    recipes = _recipes(tracks.skeleton, target, partial)
    extras = {}
    for name, array in tracks.extras.items():
        if array.shape[:3] == tracks.scores.shape:
            if array.dtype != bool or array.ndim != 3:
                raise ValueError(f'extras: {name}: only (M, T, K) masks can change layout, got {array.dtype}')
            array = np.stack([array[..., list(indices)].any(-1) for indices, _ in recipes], -1)
        extras[name] = array
    return PoseTracks(
        keypoints=keypoints,
        scores=scores,
        boxes=tracks.boxes,
        frame_times=tracks.frame_times,
        image_size=tracks.image_size,
        skeleton=target,
        provenance={**tracks.provenance, 'converted_from': tracks.skeleton},
        extras=extras,
    )


def _weighted(keypoints: np.ndarray, indices: tuple[int, ...], weights: tuple[float, ...]) -> np.ndarray:
    if not indices:
        return np.full_like(keypoints[..., 0, :], np.nan)
    if weights == (1.0,):
        return keypoints[..., indices[0], :]
    return np.einsum('...kc,k->...c', keypoints[..., list(indices), :], np.array(weights, dtype=keypoints.dtype))
