from __future__ import annotations

import pickle
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bmoe_ground.errors import UserError
from pose_extract.skeletons import REGIONS, Skeleton, get_skeleton, skeleton_names


@pytest.fixture(params=skeleton_names())
def skeleton(request: pytest.FixtureRequest) -> Skeleton:
    return get_skeleton(request.param)


def test_names_and_counts() -> None:
    """A layout's name ends with the number of its points."""
    counts = {name: int(re.search(r'\d+$', name)[0]) for name in skeleton_names()}
    assert len(counts) >= 16
    assert {name: get_skeleton(name).num_keypoints for name in skeleton_names()} == counts


def test_unknown_name_lists_the_options() -> None:
    with pytest.raises(UserError, match=r"'coco18'.*coco17.*jhmdb15"):
        get_skeleton('coco18')


def test_bones_form_one_tree(skeleton: Skeleton) -> None:
    for k in range(skeleton.num_keypoints):
        steps = 0
        while k != skeleton.root:
            k = int(skeleton.parents[k])
            steps += 1
            assert steps < skeleton.num_keypoints
    assert skeleton.parents[skeleton.root] == skeleton.root
    assert len(skeleton.edges) == skeleton.num_keypoints - 1


def test_regions_hold_every_keypoint_once(skeleton: Skeleton) -> None:
    assert tuple(skeleton.regions) == REGIONS == ('head', 'body', 'upper', 'lower')
    assert sorted(k for group in skeleton.regions.values() for k in group) == list(range(skeleton.num_keypoints))
    assert all(skeleton.regions.values())
    for k, region in enumerate(skeleton.region_of):
        assert k in skeleton.regions[REGIONS[region]]


@pytest.mark.parametrize(
    ('words', 'region'),
    [
        (('nose', 'eye', 'ear', 'face', 'mouth', 'lip', 'head'), 'head'),
        (('neck', 'shoulder', 'hip', 'spine', 'belly'), 'body'),
        (('elbow', 'wrist', 'hand', 'thumb', 'finger', 'pinky', 'index_tip'), 'upper'),
        (('knee', 'ankle', 'heel', 'toe', 'foot'), 'lower'),
    ],
)
def test_parts_are_in_their_region(skeleton: Skeleton, words: tuple[str, ...], region: str) -> None:
    for k, name in enumerate(skeleton.keypoints):
        if any(word in name for word in words) and name not in ('left_foot_index', 'right_foot_index'):
            assert k in skeleton.regions[region], name


def test_flipping_twice_changes_nothing(skeleton: Skeleton) -> None:
    flip = skeleton.flip_indices
    np.testing.assert_array_equal(flip[flip], np.arange(skeleton.num_keypoints))
    # a mirror image has the same bones and the same regions
    bones = {frozenset(edge) for edge in skeleton.edges}
    mirrored = {frozenset(int(flip[k]) for k in edge) for edge in skeleton.edges}
    if skeleton.name != 'coco_wholebody133':  # its jaw and lips hang from one side
        assert mirrored == bones
    np.testing.assert_array_equal(skeleton.region_of[flip], skeleton.region_of)


def test_pairs_are_left_then_right(skeleton: Skeleton) -> None:
    for left, right in (*skeleton.pairs, skeleton.shoulders, skeleton.hips):
        if not skeleton.keypoints[left].startswith('face_'):
            assert skeleton.keypoints[left].startswith('left_')
            assert skeleton.keypoints[right] == skeleton.keypoints[left].replace('left_', 'right_')
    sided = [k for k, name in enumerate(skeleton.keypoints) if name.startswith(('left_', 'right_'))]
    assert set(sided) <= {k for pair in skeleton.pairs for k in pair}


def test_index_by_name(skeleton: Skeleton) -> None:
    assert skeleton.index(skeleton.keypoints[3]) == 3
    with pytest.raises(ValueError, match='tail'):
        skeleton.index('tail')


def test_skeletons_travel_between_processes_and_hash(skeleton: Skeleton) -> None:
    assert pickle.loads(pickle.dumps(skeleton)) == skeleton
    assert len({skeleton, skeleton}) == 1


@pytest.mark.parametrize(
    'changes',
    [
        {'edges': ((0, 1),)},
        {'edges': ((1, 2), (2, 1))},
        {'edges': ((0, 1), (0, 9))},
        {'regions': {'head': (0,), 'body': (1,), 'upper': (2,), 'lower': ()}},
        {'regions': {'head': (0,), 'body': (1,), 'upper': (2,), 'lower': (2,)}},
        {'pairs': ((0, 1), (1, 2))},
        {'keypoints': ('a', 'a', 'c')},
    ],
)
def test_contradictions_are_refused(changes: dict[str, object]) -> None:
    good = Skeleton(
        'small',
        ('a', 'b', 'c', 'd'),
        ((0, 1), (0, 2), (2, 3)),
        ((1, 2),),
        (0,),
        (1, 2),
        (1, 2),
        {'head': (0,), 'body': (1,), 'upper': (2,), 'lower': (3,)},
    )
    with pytest.raises(ValueError, match='small'):
        replace(good, **changes)  # type: ignore[arg-type]


# name here -> name in MMPose's dataset description
MMPOSE_NAMES: dict[str, dict[str, str]] = {
    'halpe26': {'head_top': 'head', 'hip_center': 'hip'},
    'jhmdb15': {'face': 'head'},
    'mpii16': {'hip_center': 'pelvis'},
    # its "feet" end the shins, and its base of the neck is the face of VideoPose3D and others
    'h36m17': {
        'hip_center': 'root',
        'spine_mid': 'spine',
        'face': 'neck_base',
        'head_top': 'head',
        'left_ankle': 'left_foot',
        'right_ankle': 'right_foot',
    },
}


@pytest.mark.mmpose
@pytest.mark.parametrize(
    ('name', 'file'),
    [
        *(('coco17', 'coco'), ('halpe26', 'halpe26'), ('coco_wholebody133', 'coco_wholebody'), ('jhmdb15', 'jhmdb')),
        *(('mpii16', 'mpii'), ('h36m17', 'h36m')),
    ],
)
def test_orders_and_pairs_agree_with_mmpose(name: str, file: str) -> None:
    import importlib.util

    spec = importlib.util.find_spec('mmpose')
    if spec is None or spec.origin is None:
        pytest.skip('mmpose is not installed')
    path = Path(spec.origin).parent / '.mim' / 'configs' / '_base_' / 'datasets' / f'{file}.py'
    described: dict = {}
    exec(path.read_text(), described)
    points = [described['dataset_info']['keypoint_info'][i] for i in range(get_skeleton(name).num_keypoints)]
    skeleton = get_skeleton(name)
    renamed = MMPOSE_NAMES.get(name, {})
    ours = [renamed.get(k, k).replace('face_', 'face-') for k in skeleton.keypoints]
    assert ours == [point['name'] for point in points]
    swaps = [ours.index(point['swap']) if point['swap'] else i for i, point in enumerate(points)]
    assert skeleton.flip_indices.tolist() == swaps


def test_blazepose_order_agrees_with_mediapipe() -> None:
    mediapipe = pytest.importorskip('mediapipe')
    theirs = [point.name.lower() for point in mediapipe.solutions.pose.PoseLandmark]
    theirs = [f'{name[6:]}_mouth' if name.startswith('mouth_') else name for name in theirs]
    assert list(get_skeleton('blazepose33').keypoints) == theirs


def test_openpose28_agrees_with_the_published_bones() -> None:
    """The bone list of PCAN's rgbpose_conv3d.py, and its side lists, which hold a mirrored naming."""
    skeleton = get_skeleton('openpose28')
    tips = {(wrist, tip) for wrist, first in ((7, 18), (4, 23)) for tip in range(first, first + 5)}
    assert tips <= set(skeleton.edges)
    one, other = [2, 3, 4, 8, 9, 10, 14, 16], [5, 6, 7, 11, 12, 13, 15, 17]
    assert skeleton.flip_indices[one].tolist() == other


def test_openpose18_is_the_start_of_openpose28() -> None:
    small, large = get_skeleton('openpose18'), get_skeleton('openpose28')
    assert small.keypoints == large.keypoints[:18]
    assert small.edges == tuple(edge for edge in large.edges if max(edge) < 18)


def test_h36m17_bones_agree_with_videopose3d() -> None:
    """The parents of its Human3.6M skeleton, 17 joints."""
    parents = [0, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15]
    assert get_skeleton('h36m17').parents.tolist() == parents


def test_smpl24_bones_agree_with_the_model() -> None:
    """The kinematic tree that SMPL's files hold (kintree_table)."""
    parents = [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21]
    assert get_skeleton('smpl24').parents.tolist() == parents


def test_openni15_bones_agree_with_florence3d() -> None:
    """The bones, counted from 1, in which the Lie group authors' code draws Florence 3D."""
    starts = [1, 2, 2, 2, 4, 5, 7, 8, 3, 3, 10, 11, 13, 14]
    ends = [2, 3, 4, 7, 5, 6, 8, 9, 10, 13, 11, 12, 14, 15]
    bones = {frozenset((a - 1, b - 1)) for a, b in zip(starts, ends, strict=True)}
    assert {frozenset(edge) for edge in get_skeleton('openni15').edges} == bones


def test_penn13_agrees_with_its_readme() -> None:
    listed = """head left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist left_hip right_hip
        left_knee right_knee left_ankle right_ankle"""
    assert list(get_skeleton('penn13').keypoints) == listed.split()


def test_halpe44_agrees_with_the_published_parts() -> None:
    """The parts of MMN's feeder_ma52.py (hands with the elbow, feet with the knee)."""
    skeleton = get_skeleton('halpe44')
    hands = [7, 9, 32, 33, 34, 35, 36, 37, 8, 10, 38, 39, 40, 41, 42, 43]
    feet = [13, 15, 24, 22, 20, 14, 16, 25, 23, 21]
    assert skeleton.regions['upper'] == tuple(sorted(hands))
    assert skeleton.regions['lower'] == tuple(sorted(feet))
    # the torso list there counts the top of the head
    assert skeleton.regions['head'] == tuple(sorted([31, 30, 27, 0, 26, 1, 29, 3, 2, 28, 4, 17]))


def clips(path: Path) -> np.ndarray:
    with path.open('rb') as file:
        annotations = pickle.load(file)['annotations']  # the project's own data folder
    frames = np.concatenate([clip['keypoint'][0] for clip in annotations]).astype(np.float64)
    frames[(frames == 0).all(-1)] = np.nan
    return frames


@pytest.mark.parametrize(
    ('file', 'name', 'up'),
    [
        ('nwucla.pkl', 'kinect20', 1),
        ('utkinect.pkl', 'kinect20', 1),
        ('openpose25_social.pkl', 'openpose25', -1),
        ('jhmdb14.pkl', 'jhmdb15', -1),
    ],
)
def test_orders_agree_with_real_coordinates(shared_data: Path, file: str, name: str, up: int) -> None:
    """Bodies are built as the names say: heights in order, and children beside their parents."""
    frames = clips(shared_data / 'skeletons' / file)
    skeleton = get_skeleton(name)
    height = up * np.nanmedian(frames[..., 1] - np.nanmean(frames[..., 1], 1, keepdims=True), 0)

    def at(part: str) -> float:
        return float(np.mean([height[k] for k, keypoint in enumerate(skeleton.keypoints) if keypoint.endswith(part)]))

    top = next(part for part in ('head', 'face', 'nose') if part in skeleton.keypoints)
    order = [at(top), at('_shoulder'), at('_hip'), at('_knee'), at('_ankle')]
    assert order == sorted(order, reverse=True)
    assert at('_shoulder') > at('_elbow') > at('_knee')
    # a limb's bone is shorter than the distances from its child to most other keypoints
    distance = np.nanmedian(np.linalg.norm(frames[:, :, None] - frames[:, None], axis=-1), 0)
    for parent, child in skeleton.edges:
        if REGIONS[skeleton.region_of[child]] not in ('upper', 'lower'):
            continue
        others = np.delete(distance[child], child)
        assert distance[child, parent] <= np.quantile(others, 0.45), (name, skeleton.keypoints[child])


@pytest.mark.parametrize('file', ['nwucla.pkl', 'utkinect.pkl'])
def test_kinect_left_is_the_persons_left(shared_data: Path, file: str) -> None:
    """In the sensor's right-handed space, up x forward points to a person's left; feet point forward."""
    frames = clips(shared_data / 'skeletons' / file)
    skeleton = get_skeleton('kinect20')
    at = {keypoint: frames[:, k] for k, keypoint in enumerate(skeleton.keypoints)}
    forward = at['left_foot'] - at['left_ankle'] + at['right_foot'] - at['right_ankle']
    left = np.cross(at['shoulder_center'] - at['hip_center'], forward)
    agree = np.einsum('ni,ni->n', left, at['left_shoulder'] - at['right_shoulder']) > 0
    assert agree.mean() > 0.9


def test_openpose_left_is_the_persons_left(shared_data: Path) -> None:
    """Whoever shows nose, both eyes and both ears faces the camera, and their left is on the image's right."""
    frames = clips(shared_data / 'skeletons' / 'openpose25_social.pkl')
    skeleton = get_skeleton('openpose25')
    face = [skeleton.index(name) for name in ('nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear')]
    facing = frames[~np.isnan(frames[:, face]).any((1, 2))]
    for part in ('shoulder', 'hip', 'big_toe', 'eye'):
        left, right = (facing[:, skeleton.index(f'{side}_{part}'), 0] for side in ('left', 'right'))
        assert np.nanmean(left > right) > 0.85, part
