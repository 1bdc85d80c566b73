"""Names of the body's points: the region that each belongs to, and which mirror each other.

One name means one point of the body in every layout, which is what makes conversions between layouts possible. Points
of a side are ``left_x`` and ``right_x``, in the person's own sense; the numbered points of the face carry their sides
in ``FACE_PAIRS``.
"""

from __future__ import annotations

REGIONS: tuple[str, ...] = ('head', 'body', 'upper', 'lower')

# region -> its parts, without their side
_REGION_PARTS: dict[str, str] = {
    'head': 'nose eye eye_inner eye_outer ear mouth head head_top face nose_bridge nose_base upper_lip lower_lip',
    'body': 'neck upper_neck thorax spine spine1 spine2 spine3 spine_mid spine_shoulder shoulder_center collar belly '
    'hip_center shoulder hip',
    'upper': 'elbow wrist hand hand_root hand_tip thumb index pinky',
    'lower': 'knee ankle foot heel big_toe small_toe foot_index',
}
FINGERS = ('thumb', 'forefinger', 'middle_finger', 'ring_finger', 'pinky_finger')
TIPS = 'thumb_tip index_tip middle_tip ring_tip pinky_tip'

PART_REGION: dict[str, str] = {
    **{part: region for region, parts in _REGION_PARTS.items() for part in parts.split()},
    **{f'face_{i}': 'head' for i in range(68)},
    **{f'{finger}{joint}': 'upper' for finger in FINGERS for joint in range(1, 5)},
    **dict.fromkeys(TIPS.split(), 'upper'),
}

# 68-point face: (left, right) in the person's own sense, as `swap` in MMPose's dataset description
FACE_PAIRS: tuple[tuple[str, str], ...] = tuple(
    (f'face_{left}', f'face_{right}')
    for left, right in [
        *((16 - i, i) for i in range(8)),  # jaw
        *((26 - i, 17 + i) for i in range(5)),  # brows
        *((35, 31), (34, 32)),  # nostrils
        *((45, 36), (44, 37), (43, 38), (42, 39), (47, 40), (46, 41)),  # eyes
        *((54, 48), (53, 49), (52, 50), (55, 59), (56, 58)),  # outer lips
        *((64, 60), (63, 61), (65, 67)),  # inner lips
    ]
)


def region_of(keypoint: str) -> str | None:
    """The region of a point that the project knows.

    Args:
        keypoint: Its name, with its side.

    Returns:
        One of :data:`REGIONS`, or None for a name that is not known.

    Example:
        >>> region_of('left_elbow')
        'upper'
    """
    return PART_REGION.get(keypoint.removeprefix('left_').removeprefix('right_'))
