from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bmoe_ground.errors import UserError
from bmoe_ground.safe_pickle import load_pickle
from pose_extract.convert import ConvertSettings, convert_poses
from pose_extract.convert.clips import Clip, Collection, ReadOptions, check_name, extent_boxes
from pose_extract.convert.folder import read_folder, write_folder
from pose_extract.convert.pickles import read_pickle, write_pickle
from pose_extract.skeletons import get_skeleton
from pose_extract.smoothing import AfterCare
from pose_extract.tracks import PoseTracks, load_tracks

REPO = Path(__file__).parents[3]
SIZED = ConvertSettings(read=ReadOptions(image_size=(480, 640)))


def make_tracks(seed: int, persons: int = 2, frames: int = 6, skeleton: str = 'coco17') -> PoseTracks:
    rng = np.random.default_rng(seed)
    count = get_skeleton(skeleton).num_keypoints
    points = rng.uniform(1, 640, (persons, frames, count, 2)).astype(np.float32)
    scores = rng.uniform(0.1, 1, (persons, frames, count)).astype(np.float32)
    points[:, 2, 3], scores[:, 2, 3] = np.nan, 0
    if persons > 1:
        points[1, :3], scores[1, :3] = np.nan, 0
    boxes = extent_boxes(points) + np.float32([-5, -5, 5, 5])
    mask = np.zeros((persons, frames, count), bool)
    mask[:, 4] = True
    return PoseTracks(
        keypoints=points,
        scores=scores,
        boxes=boxes,
        frame_times=np.cumsum(rng.uniform(0.02, 0.05, frames)),
        image_size=(480, 640),
        skeleton=skeleton,
        provenance={'backend': 'x', 'n': [1, {'ü': None}]},
        extras={'interpolated': mask, 'frame_indices': np.arange(frames)},
    )


def collection() -> Collection:
    clips = [
        Clip('jump/a.mp4', make_tracks(0), 0, ('train', 'fold1'), {'subject': 3, 'view': 'left'}),
        Clip('run/b c.mp4', make_tracks(1, persons=1), 1, ('test',)),
        Clip("run/ü'.avi", make_tracks(2, persons=0), 1),
    ]
    return Collection(clips, ['jump', 'run'], ['train', 'fold1', 'test'])


def assert_same_tracks(a: PoseTracks, b: PoseTracks) -> None:
    for name in ('keypoints', 'scores', 'boxes', 'frame_times'):
        assert getattr(a, name).dtype == getattr(b, name).dtype
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert (a.image_size, a.skeleton, a.provenance) == (b.image_size, b.skeleton, b.provenance)
    assert a.extras.keys() == b.extras.keys()
    for name in a.extras:
        assert a.extras[name].dtype == b.extras[name].dtype
        np.testing.assert_array_equal(a.extras[name], b.extras[name])


def assert_same(a: Collection, b: Collection) -> None:
    assert (a.classes, b.failures) == (b.classes, [])
    assert set(a.splits) == set(b.splits)
    ours, theirs = ({clip.name: clip for clip in c.clips} for c in (a, b))
    assert ours.keys() == theirs.keys()
    for name, clip in ours.items():
        other = theirs[name]
        assert (clip.label, set(clip.splits), clip.extra) == (other.label, set(other.splits), other.extra)
        assert_same_tracks(clip.tracks, other.tracks)


def test_folder_round_trip_is_exact(tmp_path: Path) -> None:
    write_folder(collection(), tmp_path)
    assert_same(collection(), read_folder(tmp_path))


def test_pickle_round_trip_is_exact(tmp_path: Path) -> None:
    source = collection()
    source.clips[0].tracks.provenance['source'] = {'file': 'a.pkl'}
    wanted = collection()
    for clip in wanted.clips:  # which file it came from is added where nothing is known
        clip.tracks.provenance['source'] = {'file': 'a.pkl'}
    write_pickle(source, tmp_path / 'a.pkl')
    assert_same(wanted, read_pickle(tmp_path / 'a.pkl', ReadOptions()))


def test_there_and_back_through_the_tool(tmp_path: Path) -> None:
    write_folder(collection(), tmp_path / 'poses')
    convert_poses(tmp_path / 'poses', tmp_path / 'a.pkl', ConvertSettings())
    convert_poses(tmp_path / 'a.pkl', tmp_path / 'back', ConvertSettings())
    convert_poses(tmp_path / 'back', tmp_path / 'b.pkl', ConvertSettings())
    files = sorted(p.relative_to(tmp_path / 'poses') for p in (tmp_path / 'poses').rglob('*.npz'))
    assert files == sorted(p.relative_to(tmp_path / 'back') for p in (tmp_path / 'back').rglob('*.npz'))
    one, two = load_pickle(tmp_path / 'a.pkl'), load_pickle(tmp_path / 'b.pkl')
    assert one['split'] == two['split']
    assert one['metainfo'] == two['metainfo'] == {'layout': 'coco17', 'classes': ['jump', 'run']}
    for a, b in zip(one['annotations'], two['annotations'], strict=True):
        assert a.keys() == b.keys()
        for key in a.keys() - {'provenance'}:
            np.testing.assert_array_equal(a[key], b[key])


def test_the_pickle_is_what_pyskl_reads(tmp_path: Path) -> None:
    write_pickle(collection(), tmp_path / 'a.pkl')
    with (tmp_path / 'a.pkl').open('rb') as file:
        content = pickle.load(file)
    assert content['split'] == {'train': ['jump/a.mp4'], 'fold1': ['jump/a.mp4'], 'test': ['run/b c.mp4']}
    first = content['annotations'][0]
    assert (first['label'], first['total_frames'], first['subject']) == (0, 6, 3)
    assert first['img_shape'] == first['original_shape'] == (480, 640)
    assert first['keypoint'].shape == (2, 6, 17, 2)
    assert first['keypoint_score'].shape == (2, 6, 17)
    assert np.isfinite(first['keypoint']).all()
    assert (first['keypoint'][0, 2, 3] == 0).all()


@pytest.mark.parametrize('bare', [False, True])
def test_pickles_of_others(tmp_path: Path, bare: bool) -> None:
    """float16, no boxes, no times, rows of zeros for whom nobody saw; PCAN's bare list."""
    rng = np.random.default_rng(0)
    points = rng.uniform(1, 500, (1, 5, 28, 2)).astype(np.float16)
    points[0, 1] = 0
    scores = rng.uniform(0, 1.2, (1, 5, 28)).astype(np.float16)
    annotation = {
        'frame_dir': 'a',
        'total_frames': 5,
        'label': np.int64(7),
        'keypoint': points,
        'keypoint_score': scores,
    }
    other = {'filename': 'b', 'total_frames': 5, 'label': 2, 'keypoint': points, 'img_shape': np.array([100, 200])}
    content: Any = [annotation, other]
    if not bare:
        content = {'split': {'xsub_train': ['a'], 'xview_val': ['a', 'b']}, 'annotations': content}
    (tmp_path / 'MA52_train.pkl').write_bytes(pickle.dumps(content))
    read = read_pickle(tmp_path / 'MA52_train.pkl', ReadOptions(image_size=(480, 640), fps=25))
    assert read.failures == []
    first, second = read.clips
    assert first.splits == (('train',) if bare else ('xsub_train', 'xview_val'))
    assert (first.name, first.label, second.name, second.label) == ('a', 7, 'b', 2)
    assert first.tracks.skeleton == 'openpose28'
    assert (first.tracks.image_size, second.tracks.image_size) == ((480, 640), (100, 200))
    np.testing.assert_allclose(first.tracks.frame_times, np.arange(5) / 25)
    assert not first.tracks.person_visible[0, 1]
    assert first.tracks.person_visible.sum() == 4
    np.testing.assert_array_equal(first.tracks.keypoints[0, 2], points[0, 2].astype(np.float32))
    assert first.tracks.scores.max() == 1
    np.testing.assert_array_equal(second.tracks.scores[0, 0], 1)
    np.testing.assert_allclose(first.tracks.boxes[0, 0, :2], points[0, 0].min(0))
    assert np.isnan(first.tracks.boxes[0, 1]).all()


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'keypoint': np.zeros((1, 5, 17, 3))}, r'keypoint: expected shape'),
        ({'keypoint': ((1,),)}, r'keypoint: expected an array'),
        ({'keypoint': np.ones((1, 5, 25, 2))}, r'25 keypoints, which several layouts have: openpose25, ntu25'),
        ({'keypoint': np.ones((1, 5, 19, 2))}, r'no layout has'),
        ({'total_frames': 6}, r'total_frames is 6'),
        ({'keypoint_score': np.ones((1, 4, 17))}, r''),
        ({'img_shape': None}, r'--image-size'),
        ({'img_shape': (5,)}, r''),
        ({'img_shape': 'x'}, r''),
        ({'frame_dir': '../../etc/x'}, r'stays in its folder'),
        ({'frame_dir': '/etc/x'}, r'stays in its folder'),
        ({'frame_dir': ''}, r'has no name'),
        ({'frame_dir': 'good'}, r'second clip of this name'),
        ({'label': 'x'}, r''),
        ({'provenance': '{'}, r''),
        ({'boxes': np.zeros((1, 5, 3))}, r'boxes'),
    ],
)
def test_one_bad_clip_is_named_and_does_not_stop_the_others(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    good = {'frame_dir': 'good', 'label': 0, 'img_shape': (9, 9), 'keypoint': np.ones((1, 5, 17, 2))}
    bad = {**good, 'frame_dir': 'bad', **change}
    path = tmp_path / 'a.pkl'
    path.write_bytes(pickle.dumps({'split': {}, 'annotations': [good, bad]}))
    read = read_pickle(path, ReadOptions())
    assert [clip.name for clip in read.clips] == ['good']
    assert len(read.failures) == 1
    assert read.failures[0].startswith(f'{path}: {bad["frame_dir"] or "annotation 1"}: ')
    assert message.strip() == '' or __import__('re').search(message, read.failures[0])


@pytest.mark.parametrize(
    'content',
    [
        5,
        {'split': {}},
        {'annotations': {}},
        {'annotations': [], 'split': [1]},
        {'annotations': [], 'split': {'a': 5}},
        {'annotations': [], 'metainfo': [1]},
        {'annotations': [], 'metainfo': {'classes': 5}},
    ],
)
def test_pickles_of_something_else(tmp_path: Path, content: Any) -> None:
    path = tmp_path / 'a.pkl'
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(UserError, match='a.pkl'):
        read_pickle(path, ReadOptions())


def test_a_split_that_names_a_missing_clip(tmp_path: Path) -> None:
    path = tmp_path / 'a.pkl'
    path.write_bytes(pickle.dumps({'split': {'train': ['gone']}, 'annotations': [3]}))
    read = read_pickle(path, ReadOptions())
    assert [line.removeprefix(f'{path}: ') for line in read.failures] == [
        'annotation 0: expected a dict, got int',
        'gone: is in a split, but has no annotation',
    ]


def mmn_folder(tmp_path: Path) -> Path:
    folder = tmp_path / 'MA52'
    folder.mkdir()
    for split, names in {'train': ['0001', '0002'], 'val': ['0003']}.items():
        data = [{'frame_dir': name, 'keypoint': np.ones((1, 4, 44, 2), np.float32)} for name in names]
        labels = [{'file_name': name, 'label': 5 + i} for i, name in enumerate(names)]
        (folder / f'{split}_data.pkl').write_bytes(pickle.dumps({'annotations': data}))
        (folder / f'{split}_label.pkl').write_bytes(pickle.dumps(labels))
    return folder


def test_mmn(tmp_path: Path) -> None:
    folder = mmn_folder(tmp_path)
    done = convert_poses(folder, tmp_path / 'poses', SIZED)
    assert done.failures == []
    assert [(clip.name, clip.label, clip.splits) for clip in done.clips] == [
        ('0001', 5, ('train',)),
        ('0002', 6, ('train',)),
        ('0003', 5, ('val',)),
    ]
    assert load_tracks(tmp_path / 'poses' / '0003.npz').skeleton == 'halpe44'
    lines = (tmp_path / 'poses' / 'annotations.csv').read_text().splitlines()
    assert lines == ['video,label,split', '0001,5,train', '0002,6,train', '0003,5,val']


def test_mmn_with_gaps(tmp_path: Path) -> None:
    folder = mmn_folder(tmp_path)
    (folder / 'val_label.pkl').write_bytes(pickle.dumps([{'file_name': '0009', 'label': 1}]))
    done = convert_poses(folder, tmp_path / 'poses', SIZED)
    assert [line.split('val_data.pkl: ')[1] for line in done.failures] == [
        '0003: has no label',
        '0009: has a label, but no annotation',
    ]
    (folder / 'train_label.pkl').unlink()
    with pytest.raises(UserError, match='train_label.pkl'):
        convert_poses(folder, tmp_path / 'other', SIZED)


def instance(x: float, count: int = 17, **more: Any) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    points = rng.uniform(0, 50, (count, 2)) + [x, 100]
    return {'keypoints': points.tolist(), 'keypoint_scores': [1.1] * count, **more}


def test_mmpose_predictions_get_identities(tmp_path: Path) -> None:
    """Two people in changing order, one of them out of sight for a while."""
    frames = []
    for t in range(6):
        people = [instance(100 + t, bbox=[[95, 90, 160, 160]], bbox_score=0.9), instance(300 - t)]
        if t == 3:
            people = people[1:]
        frames.append({'frame_id': t, 'instances': people[::-1] if t % 2 else people})
    (tmp_path / 'clip.json').write_text(json.dumps(frames))
    done = convert_poses(tmp_path / 'clip.json', tmp_path / 'out', SIZED)
    assert done.failures == []
    tracks = load_tracks(tmp_path / 'out' / 'clip.npz')
    assert tracks.keypoints.shape == (2, 6, 17, 2)
    assert tracks.person_visible.sum(1).tolist() == [6, 5]  # the longer one first
    left = np.array(instance(0)['keypoints'])[0, 0]
    np.testing.assert_allclose(tracks.keypoints[0, :, 0, 0], left + 300 - np.arange(6), rtol=1e-5)
    assert np.isnan(tracks.keypoints[1, 3]).all()
    np.testing.assert_allclose(tracks.boxes[1, 0], [95, 90, 160, 160])
    assert tracks.scores.max() == 1
    np.testing.assert_allclose(tracks.frame_times, np.arange(6) / 30)


def test_mmpose_images_demo_files_and_faults(tmp_path: Path) -> None:
    folder = tmp_path / 'predictions' / 'a b'
    folder.mkdir(parents=True)
    (folder / 'image.json').write_text(json.dumps([instance(5), instance(200)]))
    demo = [{'frame_id': 1, 'instances': [instance(5, 26)]}, {'frame_id': 3, 'instances': []}]
    (folder / 'demo.json').write_text(json.dumps({'meta_info': {}, 'instance_info': demo}))
    bad = {
        'text': 'hello',
        'deep': '[' * 100_000,
        'number': '5',
        'twice': json.dumps([{'frame_id': 0, 'instances': []}] * 2),
        'far': json.dumps([{'frame_id': 10**12, 'instances': []}]),
        'mixed': json.dumps([instance(5, 17), instance(5, 26)]),
        'ragged': json.dumps([{'keypoints': [[1, 2], [3]] + [[1, 2]] * 15}]),
        'nobody': json.dumps([{'frame_id': 0, 'instances': []}]),
        '3d': json.dumps([{'keypoints': [[1, 2, 3]] * 17}]),
        'box': json.dumps([instance(5, bbox=[1])]),
        'none': json.dumps([{'keypoints': None}]),
    }
    for name, text in bad.items():
        (folder / f'{name}.json').write_text(text)
    done = convert_poses(tmp_path / 'predictions', tmp_path / 'out', SIZED)
    assert sorted(clip.name for clip in done.clips) == ['a b/demo', 'a b/image']
    assert sorted(Path(line.split('.json: ')[0]).name for line in done.failures) == sorted(bad)
    assert load_tracks(tmp_path / 'out' / 'a b' / 'image.npz').keypoints.shape == (2, 1, 17, 2)
    demo_tracks = load_tracks(tmp_path / 'out' / 'a b' / 'demo.npz')
    assert demo_tracks.skeleton == 'halpe26'
    assert demo_tracks.person_visible.tolist() == [[True, False, False]]
    with pytest.raises(UserError, match='--image-size'):
        convert_poses(tmp_path / 'predictions', tmp_path / 'other', ConvertSettings())


@pytest.mark.mmpose
def test_reads_what_mmpose_itself_dumps(tmp_path: Path) -> None:
    pytest.importorskip('mmpose')
    import mmengine
    from mmengine.structures import InstanceData
    from mmpose.structures import split_instances

    points = np.random.default_rng(0).uniform(0, 100, (1, 17, 2))
    box = np.float32([[1, 2, 101, 102]])
    found = InstanceData(keypoints=points, keypoint_scores=np.ones((1, 17)), bboxes=box, bbox_scores=np.ones(1))
    frames = [{'frame_id': i, 'instances': split_instances(found)} for i in range(3)]
    mmengine.dump(frames, str(tmp_path / 'v.json'), indent='  ')
    convert_poses(tmp_path / 'v.json', tmp_path / 'out', SIZED)
    tracks = load_tracks(tmp_path / 'out' / 'v.npz')
    np.testing.assert_allclose(tracks.keypoints[0], np.repeat(points, 3, 0), rtol=1e-6)
    np.testing.assert_allclose(tracks.boxes[0, 2], box[0])


def test_labels_from_class_folders_lists_and_numbers(tmp_path: Path) -> None:
    source = collection()
    write_folder(Collection([Clip(clip.name, clip.tracks) for clip in source.clips]), tmp_path / 'poses')
    assert not (tmp_path / 'poses' / 'annotations.csv').exists()
    read = read_folder(tmp_path / 'poses')
    assert (read.classes, [clip.label for clip in read.clips]) == (['jump', 'run'], [0, 1, 1])
    (tmp_path / 'list.txt').write_bytes(b'jump/a.mp4 51\r\nrun/b c.mp4 3\r\n\r\nrun/gone.mp4 4\r\n')
    read = read_folder(tmp_path / 'poses', tmp_path / 'list.txt')
    assert (read.classes, [clip.label for clip in read.clips]) == (None, [51, 3, None])
    assert [line.split('list.txt: ')[1] for line in read.failures] == ['run/gone.mp4: has no track file']
    (tmp_path / 'bad.csv').write_text('a,b,c,d\n')
    with pytest.raises(UserError, match=r'bad.csv:1'):
        read_folder(tmp_path / 'poses', tmp_path / 'bad.csv')
    with pytest.raises(UserError, match='cannot be read'):
        read_folder(tmp_path / 'poses', tmp_path / 'none.csv')


def test_a_damaged_track_file_is_one_failure(tmp_path: Path) -> None:
    write_folder(collection(), tmp_path / 'poses')
    (tmp_path / 'poses' / 'run' / 'b c.mp4.npz').write_bytes(b'')
    done = convert_poses(tmp_path / 'poses', tmp_path / 'a.pkl', ConvertSettings())
    assert len(done.clips) == 2
    assert any('b c.mp4.npz' in line for line in done.failures)


def test_layout_and_after_care_on_the_way(tmp_path: Path) -> None:
    write_folder(collection(), tmp_path / 'poses')
    settings = ConvertSettings(layout='jhmdb15', care=AfterCare(max_gap=0.5))
    done = convert_poses(tmp_path / 'poses', tmp_path / 'out', settings)
    assert done.failures == []
    tracks = load_tracks(tmp_path / 'out' / 'jump' / 'a.mp4.npz')
    assert (tracks.skeleton, tracks.provenance['interpolation']) == ('jhmdb15', {'max_gap': 0.5})
    done = convert_poses(tmp_path / 'poses', tmp_path / 'none', ConvertSettings(layout='ntu25'))
    assert len(done.failures) == 3
    assert not (tmp_path / 'none').exists()


def test_targets_are_not_overwritten_unasked(tmp_path: Path) -> None:
    write_folder(collection(), tmp_path / 'poses')
    (tmp_path / 'a.pkl').write_bytes(b'precious')
    with pytest.raises(UserError, match='--overwrite'):
        convert_poses(tmp_path / 'poses', tmp_path / 'a.pkl', ConvertSettings())
    with pytest.raises(UserError, match='--overwrite'):
        convert_poses(tmp_path / 'poses', tmp_path / 'poses', ConvertSettings())
    convert_poses(tmp_path / 'poses', tmp_path / 'a.pkl', ConvertSettings(overwrite=True))
    assert len(load_pickle(tmp_path / 'a.pkl')['annotations']) == 3


def test_layouts_do_not_mix_in_one_pickle(tmp_path: Path) -> None:
    mixed = Collection([Clip('a', make_tracks(0)), Clip('b', make_tracks(0, skeleton='jhmdb15'))])
    with pytest.raises(UserError, match='coco17, jhmdb15'):
        write_pickle(mixed, tmp_path / 'a.pkl')


def test_clips_that_would_be_one_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='would be one file'):
        write_folder(Collection([Clip('a/b', make_tracks(0)), Clip('a//b', make_tracks(0))]), tmp_path)
    with pytest.raises(UserError, match='2 classes'):
        write_folder(Collection([Clip('a', make_tracks(0), 2)], ['x', 'y']), tmp_path)


@pytest.mark.parametrize('name', ['..', 'a/../../b', '/a', '', 'C:/a', 'a\\..\\b', 'a\0b'])
def test_names_that_leave_the_folder(name: str) -> None:
    with pytest.raises(UserError, match='clip name'):
        check_name(name)


def test_unknown_sources(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='no such file'):
        convert_poses(tmp_path / 'none', tmp_path / 'out', ConvertSettings())
    for name in ('folder', 'a.txt'):
        (tmp_path / 'folder').mkdir(exist_ok=True)
        (tmp_path / 'a.txt').write_text('x')
        with pytest.raises(UserError, match='--from'):
            convert_poses(tmp_path / name, tmp_path / 'out', ConvertSettings())
    with pytest.raises(UserError, match='fps'):
        ReadOptions(fps=0)
    with pytest.raises(UserError, match='image size'):
        ReadOptions(image_size=(0, 3))


def test_the_tool(tmp_path: Path) -> None:
    write_folder(collection(), tmp_path / 'poses')
    tool = [sys.executable, str(REPO / 'tools' / 'convert_poses.py')]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*tool, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={'PYTHONPATH': str(REPO)},
        )

    done = run('poses', 'a.pkl')
    assert (done.returncode, done.stdout) == (0, '3 clips (coco17) written to a.pkl, 0 failed\n')
    done = run('a.pkl', 'back', '--layout', 'jhmdb15', '--max-gap', '0.1', '--smooth', 'savgol')
    assert done.returncode == 0, done.stderr
    assert load_tracks(tmp_path / 'back' / 'jump' / 'a.mp4.npz').provenance['smoothing']['smooth'] == 'savgol'
    (tmp_path / 'poses' / 'jump' / 'a.mp4.npz').write_bytes(b'x')
    done = run('poses', 'b.pkl')
    assert (done.returncode, done.stderr.count('failed: ')) == (1, 1)
    done = run('a.pkl', 'none', '--layout', 'ntu25')
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        2,
        'error: a.pkl: none of its 3 clips could be converted',
    )
    done = run('none', 'b')
    assert (done.returncode, done.stderr) == (2, 'error: none: no such file or folder\n')


@pytest.mark.parametrize(('name', 'skeleton'), [('jhmdb14', 'jhmdb15'), ('openpose25_social', 'openpose25')])
def test_real_pickles_round_trip(shared_data: Path, tmp_path: Path, name: str, skeleton: str) -> None:
    source = shared_data / 'skeletons' / f'{name}.pkl'
    original = load_pickle(source)
    done = convert_poses(source, tmp_path / 'poses', SIZED)
    assert done.failures == []
    convert_poses(tmp_path / 'poses', tmp_path / 'back.pkl', ConvertSettings())
    back = load_pickle(tmp_path / 'back.pkl')
    assert back['metainfo'] == {'layout': skeleton, 'classes': original['metainfo']['classes']}
    assert {split: set(names) for split, names in back['split'].items()} == {
        split: set(names) for split, names in original['split'].items()
    }
    found = {annotation['frame_dir']: annotation for annotation in back['annotations']}
    assert len(found) == len(original['annotations'])
    for annotation in original['annotations']:
        other = found[annotation['frame_dir']]
        assert (other['label'], other['total_frames']) == (annotation['label'], annotation['total_frames'])
        np.testing.assert_array_equal(other['keypoint'], annotation['keypoint'])


def test_real_3d_skeletons_are_refused_clip_by_clip(shared_data: Path, tmp_path: Path) -> None:
    done = convert_poses(shared_data / 'skeletons' / 'utkinect.pkl', tmp_path / 'poses', SIZED)
    assert len(done.failures) == 199
    assert 'keypoint: expected shape' in done.failures[0]
