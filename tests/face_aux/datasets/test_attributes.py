from __future__ import annotations

from pathlib import Path

import face_trees as trees
import pytest

from bmoe_ground.errors import UserError
from face_aux.datasets import CelebA, FairFace, UTKFace
from face_aux.labels import CELEBA_ATTRIBUTES, FAIRFACE_AGE, FAIRFACE_RACE, UTKFACE_RACE


@pytest.mark.parametrize('csv', [False, True])
def test_celeba_reads_both_copies(tmp_path: Path, csv: bool) -> None:
    data = CelebA(data_root=trees.celeba(tmp_path, csv))
    assert len(data) == 6
    assert data.metainfo['tasks']['attributes'] == {'classes': list(CELEBA_ATTRIBUTES), 'multi_label': True}
    for i in range(6):
        item = data[i]
        assert Path(item['path']).is_file()
        assert item['gt']['attributes'] == [int((i + a) % 3 == 0) for a in range(40)]
        male = (i + CELEBA_ATTRIBUTES.index('Male')) % 3 == 0
        assert item['groups']['gender'] == ('male' if male else 'female')


def test_celeba_splits_and_chosen_attributes(tmp_path: Path) -> None:
    trees.celeba(tmp_path)
    data = CelebA(data_root=tmp_path, split='val', attributes=['Smiling', 'Bald'])
    assert [Path(data[i]['path']).name for i in range(len(data))] == ['000002.jpg', '000005.jpg']
    smiling, bald = (int((1 + CELEBA_ATTRIBUTES.index(a)) % 3 == 0) for a in ('Smiling', 'Bald'))
    assert data[0]['gt'] == {'attributes': [smiling, bald]}


def test_celeba_names_file_and_line(tmp_path: Path) -> None:
    trees.celeba(tmp_path)
    path = tmp_path / 'list_attr_celeba.txt'
    lines = path.read_text().splitlines()
    path.write_text('\n'.join(lines[:-1]))
    with pytest.raises(UserError, match=r'list_attr_celeba.txt:1: promises 6 images, but 5'):
        CelebA(data_root=tmp_path)
    path.write_text('\n'.join([*lines[:4], lines[4][:-2] + ' 7', *lines[5:]]))
    with pytest.raises(UserError, match=r"list_attr_celeba.txt:5: Young is '7'"):
        CelebA(data_root=tmp_path)
    with pytest.raises(UserError, match='unknown attributes .*Smilling'):
        CelebA(data_root=tmp_path, attributes=['Smilling'])
    with pytest.raises(UserError, match='neither list_eval_partition.txt'):
        CelebA(data_root=tmp_path / 'elsewhere')


def test_celeba_identities_are_never_split(tmp_path: Path) -> None:
    trees.celeba(tmp_path, n=30)
    parts = {
        part: {
            Path(item['path']).name
            for item in CelebA(data_root=tmp_path, fractions={'a': 0.5, 'b': 0.5}, part=part)  # type: ignore[attr-defined]
        }
        for part in 'ab'
    }
    assert len(parts['a'] | parts['b']) == 30
    pairs = [{f'{2 * i + 1:06d}.jpg', f'{2 * i + 2:06d}.jpg'} for i in range(15)]
    assert all(pair <= parts['a'] or pair <= parts['b'] for pair in pairs)
    assert min(len(parts['a']), len(parts['b'])) >= 14


def test_fairface_aliases_and_groups(tmp_path: Path) -> None:
    data = FairFace(data_root=trees.fairface(tmp_path), split='train')
    got = [data[i] for i in range(3)]
    assert [FAIRFACE_AGE[g['gt']['age']] for g in got] == ['50-59', '70+', '3-9']
    assert [FAIRFACE_RACE[g['gt']['race']] for g in got] == ['East Asian', 'Latino_Hispanic', 'Middle Eastern']
    assert [g['gt']['gender'] for g in got] == [0, 1, 1]
    assert got[1]['groups'] == {'race': 'Latino_Hispanic', 'gender': 'female', 'age': '70+'}
    assert len(FairFace(data_root=tmp_path)) == 4
    assert len(FairFace(data_root=tmp_path, split='val')) == 1


def test_fairface_unknown_label_and_missing_file(tmp_path: Path) -> None:
    trees.fairface(tmp_path, ['train/1.jpg,50-59,Male,Martian,True'])
    with pytest.raises(UserError, match=r"fairface_label_train.csv:2: unknown label 'Martian'; known labels: White"):
        FairFace(data_root=tmp_path, split='train')
    trees.fairface(tmp_path)
    (tmp_path / 'train/2.jpg').unlink()
    with pytest.raises(UserError, match=r'fairface_label_train.csv:3: no such file .*2.jpg'):
        FairFace(data_root=tmp_path, split='train')
    data = FairFace(data_root=tmp_path, split='train', missing='skip')
    assert len(data) == 2
    assert [s.where.split(':')[-1] for s in data.skipped] == ['3']


def test_utkface_names(tmp_path: Path) -> None:
    data = UTKFace(data_root=trees.utkface(tmp_path))
    items = {Path(data[i]['path']).name.split('_')[0]: data[i] for i in range(len(data))}
    assert set(items) == {'26', '5', '70'}
    assert items['26']['groups'] == {'gender': 'male', 'race': 'Black', 'age': '18-29'}
    assert items['70']['gt'] == {'gender': 1, 'race': UTKFACE_RACE.index('Asian'), 'age': 4}
    assert len(data.skipped) == 2
    assert all('[age]_[gender 0-1]' in s.reason for s in data.skipped)


def test_utkface_age_bins(tmp_path: Path) -> None:
    data = UTKFace(data_root=trees.utkface(tmp_path), age_bins=(18, 40), tasks=['age'])
    assert data.metainfo['tasks'] == {'age': {'classes': ['18-39', '40+'], 'multi_label': False}}
    assert sorted(data[i]['gt']['age'] for i in range(len(data))) == [0, 1]
    assert 'younger than the first age bin, 18' in {s.reason for s in data.skipped}


def test_unknown_task_and_empty_folder(tmp_path: Path) -> None:
    trees.utkface(tmp_path)
    with pytest.raises(UserError, match=r"no task \['mood'\]; its tasks are \['gender', 'race', 'age'\]"):
        UTKFace(data_root=tmp_path, tasks=['mood'])
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match='no sample is left'):
        UTKFace(data_root=tmp_path / 'empty')
    with pytest.raises(UserError, match=r"part='val'\): no sample is left: its share is 0.01, and there are too few"):
        (tmp_path / 'one').mkdir()
        trees.image(tmp_path / 'one' / '26_0_1_20170104000000001.jpg')
        UTKFace(data_root=tmp_path / 'one', fractions={'train': 0.99, 'val': 0.01}, part='val')


def test_real_utkface_is_read_whole(shared_data: Path) -> None:
    data = UTKFace(data_root=shared_data / 'faces' / 'utkface')
    assert len(data) == 4039
    assert not data.skipped
