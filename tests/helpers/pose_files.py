"""Small pose files as other programs write them, with the numbers they were made from."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pose_extract.skeletons import get_skeleton

COCO = list(get_skeleton('coco17').keypoints)
FRAMES = 6


def poses(persons: int, frames: int, keypoints: int, seed: int = 0) -> np.ndarray:
    """(M, T, K, 3) pixels and scores of people who stand apart and sway a little."""
    rng = np.random.default_rng(seed)
    base = rng.uniform(20, 120, (1, 1, keypoints, 2)) + 200.0 * np.arange(persons)[:, None, None, None]
    points = base + rng.normal(0, 1, (persons, frames, keypoints, 2))
    scores = rng.uniform(0.3, 0.99, (persons, frames, keypoints, 1))
    return np.round(np.concatenate([points, scores], -1), 3)


def openpose_people(frame: np.ndarray, identity: int = -1) -> dict[str, Any]:
    """What OpenPose writes for (M, K, 3) persons of one frame."""
    people = [
        {
            'person_id': [identity + m if identity >= 0 else -1],
            'pose_keypoints_2d': person.reshape(-1).tolist(),
            'face_keypoints_2d': [],
            'hand_left_keypoints_2d': [],
            'hand_right_keypoints_2d': [],
            'pose_keypoints_3d': [],
        }
        for m, person in enumerate(frame)
    ]
    return {'version': 1.3, 'people': people}


def write_openpose(folder: Path, keypoints: int = 25, name: str = 'wave') -> np.ndarray:
    """Write a folder of OpenPose's files and return (M, T, K, 3)."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = poses(2, FRAMES, keypoints)
    for t in range(FRAMES):
        text = json.dumps(openpose_people(truth[:, t]))
        (folder / f'{name}_{t:012d}_keypoints.json').write_text(text)
    return truth


def alphapose(truth: np.ndarray) -> list[dict[str, Any]]:
    """AlphaPose's list for (M, T, K, 3), with identities."""
    entries = []
    for t in range(truth.shape[1]):
        for m, person in enumerate(truth[:, t]):
            low, high = person[:, :2].min(0), person[:, :2].max(0)
            entries.append(
                {
                    'image_id': f'{t}.jpg',
                    'category_id': 1,
                    'keypoints': person.reshape(-1).tolist(),
                    'score': 2.9,
                    'box': [*low.tolist(), *(high - low).tolist()],
                    'idx': [float(m + 1)],
                }
            )
    return entries


def coco(truth: np.ndarray) -> dict[str, Any]:
    """A COCO annotation file of a video's frames for (M, T, 17, 3)."""
    images = [
        {'id': 100 + t, 'file_name': f'nod/{t + 1:06d}.jpg', 'width': 640, 'height': 480} for t in range(truth.shape[1])
    ]
    annotations = []
    for t in range(truth.shape[1]):
        for m, person in enumerate(truth[:, t]):
            flagged = np.concatenate([person[:, :2], np.full((len(person), 1), 2)], -1)
            values = [int(v) if i % 3 == 2 else v for i, v in enumerate(flagged.reshape(-1).tolist())]
            annotations.append(
                {'id': len(annotations), 'image_id': 100 + t, 'category_id': 1, 'keypoints': values, 'track_id': m,
                 'num_keypoints': 17, 'bbox': [1, 2, 3, 4], 'iscrowd': 0, 'area': 12.0}
            )  # fmt: skip
    return {
        'images': images,
        'annotations': annotations,
        'categories': [{'id': 1, 'name': 'person', 'keypoints': COCO, 'skeleton': []}],
    }


def kinetics(truth: np.ndarray) -> dict[str, Any]:
    """ST-GCN's Kinetics-skeleton for (M, T, 18, 3) in pixels of 340 x 256."""
    data = []
    for t in range(truth.shape[1]):
        people = [
            {'pose': (p[:, :2] / [340, 256]).round(6).reshape(-1).tolist(), 'score': p[:, 2].tolist()}
            for p in truth[:, t]
        ]
        data.append({'frame_index': t + 1, 'skeleton': people})
    return {'data': data, 'label': 'juggling fire', 'label_index': 133}


def mmpose_video(truth: np.ndarray) -> list[dict[str, Any]]:
    """MMPoseInferencer's list for a video."""
    return [
        {'frame_id': t, 'instances': [mmpose_instance(person) for person in truth[:, t]]} for t in range(truth.shape[1])
    ]


def mmpose_instance(person: np.ndarray) -> dict[str, Any]:
    """One instance of (K, 3)."""
    low, high = person[:, :2].min(0), person[:, :2].max(0)
    return {
        'keypoints': person[:, :2].tolist(),
        'keypoint_scores': person[:, 2].tolist(),
        'bbox': [[*low.tolist(), *high.tolist()]],
        'bbox_score': 0.9,
    }


def mmpose_demo(truth: np.ndarray) -> dict[str, Any]:
    """What topdown_demo_with_mmdet.py writes."""
    names = {str(i): name for i, name in enumerate(COCO)}
    meta = {'dataset_name': 'coco', 'num_keypoints': 17, 'keypoint_id2name': names}
    return {'meta_info': meta, 'instance_info': mmpose_video(truth)}


def deeplabcut_csv(truth: np.ndarray, individuals: bool = True) -> str:
    """DeepLabCut's table for (M, T, 17, 3)."""
    persons = range(len(truth))
    columns = [(f'ind{m}', name, c) for m in persons for name in COCO for c in ('x', 'y', 'likelihood')]
    lines = ['scorer,' + ','.join('DLC_resnet50' for _ in columns)]
    if individuals:
        lines.append('individuals,' + ','.join(c[0] for c in columns))
    lines.append('bodyparts,' + ','.join(c[1] for c in columns))
    lines.append('coords,' + ','.join(c[2] for c in columns))
    for t in range(truth.shape[1]):
        lines.append(f'{t},' + ','.join(str(v) for v in truth[:, t].reshape(-1).tolist()))
    return '\n'.join(lines) + '\n'


def skeleton_pickle(clips: int = 6, **changes: Any) -> dict[str, Any]:
    """A content of pyskl's layout; ``changes`` replace keys of every annotation."""
    annotations = []
    for i in range(clips):
        truth = poses(1, 8, 17, seed=i).astype(np.float32)
        annotations.append(
            {
                'frame_dir': f'clip{i}',
                'label': i % 3,
                'total_frames': 8,
                'img_shape': (480, 640),
                'original_shape': (480, 640),
                'keypoint': truth[..., :2],
                'keypoint_score': truth[..., 2],
                **changes,
            }
        )
    names = [a['frame_dir'] for a in annotations]
    return {'split': {'train': names[: clips // 2], 'test': names[clips // 2 :]}, 'annotations': annotations}


def write_pickle_file(path: Path, content: Any) -> Path:
    """Write a content as a pickle."""
    path.write_bytes(pickle.dumps(content, protocol=4))
    return path


def write_deeplabcut_h5(path: Path, truth: np.ndarray, **changes: Any) -> None:
    """The parts of pandas' format "table" that hold the numbers and the names."""
    h5py = pytest.importorskip('h5py')
    columns = [
        ('DLC', f'ind{m}', name, c) for m in range(len(truth)) for name in COCO for c in ('x', 'y', 'likelihood')
    ]
    values = truth.transpose(1, 0, 2, 3).reshape(truth.shape[1], -1)
    kind = np.dtype([('index', '<i8'), ('values_block_0', '<f8', (len(columns),))])
    table = np.zeros(len(values), kind)
    table['index'], table['values_block_0'] = np.arange(len(values)), values
    with h5py.File(path, 'w') as file:
        group = file.create_group('df_with_missing')
        group.attrs['non_index_axes'] = np.bytes_(changes.get('axes', pickle.dumps([(1, columns)], protocol=0)))
        if 'table' in changes:
            changes['table'](group)
        else:
            group.create_dataset('table', data=table)


def write_sleap_analysis(path: Path, truth: np.ndarray, transposed: bool = True) -> None:
    """As ``sleap.info.write_tracking_h5`` lays it out: by default tracks are (tracks, 2, nodes, frames)."""
    h5py = pytest.importorskip('h5py')
    tracks, scores = truth[..., :2].transpose(0, 3, 2, 1), truth[..., 2].transpose(0, 2, 1)
    if not transposed:
        tracks, scores = tracks.transpose(3, 2, 1, 0), scores.T
    with h5py.File(path, 'w') as file:
        file['node_names'] = np.array(COCO, 'S20')
        file['track_names'] = np.array(['a', 'b'], 'S5')
        file['tracks'], file['point_scores'] = tracks, scores


def write_sleap_project(path: Path, truth: np.ndarray, version: float = 1.2) -> None:
    """The tables of a project: everything predicted, and one instance of the last frame corrected by hand."""
    h5py = pytest.importorskip('h5py')
    persons, frames, nodes = truth.shape[:3]
    instance = np.dtype(
        [('instance_id', '<i8'), ('instance_type', 'u1'), ('frame_id', '<u8'), ('skeleton', '<u4'), ('track', '<i4'),
         ('from_predicted', '<i8'), ('score', '<f4'), ('point_id_start', '<u8'), ('point_id_end', '<u8')]
    )  # fmt: skip
    frame = np.dtype(
        [('frame_id', '<u8'), ('video', '<u4'), ('frame_idx', '<u8'), ('instance_id_start', '<u8'),
         ('instance_id_end', '<u8')]
    )  # fmt: skip
    point = [('x', '<f8'), ('y', '<f8'), ('visible', '?'), ('complete', '?')]
    rows, starts, predicted = [], [], np.zeros(persons * frames * nodes, [*point, ('score', '<f8')])
    for t in range(frames):
        first = len(rows)
        for m in range(persons):
            at = (t * persons + m) * nodes
            block = predicted[at : at + nodes]
            block['x'], block['y'], block['score'] = truth[m, t].T
            block['visible'] = True
            rows.append((len(rows), 1, t, 0, m, -1, 0.9, at, at + nodes))
        if t == frames - 1:
            rows.append((len(rows), 0, t, 0, 0, first, 0, 0, nodes))
        starts.append((t, 0, t, first, len(rows)))
    by_hand = np.zeros(nodes, point)
    by_hand['x'], by_hand['y'], by_hand['visible'] = 7, 8, True
    by_hand['visible'][3] = False
    metadata = {
        'version': '2.0.0',
        'nodes': [{'name': name, 'weight': 1.0} for name in reversed(COCO)],
        'skeletons': [{'nodes': [{'id': nodes - 1 - i} for i in range(nodes)], 'links': []}],
    }
    with h5py.File(path, 'w') as file:
        group = file.create_group('metadata')
        group.attrs['json'], group.attrs['format_id'] = np.bytes_(json.dumps(metadata)), version
        file['frames'], file['instances'] = np.array(starts, frame), np.array(rows, instance)
        file['points'], file['pred_points'] = by_hand, predicted
