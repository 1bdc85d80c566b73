from __future__ import annotations

import json
from pathlib import Path

import face_trees as trees
import pytest

from bmoe_ground.errors import UserError
from face_aux.datasets import CelebDf, Dfdc, FaceForensics
from face_aux.transforms import LoadFace, LoadFaceClip

METHODS = ('Deepfakes', 'NeuralTextures')


def test_faceforensics_pairs(tmp_path: Path) -> None:
    trees.faceforensics(tmp_path)
    data = FaceForensics(data_root=tmp_path, methods=METHODS, split='train')
    items = [data[i] for i in range(len(data))]
    assert len(items) == 2 * (2 + 2 * 2)
    assert all(Path(i['path']).is_file() for i in items)
    assert sum(i['gt']['fake'] for i in items) == 8
    fake = next(i for i in items if i['path'].endswith('NeuralTextures/c23/videos/003_000.mp4'))
    assert fake['gt'] == {'fake': 1, 'method': 2}
    assert fake['groups'] == {'method': 'NeuralTextures', 'compression': 'c23'}
    ids = {s: self_ids(FaceForensics(data_root=tmp_path, methods=METHODS, split=s)) for s in ('train', 'val', 'test')}
    assert not ids['train'] & ids['val'] | ids['train'] & ids['test'] | ids['val'] & ids['test']


def self_ids(data: FaceForensics) -> set[str]:
    return {number for i in range(len(data)) for number in Path(data[i]['path']).stem.split('_')}


def test_faceforensics_holdout_keeps_pairs(tmp_path: Path) -> None:
    trees.faceforensics(tmp_path)
    shares = {'fit': 0.5, 'tune': 0.5}
    fit, tune = (
        FaceForensics(data_root=tmp_path, methods=METHODS, split='train', fractions=shares, part=p) for p in shares
    )
    assert len(fit) == len(tune) == 6
    assert not self_ids(fit) & self_ids(tune)


def test_faceforensics_messages(tmp_path: Path) -> None:
    trees.faceforensics(tmp_path)
    with pytest.raises(UserError, match=r'train.json\[0\]: no such file .*Face2Face'):
        FaceForensics(data_root=tmp_path, split='train', methods=['Face2Face'])
    with pytest.raises(UserError, match=r"compression \['c99'\]"):
        FaceForensics(data_root=tmp_path, compression='c99')
    (tmp_path / 'splits/val.json').write_text('[["020"]]')
    with pytest.raises(UserError, match=r'val.json: entry 0'):
        FaceForensics(data_root=tmp_path, split='val', methods=METHODS)
    (tmp_path / 'splits/val.json').write_text('[["020",\n]')
    with pytest.raises(UserError, match=r'val.json:2: not JSON'):
        FaceForensics(data_root=tmp_path, split='val', methods=METHODS)


def test_celebdf_one_means_real_in_its_list(tmp_path: Path) -> None:
    trees.celebdf(tmp_path)
    test = CelebDf(data_root=tmp_path, split='test')
    fake = {test[i]['video_id']: test[i]['gt']['fake'] for i in range(len(test))}
    assert fake == {'YouTube-real/00170': 0, 'Celeb-real/id0_0000': 0, 'Celeb-synthesis/id0_id1_0000': 1}
    assert len(CelebDf(data_root=tmp_path, split='train')) == 14 - 3


def test_celebdf_contradiction_is_found(tmp_path: Path) -> None:
    trees.celebdf(tmp_path)
    (tmp_path / 'List_of_testing_videos.txt').write_text('1 YouTube-real/00170.mp4\n1 Celeb-synthesis/id0_id1_0000.mp4')
    with pytest.raises(UserError, match=r'List_of_testing_videos.txt:2: .* in this list 1 means real'):
        CelebDf(data_root=tmp_path)
    (tmp_path / 'List_of_testing_videos.txt').write_text('1 YouTube-real/00999.mp4')
    with pytest.raises(UserError, match=r'List_of_testing_videos.txt:1: no such file'):
        CelebDf(data_root=tmp_path)


def test_celebdf_parts_share_nobody(tmp_path: Path) -> None:
    trees.celebdf(tmp_path, people=12)
    shares = {'fit': 0.7, 'tune': 0.3}
    sets = [CelebDf(data_root=tmp_path, split='train', fractions=shares, part=p) for p in shares]
    ids = [
        {part for i in range(len(s)) for part in Path(s[i]['path']).stem.split('_') if part.startswith('id')}
        for s in sets
    ]
    assert ids[0] and ids[1]
    assert not ids[0] & ids[1]
    crossing = sum(s.reason == 'shows people of two parts of the split' for s in sets[0].skipped)
    assert crossing > 0
    assert len(sets[0]) + len(sets[1]) + crossing == len(CelebDf(data_root=tmp_path, split='train'))


def test_dfdc_full_and_preview(tmp_path: Path) -> None:
    full = Dfdc(data_root=trees.dfdc(tmp_path / 'full'))
    fake = {full[i]['video_id']: full[i]['gt']['fake'] for i in range(len(full))}
    assert fake == {
        'dfdc_train_part_0/a': 1,
        'dfdc_train_part_0/b': 0,
        'dfdc_train_part_0/c': 1,
        'dfdc_train_part_1/x': 1,
        'dfdc_train_part_1/y': 0,
        'videos/q': 1,
        'videos/r': 0,
    }
    assert len(Dfdc(data_root=tmp_path / 'full', split='test')) == 2
    preview = Dfdc(data_root=trees.dfdc_preview(tmp_path / 'preview'), split='train')
    assert [preview[i]['groups'] for i in range(2)] == [{'method': 'method_A'}, {'method': 'original_videos'}]


def test_dfdc_keeps_fakes_with_their_original(tmp_path: Path) -> None:
    trees.dfdc(tmp_path)
    shares = {'fit': 0.6, 'tune': 0.4}
    sets = [Dfdc(data_root=tmp_path, split='train', fractions=shares, part=p) for p in shares]
    names = [{Path(s[i]['path']).stem for i in range(len(s))} for s in sets]
    assert sorted(map(sorted, names)) == [['a', 'b', 'c'], ['x', 'y']]


def test_dfdc_bad_label(tmp_path: Path) -> None:
    trees.dfdc(tmp_path)
    (tmp_path / 'dfdc_train_part_1/metadata.json').write_text(json.dumps({'x.mp4': {'label': 'MAYBE'}}))
    with pytest.raises(UserError, match=r"metadata.json: x.mp4: label 'MAYBE', expected FAKE or REAL"):
        Dfdc(data_root=tmp_path)


def test_frames_are_spread_over_the_video(tmp_path: Path) -> None:
    trees.celebdf(tmp_path, people=2)
    trees.video(tmp_path / 'YouTube-real/00170.mp4', frames=10)
    data = CelebDf(data_root=tmp_path, split='test', frames_per_video=5, pipeline=[LoadFace()])
    levels = [i['frames'][0].mean() for i in data if i['video_id'] == 'YouTube-real/00170']  # type: ignore[attr-defined]
    assert [round(level / 20) for level in levels] == [1, 3, 5, 7, 9]


def test_clips_and_frame_folders(tmp_path: Path) -> None:
    trees.celebdf(tmp_path / 'set', people=2)
    clip = LoadFaceClip(length=4, interval=2)
    path = str(trees.video(tmp_path / 'v.mp4', frames=10))
    loaded = clip({'path': path, 'media': 'video', 'position': 1.0})
    assert [round(f.mean() / 20) for f in loaded['frames']] == [3, 5, 7, 9]
    short = LoadFaceClip(length=6)({'path': str(trees.video(tmp_path / 's.mp4', frames=3)), 'media': 'video'})
    assert [round(f.mean() / 20) for f in short['frames']] == [0, 1, 2, 2, 2, 2]
    for t in (2, 10, 1):
        trees.image(tmp_path / 'frames' / f'{t}.png', seed=t)
    loaded = LoadFaceClip(length=3)({'path': str(tmp_path / 'frames'), 'media': 'frames'})
    expected = [LoadFace()({'path': str(tmp_path / 'frames' / f'{t}.png')})['frames'][0] for t in (1, 2, 10)]
    assert all((a == b).all() for a, b in zip(loaded['frames'], expected, strict=True))
    with pytest.raises(UserError, match='a clip needs a video'):
        clip({'path': 'x.jpg', 'media': 'image'})


def test_videos_that_cannot_be_read(tmp_path: Path) -> None:
    bad = tmp_path / 'bad.mp4'
    bad.write_bytes(b'not a video at all')
    with pytest.raises(UserError, match=r'bad.mp4: not a video that OpenCV can read'):
        LoadFace()({'path': str(bad), 'media': 'video'})
    with pytest.raises(UserError, match=r'gone.mp4: no such file'):
        LoadFace()({'path': str(tmp_path / 'gone.mp4'), 'media': 'video'})
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match=r'empty: has no frame'):
        LoadFace()({'path': str(tmp_path / 'empty'), 'media': 'frames'})
