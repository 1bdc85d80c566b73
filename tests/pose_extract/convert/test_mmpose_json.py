from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pose_files import COCO, mmpose_demo, mmpose_instance, mmpose_video, poses

from pose_extract.convert.clips import ReadOptions
from pose_extract.convert.declared import keypoint_name
from pose_extract.convert.mmpose_json import read_mmpose

SIZED = ReadOptions(image_size=(480, 640))


def test_a_folder_of_pictures_is_one_clip(tmp_path: Path) -> None:
    """MMPoseInferencer(...)('frames/', pred_out_dir=...) writes <image>.json, a list of instances, for each."""
    truth = poses(1, 5, 17)
    for t in (0, 1, 2, 4):
        (tmp_path / f'{t + 1:06d}.json').write_text(json.dumps([mmpose_instance(truth[0, t])]))
    (tmp_path / 'other').mkdir()
    (tmp_path / 'other' / 'photo.json').write_text(json.dumps([mmpose_instance(truth[0, 0])]))
    done = read_mmpose(tmp_path, SIZED)
    assert done.failures == []
    assert [(clip.name, clip.tracks.num_frames) for clip in done.clips] == [('clip', 5), ('other/photo', 1)]
    assert done.clips[0].tracks.person_visible[0].tolist() == [True, True, True, False, True]
    np.testing.assert_allclose(done.clips[0].tracks.keypoints[0, 4], truth[0, 4, :, :2], rtol=1e-6)
    assert any('4 files of one picture each are read as one clip' in note for note in done.notes)


def test_identities_of_a_tracker_are_kept(tmp_path: Path) -> None:
    truth = poses(2, 4, 17)
    content = mmpose_video(truth)
    for t, frame in enumerate(content):
        for m, instance in enumerate(frame['instances']):
            instance['track_id'] = m if t < 2 else 1 - m
    (tmp_path / 'v.json').write_text(json.dumps(content))
    tracks = read_mmpose(tmp_path / 'v.json', SIZED).clips[0].tracks
    assert tracks.provenance['identities'] == 'of the file'
    mixed = np.concatenate([truth[:, :2], truth[::-1, 2:]], 1)
    order = np.argsort(tracks.keypoints[:, 0, 0, 0])
    np.testing.assert_allclose(tracks.keypoints[order], mixed[..., :2], rtol=1e-6)


# configs/_base_/datasets/h36m.py of MMPose
H36M = [
    'root',
    'right_hip',
    'right_knee',
    'right_foot',
    'left_hip',
    'left_knee',
    'left_foot',
    'spine',
    'thorax',
    'neck_base',
    'head',
    'left_shoulder',
    'left_elbow',
    'left_wrist',
    'right_shoulder',
    'right_elbow',
    'right_wrist',
]


@pytest.mark.parametrize(
    ('dataset', 'names', 'layout'),
    [('coco', COCO, 'coco17'), ('h36m', H36M, 'h36m17'), ('h36m', [], 'h36m17'), ('own', COCO, 'coco17')],
)
def test_the_declared_layout_is_believed(tmp_path: Path, dataset: str, names: list[str], layout: str) -> None:
    content = mmpose_demo(poses(1, 2, 17))
    content['meta_info'] = {'dataset_name': dataset, 'keypoint_id2name': {str(i): n for i, n in enumerate(names)}}
    (tmp_path / 'v.json').write_text(json.dumps(content))
    assert read_mmpose(tmp_path, SIZED).clips[0].tracks.skeleton == layout
    asked = read_mmpose(tmp_path, ReadOptions('h36m17' if layout == 'coco17' else 'coco17', (480, 640)))
    assert any(f'declares {layout}' in note for note in asked.notes)


@pytest.mark.parametrize(('dataset', 'names'), [('posetrack18', []), ('ap10k', [f'x{i}' for i in range(17)])])
def test_an_unknown_layout_is_not_guessed_by_its_number(tmp_path: Path, dataset: str, names: list[str]) -> None:
    content = mmpose_demo(poses(1, 2, 17))
    content['meta_info'] = {'dataset_name': dataset, 'keypoint_id2name': {str(i): n for i, n in enumerate(names)}}
    (tmp_path / 'v.json').write_text(json.dumps(content))
    done = read_mmpose(tmp_path, SIZED)
    assert done.clips == []
    assert dataset in done.failures[0]
    assert '--skeleton' in done.failures[0]


@pytest.mark.parametrize(
    ('text', 'name'),
    [
        ('LShoulder', 'left_shoulder'),
        ('shoulder_left', 'left_shoulder'),
        ('Left Shoulder', 'left_shoulder'),
        ('right-big-toe', 'right_big_toe'),
        ('RBigToe', 'right_big_toe'),
        ('l_eye', 'left_eye'),
        ('Nose', 'nose'),
        ('pelvis', 'hip_center'),
        ('MidHip', 'hip_center'),
        ('upper_neck', 'upper_neck'),
    ],
)
def test_names_of_points(text: str, name: str) -> None:
    assert keypoint_name(text) == name
