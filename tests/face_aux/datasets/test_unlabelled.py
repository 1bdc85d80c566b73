from __future__ import annotations

from pathlib import Path
from typing import Any

import face_trees as trees
import pytest
import torch
from PIL import Image

from bmoe_ground.errors import UserError
from face_aux.datasets import FolderFaces, UTKFace
from face_aux.datasets.unlabelled import FolderSource, UnlabelledFaces, shuffled_place

PIPELINE = [
    {'type': 'LoadFace'},
    {'type': 'RandomResizedCrop', 'size': 16},
    {'type': 'KeepTextureSource'},
    {'type': 'Normalize'},
    {'type': 'PackFaceInputs'},
]


def labelled(root: Path) -> Path:
    for i in range(4):
        trees.image(root / 'ab'[i % 2] / f'{i}.png', seed=i)
    return root


def unlabelled(root: Path, count: int = 5) -> Path:
    for i in range(count):
        trees.image(root / f'deep/{i}.png', seed=100 + i)
    (root / 'notes.txt').write_text('no image')
    return root


def faces(tmp_path: Path, source: Any = None, **options: Any) -> FolderFaces:
    return FolderFaces(
        data_root=labelled(tmp_path / 'labelled'),
        pipeline=options.pop('pipeline', PIPELINE),
        unlabelled=source or str(unlabelled(tmp_path / 'more')),
        **options,
    )


@pytest.mark.parametrize('size', [1, 2, 3, 5, 16, 17, 1000])
def test_every_face_once_before_one_comes_again(size: int) -> None:
    turns = [[shuffled_place(turn * size + i, size, seed=3) for i in range(size)] for turn in range(3)]
    assert all(sorted(turn) == list(range(size)) for turn in turns)
    if size > 5:
        assert turns[0] != turns[1] != list(range(size))


def test_a_sample_brings_its_companions(tmp_path: Path) -> None:
    data = faces(tmp_path, unlabelled_ratio=2)
    data.shared_epoch.epoch = 0
    first = data[1]
    assert first['unlabelled_inputs'].shape == first['unlabelled_source'].shape == (2, 3, 16, 16)
    assert first['unlabelled_source'].dtype == torch.uint8
    assert torch.equal(data[1]['unlabelled_inputs'], first['unlabelled_inputs'])
    without = FolderFaces(data_root=tmp_path / 'labelled', pipeline=PIPELINE)
    without.shared_epoch.epoch = 0
    assert torch.equal(without[1]['inputs'], first['inputs'])  # the labelled pictures stay what they were
    data.shared_epoch.epoch = 1
    assert not torch.equal(data[1]['unlabelled_inputs'], first['unlabelled_inputs'])
    data.shared_epoch.epoch = -1
    assert data[1]['unlabelled_inputs'].shape == (2, 3, 16, 16)
    assert 'unlabelled_inputs' not in faces(tmp_path, test_mode=True)[0]


def test_nothing_is_read_before_it_is_drawn(tmp_path: Path) -> None:
    for i in range(2000):
        (tmp_path / f'{i:05d}.jpg').touch()
    source = FolderSource(tmp_path)
    assert (len(source), len(source._names)) == (2000, 2000 * len('00000.jpg'))
    assert source.item(1234)['path'] == str(tmp_path / '01234.jpg')


def test_other_sizes_and_modes_are_taken_and_told(tmp_path: Path) -> None:
    for i, mode in enumerate(('L', 'L', '1')):
        (tmp_path / 'more').mkdir(exist_ok=True)
        Image.new(mode, (90 + i, 200)).save(tmp_path / 'more' / f'{i}.png')
    data = faces(tmp_path, str(tmp_path / 'more'))
    assert data[0]['unlabelled_inputs'].shape == (1, 3, 16, 16)
    known, sizes, grey = data.notes()
    assert known.startswith('unlabelled: 3 faces of ')
    assert known.endswith('1 beside each labelled one; their groups are not known')
    assert '90 to 92 pixels on their shorter side, the labelled 20' in sizes
    assert 'only the unlabelled faces are grey' in grey


def test_one_image_is_enough_and_none_is_not(tmp_path: Path) -> None:
    data = faces(tmp_path, str(unlabelled(tmp_path / 'one', 1)))
    assert data[0]['unlabelled_inputs'].shape == (1, 3, 16, 16)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match=r'no image or video below .*empty'):
        faces(tmp_path, str(tmp_path / 'empty'))
    with pytest.raises(UserError, match='no such folder'):
        faces(tmp_path, str(tmp_path / 'nowhere'))


def test_groups_are_told_where_they_are_known(tmp_path: Path) -> None:
    folder = unlabelled(tmp_path / 'more')
    (folder / 'groups.csv').write_text('path,gender\ndeep/0.png,female\ndeep/3.png,male\ndeep/4.png,female\n')
    source = {'folder': str(folder), 'groups': {'file': 'groups.csv', 'columns': ['gender']}}
    assert faces(tmp_path, source).notes()[0].endswith('gender: female 2, male 1, unknown 2')
    chips = trees.utkface(tmp_path / 'chips')
    data = faces(tmp_path, {'type': 'UTKFace', 'data_root': str(chips), 'tasks': ['gender']})
    assert len(data.unlabelled) == len(UTKFace(data_root=chips))
    assert 'race: ' in data.notes()[0]
    assert data.unlabelled.item(0)['gt'] == {}


def test_clips(tmp_path: Path) -> None:
    for name in ('a', 'b/c'):
        for i in range(3):
            trees.image(tmp_path / 'more' / name / f'{i}.png', seed=i)
    trees.video(tmp_path / 'more' / 'b' / 'd.mp4', frames=4, size=(24, 20))
    for i in range(2):
        trees.image(tmp_path / 'labelled' / 'x' / f'{i}.png', seed=i)
    clip = [{'type': 'LoadFaceClip', 'length': 4}, *PIPELINE[1:]]
    data = faces(tmp_path, str(tmp_path / 'more'), pipeline=clip)
    items = [data.unlabelled.item(i) for i in range(3)]
    assert [(i['media'], Path(i['path']).name) for i in items] == [('frames', 'a'), ('video', 'd.mp4'), ('frames', 'c')]
    assert data.unlabelled.companions(0, 1, 0, 0)['unlabelled_inputs'].shape == (1, 3, 4, 16, 16)


def test_a_damaged_face_is_an_error_or_left_out(tmp_path: Path) -> None:
    folder = unlabelled(tmp_path / 'more', 2)
    (folder / 'deep' / '0.png').write_bytes(b'no image')
    with pytest.raises(UserError, match=r'0\.png'):
        for i in range(4):
            faces(tmp_path, str(folder))[i]
    data = faces(tmp_path, str(folder), bad_images='skip')
    assert all(data[i]['unlabelled_inputs'].shape == (1, 3, 16, 16) for i in range(4))
    (folder / 'deep' / '1.png').write_bytes(b'no image')
    with pytest.raises(UserError, match='in a row cannot be read'):
        UnlabelledFaces(str(folder), data.pipeline, bad_images='skip').companions(0, 1, 0, 0)


def test_wrong_descriptions_are_named(tmp_path: Path) -> None:
    for ratio in (0, 0.5):
        with pytest.raises(UserError, match='unlabelled_ratio must be a whole number'):
            faces(tmp_path, unlabelled_ratio=ratio)
    folder = str(unlabelled(tmp_path / 'more'))
    with pytest.raises(UserError, match="check one of .*'size'"):
        faces(tmp_path, {'folder': folder, 'check': 'size'})
    with pytest.raises(UserError, match='expected a folder, dict'):
        faces(tmp_path, {'root': folder})
    with pytest.raises(UserError, match='KeepTextureSource'):
        faces(tmp_path, pipeline=[step for step in PIPELINE if step['type'] != 'KeepTextureSource'])[0]
