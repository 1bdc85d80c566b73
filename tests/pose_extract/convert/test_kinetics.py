from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from pose_files import kinetics, poses

from pose_extract.convert import ConvertSettings, convert_poses
from pose_extract.convert.clips import ReadOptions
from pose_extract.convert.kinetics import read_kinetics
from pose_extract.convert.sniff import kind_of


def test_an_example_by_hand(tmp_path: Path) -> None:
    """st-gcn/OLD_README.md and feeder_kinetics.py: "data" -> "frame_index", "skeleton" -> "pose" (x1, y1, x2, ...) as
    shares of the picture, "score"; frames count from 1; "label", "label_index"."""
    pose = [value for n in range(18) for value in (0.1 + n / 100, 0.5)]
    pose[2 * 4 : 2 * 5] = [0.0, 0.0]
    score = [0.8] * 18
    score[4] = 0.0
    content = {
        'data': [
            {'frame_index': 1, 'skeleton': [{'pose': pose, 'score': score}]},
            {'frame_index': 2, 'skeleton': []},
        ],
        'label': 'abseiling',
        'label_index': 0,
    }
    (tmp_path / 'a.json').write_text(json.dumps(content))
    assert kind_of(tmp_path / 'a.json') == 'kinetics'
    done = read_kinetics(tmp_path / 'a.json', ReadOptions())
    tracks = done.clips[0].tracks
    assert (done.classes, done.clips[0].label, tracks.num_frames, tracks.image_size) == (
        ['abseiling'],
        0,
        2,
        (256, 340),
    )
    np.testing.assert_allclose(tracks.keypoints[0, 0, 0], [34, 128], rtol=1e-6)
    assert np.isnan(tracks.keypoints[0, 0, 4]).all()
    assert any('256 x 340' in note for note in done.notes)


def test_the_data_set_s_folders_are_splits(tmp_path: Path) -> None:
    names = ['nod', 'shrug', 'wave']
    truth = poses(2, 6, 18) * [0.5, 0.5, 1]
    for part in ('train', 'val'):
        folder = tmp_path / 'set' / f'kinetics_{part}'
        folder.mkdir(parents=True)
        for index, name in enumerate(names):
            content = {**kinetics(truth), 'label': name, 'label_index': 2 - index}
            (folder / f'{part}{name}.json').write_text(json.dumps(content))
        listed = {f'{part}{name}': {'has_skeleton': True, 'label': name, 'label_index': 0} for name in names}
        (tmp_path / 'set' / f'kinetics_{part}_label.json').write_text(json.dumps(listed))
    done = convert_poses(tmp_path / 'set', tmp_path / 'out.pkl', ConvertSettings())
    assert done.failures == []
    assert done.classes == ['wave', 'shrug', 'nod']  # by the file's own numbers
    assert {(clip.name.split('/')[1], clip.label, clip.splits) for clip in done.clips} == {
        (f'{part}{name}', 2 - index, (part,)) for part in ('train', 'val') for index, name in enumerate(names)
    }
    tracks = done.clips[0].tracks
    order = np.argsort(tracks.keypoints[:, 0, 0, 0])
    np.testing.assert_allclose(tracks.keypoints[order], truth[..., :2], atol=2e-3)


def test_faults(tmp_path: Path) -> None:
    good = kinetics(poses(1, 2, 18))
    bad = {
        'twice': {'data': good['data'] + good['data']},
        'pixels': {'data': [{'frame_index': 1, 'skeleton': [{'pose': [100.0] * 36, 'score': [1.0] * 18}]}]},
        'short': {'data': [{'frame_index': 1, 'skeleton': [{'pose': [0.1] * 34, 'score': [1.0] * 18}]}]},
        'list': [1],
        'person': {'data': [{'frame_index': 1, 'skeleton': [5]}]},
    }
    for name, content in {'good': good, **bad}.items():
        (tmp_path / f'{name}.json').write_text(json.dumps(content))
    done = read_kinetics(tmp_path, ReadOptions())
    assert [clip.name for clip in done.clips] == ['good']
    assert len(done.failures) == len(bad)
