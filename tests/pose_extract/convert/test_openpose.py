from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pose_files import openpose_people, poses, write_openpose

from bmoe_ground.errors import UserError
from pose_extract.convert import ConvertSettings, convert_poses
from pose_extract.convert.clips import ReadOptions
from pose_extract.convert.openpose import read_openpose
from pose_extract.skeletons import get_skeleton

SIZED = ReadOptions(image_size=(480, 640))

# doc/02_output.md: "{"version":1.1, "people":[ {"pose_keypoints_2d":[582.349,507.866,0.845918,746.975,631.307,0.587007,
# ...], "face_keypoints_2d":[468.725,715.636,0.189116,...], ...}]}"; in BODY_25: {0, "Nose"}, {1, "Neck"}, {2,
# "RShoulder"}, {3, "RElbow"}, {4, "RWrist"}, {5, "LShoulder"}, {6, "LElbow"}, {7, "LWrist"}, {8, "MidHip"}, {9,
# "RHip"}, {10, "RKnee"}, {11, "RAnkle"}, {12, "LHip"}, {13, "LKnee"}, {14, "LAnkle"}, {15, "REye"}, {16, "LEye"}, {17,
# "REar"}, {18, "LEar"}, {19, "LBigToe"}, {20, "LSmallToe"}, {21, "LHeel"}, {22, "RBigToe"}, {23, "RSmallToe"}, {24,
# "RHeel"}
BODY_25 = [
    'nose',
    'neck',
    'right_shoulder',
    'right_elbow',
    'right_wrist',
    'left_shoulder',
    'left_elbow',
    'left_wrist',
    'hip_center',
    'right_hip',
    'right_knee',
    'right_ankle',
    'left_hip',
    'left_knee',
    'left_ankle',
    'right_eye',
    'left_eye',
    'right_ear',
    'left_ear',
    'left_big_toe',
    'left_small_toe',
    'left_heel',
    'right_big_toe',
    'right_small_toe',
    'right_heel',
]


def test_body_25_by_the_documentation_s_own_order(tmp_path: Path) -> None:
    """The n-th point lies at (10 n, 10 n + 1): whatever order the reader takes shows in the names."""
    flat = [value for n in range(25) for value in (10.0 * n + 1, 10.0 * n + 2, 0.5 + n / 100)]
    flat[3 * 7 : 3 * 8] = [0, 0, 0]  # the left wrist was not found
    content = {'version': 1.1, 'people': [{'pose_keypoints_2d': flat}]}
    (tmp_path / 'v_000000000000_keypoints.json').write_text(json.dumps(content))
    tracks = read_openpose(tmp_path, SIZED).clips[0].tracks
    named = dict(zip(get_skeleton(tracks.skeleton).keypoints, tracks.keypoints[0, 0], strict=True))
    for n, name in enumerate(BODY_25):
        if name != 'left_wrist':
            np.testing.assert_allclose(named[name], [10 * n + 1, 10 * n + 2])
    assert np.isnan(named['left_wrist']).all()
    assert tracks.scores[0, 0, 4] == pytest.approx(0.54)


@pytest.mark.parametrize(('keypoints', 'layout'), [(25, 'openpose25'), (18, 'openpose18')])
def test_a_folder_a_video(tmp_path: Path, keypoints: int, layout: str) -> None:
    truth = write_openpose(tmp_path / 'out' / 'wave' / 'clipA', keypoints, 'clipA')
    write_openpose(tmp_path / 'out' / 'nod' / 'clipB', keypoints, 'clipB')
    done = convert_poses(tmp_path / 'out', tmp_path / 'poses', ConvertSettings(read=SIZED))
    assert done.failures == []
    assert [(clip.name, clip.label) for clip in done.clips] == [('nod/clipB', 0), ('wave/clipA', 1)]
    tracks = done.clips[1].tracks
    assert tracks.skeleton == layout
    order = np.argsort(tracks.keypoints[:, 0, 0, 0])
    np.testing.assert_allclose(tracks.keypoints[order], truth[..., :2], rtol=1e-6)
    np.testing.assert_allclose(tracks.scores[order], truth[..., 2], rtol=1e-6)


def test_several_videos_in_one_folder_gaps_and_numbers_from_a_later_frame(tmp_path: Path) -> None:
    write_openpose(tmp_path, name='a')
    write_openpose(tmp_path, name='b')
    for t in (2, 3):
        (tmp_path / f'b_{t:012d}_keypoints.json').unlink()
    (tmp_path / '._a_000000000000_keypoints.json').write_text('hidden')
    read = read_openpose(tmp_path, SIZED)
    assert read.failures == []
    assert [(clip.name, clip.tracks.num_frames) for clip in read.clips] == [('a', 6), ('b', 6)]
    assert read.clips[1].tracks.person_visible.any(0).tolist() == [True, True, False, False, True, True]
    assert any('2 of 6 frame numbers are missing' in note for note in read.notes)
    for t in (0, 1):
        (tmp_path / f'b_{t:012d}_keypoints.json').unlink()
    assert read_openpose(tmp_path, SIZED).clips[1].tracks.person_visible.any(0).tolist() == [False] * 4 + [True] * 2


def test_pictures_are_counted_from_the_first(tmp_path: Path) -> None:
    truth = poses(1, 3, 25)
    for t in range(3):
        (tmp_path / f'img_{1200 + t}_keypoints.json').write_text(json.dumps(openpose_people(truth[:, t])))
    assert read_openpose(tmp_path, SIZED).clips[0].tracks.num_frames == 3


def test_identities_that_openpose_gives_are_kept(tmp_path: Path) -> None:
    """Two people who change places from frame to frame: only the identities can tell."""
    truth = poses(2, 6, 25)
    for t in range(6):
        frame = truth[:, t].copy()
        if t % 2:
            frame = frame[::-1]
        content = openpose_people(frame, 5)
        if t % 2:
            content['people'] = [{**p, 'person_id': [6 - i]} for i, p in enumerate(content['people'])]
        (tmp_path / f'v_{t:012d}_keypoints.json').write_text(json.dumps(content))
    tracks = read_openpose(tmp_path, SIZED).clips[0].tracks
    assert tracks.provenance['identities'] == 'of the file'
    order = np.argsort(tracks.keypoints[:, 0, 0, 0])
    np.testing.assert_allclose(tracks.keypoints[order], truth[..., :2], rtol=1e-6)


def hands_and_face(folder: Path) -> dict[str, np.ndarray]:
    parts = {
        'pose_keypoints_2d': poses(1, 1, 25)[0, 0],
        'face_keypoints_2d': poses(1, 1, 70, 1)[0, 0],
        'hand_left_keypoints_2d': poses(1, 1, 21, 2)[0, 0],
        'hand_right_keypoints_2d': poses(1, 1, 21, 3)[0, 0],
    }
    people = [{key: values.reshape(-1).tolist() for key, values in parts.items()}]
    (folder / 'v_000000000000_keypoints.json').write_text(json.dumps({'people': people}))
    return parts


def test_face_and_hands_are_the_whole_body(tmp_path: Path) -> None:
    parts = hands_and_face(tmp_path)
    read = read_openpose(tmp_path, SIZED)
    tracks = read.clips[0].tracks
    assert tracks.skeleton == 'coco_wholebody133'
    points = tracks.keypoints[0, 0]
    np.testing.assert_allclose(points[23:91], parts['face_keypoints_2d'][:68, :2], rtol=1e-6)
    np.testing.assert_allclose(points[91:112], parts['hand_left_keypoints_2d'][:, :2], rtol=1e-6)
    np.testing.assert_allclose(points[112:], parts['hand_right_keypoints_2d'][:, :2], rtol=1e-6)
    np.testing.assert_allclose(points[9], parts['pose_keypoints_2d'][7, :2], rtol=1e-6)  # the left wrist
    assert any('face and hands' in note for note in read.notes)
    body = read_openpose(tmp_path, ReadOptions('openpose25', (480, 640))).clips[0].tracks
    np.testing.assert_allclose(body.keypoints[0, 0], parts['pose_keypoints_2d'][:, :2], rtol=1e-6)
    tips = read_openpose(tmp_path, ReadOptions('openpose28', (480, 640))).clips[0].tracks
    np.testing.assert_allclose(tips.keypoints[0, 0, 19], parts['hand_left_keypoints_2d'][8, :2], rtol=1e-6)  # index


def test_what_is_refused_or_asked(tmp_path: Path) -> None:
    truth = write_openpose(tmp_path / 'good')
    with pytest.raises(UserError, match='--image-size HEIGHT WIDTH'):
        read_openpose(tmp_path / 'good', ReadOptions())
    small = truth.copy()
    small[..., :2] /= 1000
    cases = {
        'shares': (openpose_people(small[:, 0]), 'keypoint_scale 0'),
        'mpi': (openpose_people(poses(1, 1, 15)[:, 0]), '15 points of the body'),
        'uneven': ({'people': [{'pose_keypoints_2d': [1.0] * 74}]}, 'x, y, score'),
        'face': ({'people': [{'pose_keypoints_2d': [1.0] * 75, 'face_keypoints_2d': [1.0] * 3}]}, '70 points'),
        'text': ({'people': [{'pose_keypoints_2d': ['1'] * 75}]}, 'numbers only'),
        'none': ({'people': None}, 'list of persons'),
    }
    for name, (content, message) in cases.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / 'v_000000000000_keypoints.json').write_text(json.dumps(content))
        failures = read_openpose(tmp_path / name, SIZED).failures
        assert len(failures) == 1
        assert message in failures[0]


def test_an_image_size_that_cannot_be_is_said(tmp_path: Path) -> None:
    write_openpose(tmp_path)
    assert any('is --image-size' in note for note in read_openpose(tmp_path, ReadOptions(image_size=(90, 90))).notes)


def test_a_damaged_frame_is_empty_and_named(tmp_path: Path) -> None:
    write_openpose(tmp_path)
    for t in (3, 5):
        (tmp_path / f'wave_{t:012d}_keypoints.json').write_text('{"people": [')
    read = read_openpose(tmp_path, SIZED)
    assert read.clips[0].tracks.person_visible.any(0).tolist() == [True] * 3 + [False, True, False]
    assert len(read.failures) == 2
    assert 'wave_000000000003_keypoints.json: not JSON' in read.failures[0]
