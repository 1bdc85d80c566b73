"""Keypoint layouts as data: the order of the keypoints and the bones between them.

A layout is the tuple of its keypoints' names and, for every keypoint but the root, the name of its parent. The
left-right pairs follow from the names (``left_x`` and ``right_x``; the numbered face points carry theirs in
``FACE_PAIRS``), the region from ``PART_REGION``. One name means one point of the body in every layout, which is what
makes conversions between layouts possible.

Sources: COCO and COCO-WholeBody (Jin et al., ECCV 2020), Halpe (Fang et al., TPAMI 2022), BlazePose (Bazarevsky et
al., 2020), OpenPose (Cao et al., TPAMI 2021), Kinect v1 and v2 (NTU RGB+D: Shahroudy et al., CVPR 2016), JHMDB
(Jhuang et al., ICCV 2013), MPII (Andriluka et al., CVPR 2014), Human3.6M in the 17 points of VideoPose3D (Ionescu et
al., TPAMI 2014), Penn Action (Zhang et al., ICCV 2013), OpenNI's 15 joints (SBU Kinect: Yun et al., CVPR-W 2012;
Florence 3D: Seidenari et al., CVPR-W 2013), SMPL (Loper et al., SIGGRAPH Asia 2015). ``openpose28`` are the MA-52 files
of PCAN, ``halpe44`` those of MMN; the names of the last's six face points (26 to 31) are read off that project's bone
list, which does not name them. Point 9 of Human3.6M, called neck or nose by those who use it, lies in the face.
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
_FINGERS = ('thumb', 'forefinger', 'middle_finger', 'ring_finger', 'pinky_finger')
_TIPS = 'thumb_tip index_tip middle_tip ring_tip pinky_tip'

PART_REGION: dict[str, str] = {
    **{part: region for region, parts in _REGION_PARTS.items() for part in parts.split()},
    **{f'face_{i}': 'head' for i in range(68)},
    **{f'{finger}{joint}': 'upper' for finger in _FINGERS for joint in range(1, 5)},
    **dict.fromkeys(_TIPS.split(), 'upper'),
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


def _both(text: str) -> tuple[str, ...]:
    """Each word of ``text`` for the left, then the right side, word by word."""
    return tuple(f'{side}_{word}' for word in text.split() for side in ('left', 'right'))


def _sides(text: str, first: str = 'left') -> tuple[str, ...]:
    """All words of ``text`` for one side, then for the other."""
    second = 'right' if first == 'left' else 'left'
    return tuple(f'{side}_{word}' for side in (first, second) for word in text.split())


def _tree(*chains: str) -> dict[str, str]:
    """Child -> parent from chains 'a b c' (b hangs from a, c from b); '*' stands for left, then right."""
    parents: dict[str, str] = {}
    for chain in chains:
        for side in ('left', 'right') if '*' in chain else ('',):
            names = chain.replace('*', side).split()
            parents.update(zip(names[1:], names[:-1], strict=True))
    return parents


_COCO = ('nose', *_both('eye ear shoulder elbow wrist hip knee ankle'))
_LEG = '*_hip *_knee *_ankle'
_ARM = '*_shoulder *_elbow *_wrist'
# COCO has no joint on the trunk's axis, so that shoulders hang from the nose, as in ST-GCN and pyskl
_COCO_TREE = _tree('nose *_eye *_ear', 'nose *_shoulder *_hip', _ARM, _LEG)

_HALPE26 = (*_COCO, 'head_top', 'neck', 'hip_center', *_both('big_toe small_toe heel'))
_HALPE26_TREE = _tree(
    'hip_center neck nose *_eye *_ear',
    'nose head_top',
    'neck *_shoulder',
    'hip_center *_hip',
    _ARM,
    _LEG,
    '*_ankle *_heel *_big_toe',
    '*_heel *_small_toe',
)

_HAND21 = ' '.join(['hand_root', *(f'{finger}{joint}' for finger in _FINGERS for joint in range(1, 5))])


def _face_chain(*points: int) -> str:
    return ' '.join(f'face_{point}' for point in points)


_FACE68_TREE = _tree(
    'nose ' + _face_chain(30, 29, 28, 27),  # the tip of the nose, up its bridge
    _face_chain(27, 21, 20, 19, 18, 17),
    _face_chain(27, 22, 23, 24, 25, 26),
    _face_chain(27, 39, 38, 37, 36),
    _face_chain(39, 40, 41),
    _face_chain(27, 42, 43, 44, 45),
    _face_chain(42, 47, 46),
    _face_chain(30, 33, 32, 31),
    _face_chain(33, 34, 35),
    _face_chain(33, 51, 50, 49, 48),
    _face_chain(51, 52, 53, 54),
    _face_chain(51, 62, 61, 60),
    _face_chain(62, 63, 64),
    _face_chain(62, 66, 65),
    _face_chain(66, 67),
    _face_chain(66, 57, 56, 55),
    _face_chain(57, 58, 59),
    _face_chain(57, *range(8, -1, -1)),  # from the lower lip to the chin and up the right jaw
    _face_chain(*range(8, 17)),
)
_HAND21_TREE = _tree(
    '*_wrist *_hand_root',
    *(f'*_hand_root *_{finger}1 *_{finger}2 *_{finger}3 *_{finger}4' for finger in _FINGERS),
)

_OPENPOSE_ARMS = _sides('shoulder elbow wrist', first='right')
_OPENPOSE_LEGS = _sides('hip knee ankle', first='right')
_OPENPOSE_FACE = ('right_eye', 'left_eye', 'right_ear', 'left_ear')
_OPENPOSE18 = ('nose', 'neck', *_OPENPOSE_ARMS, *_OPENPOSE_LEGS, *_OPENPOSE_FACE)
_OPENPOSE18_TREE = _tree('neck nose *_eye *_ear', 'neck *_shoulder', 'neck *_hip', _ARM, _LEG)

# name -> (keypoint names in order, child -> parent)
LAYOUTS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    'coco17': (_COCO, _COCO_TREE),
    'halpe26': (_HALPE26, _HALPE26_TREE),
    'coco_wholebody133': (
        (
            *_COCO,
            *_sides('big_toe small_toe heel'),
            *(f'face_{i}' for i in range(68)),
            *_sides(_HAND21),
        ),
        {
            **_COCO_TREE,
            **_tree('*_ankle *_heel *_big_toe', '*_heel *_small_toe'),
            **_FACE68_TREE,
            **_HAND21_TREE,
        },
    ),
    'blazepose33': (
        (
            'nose',
            *_sides('eye_inner eye eye_outer'),
            *_both('ear mouth shoulder elbow wrist pinky index thumb hip knee ankle heel foot_index'),
        ),
        _tree(
            'nose *_eye_inner *_eye *_eye_outer *_ear',
            'nose *_mouth',
            'nose *_shoulder *_hip',
            _ARM,
            '*_wrist *_pinky',
            '*_wrist *_index',
            '*_wrist *_thumb',
            _LEG,
            '*_ankle *_heel *_foot_index',
        ),
    ),
    'openpose18': (_OPENPOSE18, _OPENPOSE18_TREE),
    'openpose28': (
        (*_OPENPOSE18, *_sides(_TIPS)),
        _OPENPOSE18_TREE | _tree(*(f'*_wrist *_{tip}' for tip in _TIPS.split())),
    ),
    'halpe44': (
        (
            *_HALPE26,
            *('nose_bridge', 'nose_base', 'right_eye_outer', 'left_eye_outer', 'upper_lip', 'lower_lip'),
            *_sides(f'hand_root {_TIPS}'),
        ),
        {
            **_HALPE26_TREE,
            **_tree('nose nose_bridge *_eye *_eye_outer *_ear', 'nose nose_base upper_lip lower_lip'),
            **_tree('*_wrist *_hand_root', *(f'*_hand_root *_{tip}' for tip in _TIPS.split())),
        },
    ),
    'openpose25': (
        (
            *('nose', 'neck', *_OPENPOSE_ARMS, 'hip_center', *_OPENPOSE_LEGS, *_OPENPOSE_FACE),
            *_sides('big_toe small_toe heel'),
        ),
        _tree(
            'hip_center neck nose *_eye *_ear',
            'neck *_shoulder',
            'hip_center *_hip',
            _ARM,
            _LEG,
            '*_ankle *_big_toe *_small_toe',
            '*_ankle *_heel',
        ),
    ),
    'ntu25': (
        (
            *('hip_center', 'spine_mid', 'neck', 'head'),
            *_sides('shoulder elbow wrist hand'),
            *_sides('hip knee ankle foot'),
            'spine_shoulder',
            *_sides('hand_tip thumb_tip'),
        ),
        _tree(
            'hip_center spine_mid spine_shoulder neck head',
            'spine_shoulder *_shoulder *_elbow *_wrist *_hand *_hand_tip',
            '*_hand *_thumb_tip',
            'hip_center *_hip *_knee *_ankle *_foot',
        ),
    ),
    'kinect20': (
        (
            *('hip_center', 'spine', 'shoulder_center', 'head'),
            *_sides('shoulder elbow wrist hand'),
            *_sides('hip knee ankle foot'),
        ),
        _tree(
            'hip_center spine shoulder_center head',
            'shoulder_center *_shoulder *_elbow *_wrist *_hand',
            'hip_center *_hip *_knee *_ankle *_foot',
        ),
    ),
    'jhmdb15': (
        (
            *('neck', 'belly', 'face'),
            *('right_shoulder', 'left_shoulder', 'right_hip', 'left_hip'),
            *('right_elbow', 'left_elbow', 'right_knee', 'left_knee'),
            *('right_wrist', 'left_wrist', 'right_ankle', 'left_ankle'),
        ),
        _tree('belly neck face', 'neck *_shoulder', 'belly *_hip', _ARM, _LEG),
    ),
    'penn13': (
        ('head', *_both('shoulder elbow wrist hip knee ankle')),
        _tree('head *_shoulder *_hip', _ARM, _LEG),
    ),
    'mpii16': (
        (
            *('right_ankle', 'right_knee', 'right_hip', 'left_hip', 'left_knee', 'left_ankle'),
            *('hip_center', 'thorax', 'upper_neck', 'head_top'),
            *('right_wrist', 'right_elbow', 'right_shoulder', 'left_shoulder', 'left_elbow', 'left_wrist'),
        ),
        _tree('hip_center thorax upper_neck head_top', 'thorax *_shoulder', 'hip_center *_hip', _ARM, _LEG),
    ),
    'h36m17': (
        (
            *('hip_center', *_sides('hip knee ankle', first='right')),
            *('spine_mid', 'thorax', 'face', 'head_top', *_sides('shoulder elbow wrist')),
        ),
        _tree('hip_center spine_mid thorax face head_top', 'thorax *_shoulder', 'hip_center *_hip', _ARM, _LEG),
    ),
    'openni15': (
        ('head', 'neck', 'spine_mid', *_sides('shoulder elbow hand'), *_sides('hip knee foot')),
        _tree('spine_mid neck head', 'neck *_shoulder *_elbow *_hand', 'spine_mid *_hip *_knee *_foot'),
    ),
    'smpl24': (
        (
            *('hip_center', 'left_hip', 'right_hip', 'spine1', 'left_knee', 'right_knee', 'spine2'),
            *('left_ankle', 'right_ankle', 'spine3', 'left_foot', 'right_foot', 'neck'),
            *('left_collar', 'right_collar', 'head', *_both('shoulder elbow wrist hand')),
        ),
        _tree(
            'hip_center spine1 spine2 spine3 neck head',
            'spine3 *_collar *_shoulder *_elbow *_wrist *_hand',
            'hip_center *_hip *_knee *_ankle *_foot',
        ),
    ),
}
