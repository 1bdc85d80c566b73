from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pose_files import alphapose, coco, openpose_people, poses

from pose_extract.convert.clips import Collection, ReadOptions
from pose_extract.convert.coco_json import read_coco

SIZED = ReadOptions(image_size=(480, 640))


def read(tmp_path: Path, content: Any, options: ReadOptions = SIZED, name: str = 'alphapose-results') -> Collection:
    (tmp_path / f'{name}.json').write_text(json.dumps(content))
    return read_coco(tmp_path / f'{name}.json', options)


def test_the_documentation_s_own_example(tmp_path: Path) -> None:
    """output.md of AlphaPose: "[{"image_id" : string, image_1_name, "category_id" : int, 1 for person, "keypoints" :
    [x1,y1,c1,...,xk,yk,ck], "score" : float, ... }]"; in COCO's 17 points, {0, "Nose"}, {1, "LEye"}, {2, "REye"}, ...,
    {15, "LAnkle"}, {16, "RAnkle"}."""
    flat = [value for n in range(17) for value in (10.0 * n + 1, 10.0 * n + 2, 0.9)]
    done = read(tmp_path, [{'image_id': '0.jpg', 'category_id': 1, 'keypoints': flat, 'score': 3.0}])
    tracks = done.clips[0].tracks
    assert tracks.skeleton == 'coco17'
    np.testing.assert_allclose(tracks.keypoints[0, 0, :, 0], 10 * np.arange(17) + 1)
    np.testing.assert_allclose(tracks.keypoints[0, 0, :, 1], 10 * np.arange(17) + 2)


def test_alphapose_keeps_identities_and_boxes(tmp_path: Path) -> None:
    truth = poses(2, 6, 17)
    truth[:, 3:] = truth[::-1, 3:]  # they change places: only `idx` can tell
    entries = [e for e in alphapose(truth) if (e['image_id'], e['idx']) != ('4.jpg', [2.0])]
    done = read(tmp_path, entries[::-1])
    assert done.failures == []
    tracks = done.clips[0].tracks
    assert tracks.provenance['identities'] == 'of the file'
    assert tracks.person_visible.sum(1).tolist() == [6, 5]
    np.testing.assert_allclose(tracks.keypoints[0], truth[0, ..., :2], rtol=1e-6)
    np.testing.assert_allclose(tracks.boxes[0, 0], [*truth[0, 0, :, :2].min(0), *truth[0, 0, :, :2].max(0)], rtol=1e-6)


def test_without_tracking_everybody_has_one_idx(tmp_path: Path) -> None:
    truth = poses(2, 6, 26)
    done = read(tmp_path, [{**e, 'idx': 0} for e in alphapose(truth)])
    tracks = done.clips[0].tracks
    assert (tracks.skeleton, tracks.provenance['identities']) == ('halpe26', 'tracked')
    assert tracks.person_visible.all()


def test_frames_without_anybody_keep_their_time(tmp_path: Path) -> None:
    entries = [e for e in alphapose(poses(1, 6, 17)) if e['image_id'] not in ('2.jpg', '3.jpg')]
    done = read(tmp_path, entries)
    assert done.clips[0].tracks.person_visible[0].tolist() == [True, True, False, False, True, True]
    assert any('2 of 6 frame numbers are missing' in note for note in done.notes)


@pytest.mark.parametrize('key', ['people', 'bodies'])
def test_the_two_other_formats(tmp_path: Path, key: str) -> None:
    truth = poses(1, 3, 18)
    content = {}
    for t in range(3):
        people = openpose_people(truth[:, t])['people']
        if key == 'bodies':
            people = [{'joints': person['pose_keypoints_2d']} for person in people]
        content[f'{t}.jpg'] = {'version': 'AlphaPose v0.3', key: people}
    tracks = read(tmp_path, content).clips[0].tracks
    assert tracks.skeleton == 'openpose18'
    np.testing.assert_allclose(tracks.keypoints[0], truth[0, ..., :2], rtol=1e-6)


def test_several_videos_in_one_file(tmp_path: Path) -> None:
    entries = [{**e, 'image_id': f'{v}_{e["image_id"]}'} for v in ('a', 'b') for e in alphapose(poses(1, 4, 17))]
    assert [c.name for c in read(tmp_path, entries).clips] == ['alphapose-results/a', 'alphapose-results/b']


def test_a_folder_a_video(tmp_path: Path) -> None:
    for name in ('nod/v1', 'wave/v2'):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / 'alphapose-results.json').write_text(json.dumps(alphapose(poses(1, 4, 17))))
    assert [clip.name for clip in read_coco(tmp_path, SIZED).clips] == ['nod/v1', 'wave/v2']


def test_annotation_files_say_size_names_and_frames(tmp_path: Path) -> None:
    truth = poses(2, 5, 17)
    content = coco(truth)
    content['images'].append({'id': 999, 'file_name': 'nod/000006.jpg', 'width': 640, 'height': 480})  # nobody in it
    done = read(tmp_path, content, ReadOptions(), 'person_keypoints')
    clip = done.clips[0]
    assert done.failures == []
    assert (clip.tracks.image_size, clip.tracks.num_frames, clip.tracks.skeleton) == ((480, 640), 6, 'coco17')
    np.testing.assert_allclose(clip.tracks.keypoints[:, :5], truth[..., :2], rtol=1e-6)
    assert set(np.unique(clip.tracks.scores)) == {0, 1}  # COCO's flags, not scores


def test_declared_points_of_another_layout_are_not_read_as_coco(tmp_path: Path) -> None:
    content = coco(poses(1, 2, 17))
    content['categories'][0]['keypoints'] = [f'part{i}' for i in range(17)]
    assert 'not known; choose' in read(tmp_path, content).failures[0]
    asked = read(tmp_path, content, ReadOptions('coco17', (480, 640)))
    assert asked.failures == []


def test_pictures_that_are_no_video(tmp_path: Path) -> None:
    entries = alphapose(poses(1, 2, 17))
    results = [{**entry, 'image_id': number} for entry, number in zip(entries, (139, 581781), strict=True)]
    assert 'not the frames of one video' in read(tmp_path, results).failures[0]


def test_faults_cost_that_file_only(tmp_path: Path) -> None:
    good = alphapose(poses(1, 2, 17))
    bad = {
        'no image': [{'keypoints': [1.0] * 51}],
        'number': 5,
        'mixed': [*good, {**good[0], 'keypoints': [1.0] * 78}],
        'fifty': [{**good[0], 'keypoints': [1.0] * 50}],
        'name': [{**good[0], 'image_id': 'x.jpg'}],
        'text': [{**good[0], 'keypoints': 'hello'}],
        'nothing': [],
    }
    for name, content in {'good': good, **bad}.items():
        (tmp_path / f'{name}.json').write_text(json.dumps(content))
    done = read_coco(tmp_path, SIZED)
    assert [clip.name for clip in done.clips] == ['good']
    assert sorted(Path(line.split('.json: ')[0]).name for line in done.failures) == sorted(bad)


def test_halpe_s_136_points_become_the_whole_body(tmp_path: Path) -> None:
    """Halpe-FullBody: {0, "Nose"}, ..., {16, "RAnkle"}, {17, "Head"}, {18, "Neck"}, {19, "Hip"}, {20, "LBigToe"},
    {21, "RBigToe"}, {22, "LSmallToe"}, {23, "RSmallToe"}, {24, "LHeel"}, {25, "RHeel"}, {26-93, 68 Face Keypoints},
    {94-114, 21 Left Hand Keypoints}, {115-135, 21 Right Hand Keypoints}."""
    flat = [value for n in range(136) for value in (10.0 * n + 1, 1.0, 0.9)]
    done = read(tmp_path, [{'image_id': '0.jpg', 'category_id': 1, 'keypoints': flat, 'score': 3.0}])
    tracks = done.clips[0].tracks
    assert tracks.skeleton == 'coco_wholebody133'
    feet = [20, 22, 24, 21, 23, 25]  # COCO-WholeBody has the left foot first
    np.testing.assert_allclose(
        tracks.keypoints[0, 0, :, 0], 10 * np.array([*range(17), *feet, *range(26, 136)]) + 1, rtol=1e-6
    )
    assert any('of 136 points' in note for note in done.notes)
