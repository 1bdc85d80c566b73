"""Keypoint layouts as data: the order of the keypoints and the bones between them.

An entry of ``LAYOUTS`` is all that a new layout needs: left-right pairs, regions, sheet, pages, guessing and tests are
derived from it. Pages are rewritten by ``python tools/write_pages.py``, the picture of all layouts by
``python tools/show_skeletons.py docs/images/skeletons.png``.

Sources: COCO and COCO-WholeBody (Jin et al., ECCV 2020), Halpe (Fang et al., TPAMI 2022), BlazePose (Bazarevsky et
al., 2020), OpenPose (Cao et al., TPAMI 2021), Kinect v1 and v2 (NTU RGB+D: Shahroudy et al., CVPR 2016), JHMDB
(Jhuang et al., ICCV 2013), MPII (Andriluka et al., CVPR 2014), Human3.6M in the 17 points of VideoPose3D (Ionescu et
al., TPAMI 2014), Penn Action (Zhang et al., ICCV 2013), OpenNI's 15 joints (SBU Kinect: Yun et al., CVPR-W 2012;
Florence 3D: Seidenari et al., CVPR-W 2013), SMPL (Loper et al., SIGGRAPH Asia 2015). ``openpose28`` are the MA-52 files
of PCAN, ``halpe44`` those of MMN; the names of the last's six face points (26 to 31) are read off that project's bone
list, which does not name them. Point 9 of Human3.6M, called neck or nose by those who use it, lies in the face.
"""

from __future__ import annotations

from pose_extract.body_parts import FINGERS, TIPS
from pose_extract.declarations import Layout


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

_HAND21 = ' '.join(['hand_root', *(f'{finger}{joint}' for finger in FINGERS for joint in range(1, 5))])


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
    *(f'*_hand_root *_{finger}1 *_{finger}2 *_{finger}3 *_{finger}4' for finger in FINGERS),
)

_OPENPOSE_ARMS = _sides('shoulder elbow wrist', first='right')
_OPENPOSE_LEGS = _sides('hip knee ankle', first='right')
_OPENPOSE_FACE = ('right_eye', 'left_eye', 'right_ear', 'left_ear')
_OPENPOSE18 = ('nose', 'neck', *_OPENPOSE_ARMS, *_OPENPOSE_LEGS, *_OPENPOSE_FACE)
_OPENPOSE18_TREE = _tree('neck nose *_eye *_ear', 'neck *_shoulder', 'neck *_hip', _ARM, _LEG)

LAYOUTS: dict[str, Layout] = {
    'coco17': Layout(
        _COCO,
        _COCO_TREE,
        source='most 2D estimators',
        checked="MMPose's dataset description (names, pairs)",
        mmpose=('coco', 'ochuman', 'humanart', 'human-art'),
    ),
    'halpe26': Layout(
        _HALPE26,
        _HALPE26_TREE,
        source='RTMPose body with feet',
        checked="MMPose's dataset description",
        mmpose=('halpe26', 'body26'),
    ),
    'coco_wholebody133': Layout(
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
        source='RTMW, DWPose, RTMPose whole body',
        checked="MMPose's dataset description",
        mmpose=('coco_wholebody',),
    ),
    'halpe44': Layout(
        (
            *_HALPE26,
            *('nose_bridge', 'nose_base', 'right_eye_outer', 'left_eye_outer', 'upper_lip', 'lower_lip'),
            *_sides(f'hand_root {TIPS}'),
        ),
        {
            **_HALPE26_TREE,
            **_tree('nose nose_bridge *_eye *_eye_outer *_ear', 'nose nose_base upper_lip lower_lip'),
            **_tree('*_wrist *_hand_root', *(f'*_hand_root *_{tip}' for tip in TIPS.split())),
        },
        source='MA-52 files of MMN',
        checked='parts and bones of its reader',
        detail='Halpe-26, six face points, root and tips of each hand',
    ),
    'blazepose33': Layout(
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
        source='MediaPipe',
        checked='`mediapipe.solutions.pose.PoseLandmark`',
    ),
    'openpose18': Layout(
        _OPENPOSE18,
        _OPENPOSE18_TREE,
        source='OpenPose COCO',
        checked='`openpose28`, whose first 18 points it is',
        detail='Kinetics-Skeleton, many older sets',
        mmpose=('coco_openpose',),
    ),
    'openpose28': Layout(
        (*_OPENPOSE18, *_sides(TIPS)),
        _OPENPOSE18_TREE | _tree(*(f'*_wrist *_{tip}' for tip in TIPS.split())),
        source='MA-52 files of PCAN',
        checked='bones and side lists of its configuration',
        detail='OpenPose-18 and five finger tips a hand',
    ),
    'openpose25': Layout(
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
        source='OpenPose BODY_25',
        checked='coordinates of 272 real clips',
    ),
    'ntu25': Layout(
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
        source='NTU RGB+D, Kinect v2',
        checked="the data set's joint list",
    ),
    'kinect20': Layout(
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
        source='Kinect v1',
        checked='coordinates of 1,219 real clips',
        detail='NW-UCLA, UTKinect',
    ),
    'openni15': Layout(
        ('head', 'neck', 'spine_mid', *_sides('shoulder elbow hand'), *_sides('hip knee foot')),
        _tree('spine_mid neck head', 'neck *_shoulder *_elbow *_hand', 'spine_mid *_hip *_knee *_foot'),
        source='OpenNI: SBU, Florence 3D',
        checked='bones in which the latter is drawn, a published reader of the former',
    ),
    'jhmdb15': Layout(
        (
            *('neck', 'belly', 'face'),
            *('right_shoulder', 'left_shoulder', 'right_hip', 'left_hip'),
            *('right_elbow', 'left_elbow', 'right_knee', 'left_knee'),
            *('right_wrist', 'left_wrist', 'right_ankle', 'left_ankle'),
        ),
        _tree('belly neck face', 'neck *_shoulder', 'belly *_hip', _ARM, _LEG),
        source='JHMDB',
        checked="MMPose's dataset description, coordinates of 433 real clips",
        mmpose=('jhmdb',),
    ),
    'penn13': Layout(
        ('head', *_both('shoulder elbow wrist hip knee ankle')),
        _tree('head *_shoulder *_hip', _ARM, _LEG),
        source='Penn Action',
        checked="the data set's README",
    ),
    'mpii16': Layout(
        (
            *('right_ankle', 'right_knee', 'right_hip', 'left_hip', 'left_knee', 'left_ankle'),
            *('hip_center', 'thorax', 'upper_neck', 'head_top'),
            *('right_wrist', 'right_elbow', 'right_shoulder', 'left_shoulder', 'left_elbow', 'left_wrist'),
        ),
        _tree('hip_center thorax upper_neck head_top', 'thorax *_shoulder', 'hip_center *_hip', _ARM, _LEG),
        source='MPII Human Pose',
        checked="MMPose's dataset description",
        mmpose=('mpii',),
    ),
    'h36m17': Layout(
        (
            *('hip_center', *_sides('hip knee ankle', first='right')),
            *('spine_mid', 'thorax', 'face', 'head_top', *_sides('shoulder elbow wrist')),
        ),
        _tree('hip_center spine_mid thorax face head_top', 'thorax *_shoulder', 'hip_center *_hip', _ARM, _LEG),
        source='Human3.6M',
        checked="MMPose's dataset description",
        detail='3D lifters (VideoPose3D, MotionBERT)',
        mmpose=('h36m',),
        guessed=False,
    ),
    'smpl24': Layout(
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
        source='SMPL body models',
        checked="the model's joint list",
    ),
    # what tracks of any backend are brought to where one model reads them all, with what they lack left out:
    # BlazePose without the corners of the eyes, so that it has all of them but the face's fine points
    'common29': Layout(
        (*('nose', *_both('eye ear mouth shoulder elbow wrist pinky index thumb hip knee ankle heel foot_index')),),
        _tree(
            'nose *_eye *_ear',
            'nose *_mouth',
            'nose *_shoulder *_hip',
            _ARM,
            '*_wrist *_pinky',
            '*_wrist *_index',
            '*_wrist *_thumb',
            _LEG,
            '*_ankle *_heel *_foot_index',
        ),
        source='no estimator: tracks of any, brought to common points',
        checked='`blazepose33`, of which it is a part',
        guessed=False,
    ),
}
