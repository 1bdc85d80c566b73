from __future__ import annotations

from pathlib import Path

import face_trees as trees
import numpy as np
import pytest

from bmoe_ground.errors import UserError
from face_aux.datasets import AffectNet, Fer2013, FerPlus, RafDb
from face_aux.datasets.emotion import majority_vote
from face_aux.labels import FERPLUS_EMOTION


def test_affectnet_csv_leaves_out_what_is_no_emotion(tmp_path: Path) -> None:
    data = AffectNet(data_root=trees.affectnet_csv(tmp_path), split='train', image_prefix='images')
    assert [data[i]['gt']['emotion'] for i in range(len(data))] == [0, 7, 3]
    assert data[0]['face_box'] == (2, 3, 10, 12)
    assert [s.reason for s in data.skipped] == ['expression 9 (Uncertain)', 'expression 10 (Non-face)']
    seven = AffectNet(data_root=tmp_path, image_prefix='images', contempt=False)
    assert [seven[i]['gt']['emotion'] for i in range(len(seven))] == [0, 3, 1]
    assert len(seven.metainfo['tasks']['emotion']['classes']) == 7


def test_affectnet_npy(tmp_path: Path) -> None:
    data = AffectNet(data_root=trees.affectnet_npy(tmp_path))
    assert [data[i]['gt']['emotion'] for i in range(len(data))] == [2, 7, 6]
    assert [Path(data[i]['path']).name for i in range(3)] == ['0.jpg', '1.jpg', '0.jpg']
    assert len(AffectNet(data_root=tmp_path, split='val')) == 1


def test_affectnet_refuses_pickled_annotations(tmp_path: Path) -> None:
    trees.affectnet_npy(tmp_path)
    np.save(tmp_path / 'train_set/annotations/0_exp.npy', np.array({'a': 1}, dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match=r'0_exp.npy: not a one-value .npy file'):
        AffectNet(data_root=tmp_path)


def test_affectnet_errors_name_the_line(tmp_path: Path) -> None:
    trees.affectnet_csv(tmp_path)
    path = tmp_path / 'validation.csv'
    path.write_text(path.read_text().replace(',1,0.1', ',11,0.1'))
    with pytest.raises(UserError, match=r'validation.csv:2: expression 11, expected 0 to 10'):
        AffectNet(data_root=tmp_path, image_prefix='images')


def test_group_file_joins_outside_annotations(tmp_path: Path) -> None:
    trees.affectnet_npy(tmp_path)
    (tmp_path / 'groups.csv').write_text('img,race,gender\ntrain_set/images/1.jpg,Asian,female\nother.jpg,White,male\n')
    spec = {'file': 'groups.csv', 'key': 'img', 'columns': ['race', 'gender']}
    data = AffectNet(data_root=tmp_path, split='train', group_file=spec)
    assert [data[i]['groups'] for i in range(2)] == [{}, {'race': 'Asian', 'gender': 'female'}]
    with pytest.raises(UserError, match=r"groups.csv: no 'img' matches a sample by stem"):
        AffectNet(data_root=tmp_path, group_file={**spec, 'match': 'stem'})


def test_rafdb_labels_and_groups(tmp_path: Path) -> None:
    trees.rafdb(tmp_path)
    train = RafDb(data_root=tmp_path, split='train')
    assert [train[i]['gt']['emotion'] for i in range(2)] == [4, 6]  # 5 = Sadness, 7 = Neutral, counted from 1
    assert train[1]['groups'] == {'gender': 'female', 'race': 'African-American', 'age': '40-69'}
    test = RafDb(data_root=tmp_path, split='test')
    assert test[0]['groups'] == {'gender': 'unsure', 'race': 'Asian', 'age': '70+'}
    assert Path(test[0]['path']).name == 'test_0001_aligned.jpg'


def test_rafdb_without_attributes_and_with_bad_ones(tmp_path: Path) -> None:
    trees.rafdb(tmp_path)
    manual = tmp_path / 'basic/Annotation/manual'
    (manual / 'train_00001_manu_attri.txt').unlink()
    assert RafDb(data_root=tmp_path, split='train')[0]['groups'] == {}
    (manual / 'train_00002_manu_attri.txt').write_text('1 2\n' * 5 + '0\n9\n2\n')
    with pytest.raises(UserError, match=r'train_00002_manu_attri.txt: race is 9, expected 0 to 2'):
        RafDb(data_root=tmp_path)
    label = tmp_path / 'basic/EmoLabel/list_patition_label.txt'
    label.write_text('train_00001.jpg 8\n')
    with pytest.raises(UserError, match=r'list_patition_label.txt:1: label 8, expected 1 to 7'):
        RafDb(data_root=tmp_path)


def test_fer2013_csv(tmp_path: Path) -> None:
    data = Fer2013(data_root=trees.fer2013(tmp_path), split='PublicTest')
    assert len(data) == 1
    assert data[0]['gt'] == {'emotion': 3}
    assert data[0]['array'].shape == (48, 48)
    assert (data[0]['array'] == 30).all()
    with pytest.raises(UserError, match='no such split; FER2013 has'):
        Fer2013(data_root=tmp_path, split='test')


def test_fer2013_npz_equals_csv(tmp_path: Path) -> None:
    table = Fer2013(data_root=trees.fer2013(tmp_path), split='Training')
    folder = tmp_path / 'npz'
    folder.mkdir()
    items = [table[i] for i in range(3)]
    np.savez(folder / 'Training.npz', x=np.stack([i['array'] for i in items]), y=[i['gt']['emotion'] for i in items])
    data = Fer2013(data_root=folder, split='Training')
    for i, item in enumerate(items):
        assert data[i]['gt'] == item['gt']
        np.testing.assert_array_equal(data[i]['array'], item['array'])
    np.savez(folder / 'Training.npz', x=np.zeros((1, 48, 48)), y=[0])
    with pytest.raises(UserError, match=r'Training.npz: x is float64'):
        Fer2013(data_root=folder, split='Training')
    np.savez_compressed(folder / 'Training.npz', x=np.zeros((200_000, 48, 48), np.uint8), y=np.zeros(200_000, int))
    with pytest.raises(UserError, match=r'Training.npz: would unpack to 0\.4 GiB'):
        Fer2013(data_root=folder, split='Training')


def test_fer2013_errors_name_the_line(tmp_path: Path) -> None:
    trees.fer2013(tmp_path)
    path = tmp_path / 'fer2013.csv'
    path.write_text(path.read_text().replace('1,10 10', '1,10', 1))
    with pytest.raises(UserError, match=r'fer2013.csv:3: expected 2304 pixels .* found 2303'):
        Fer2013(data_root=tmp_path)


def test_ferplus_majority(tmp_path: Path) -> None:
    data = FerPlus(data_root=trees.ferplus(tmp_path))
    labels = [FERPLUS_EMOTION[data[i]['gt']['emotion']] for i in range(len(data))]
    assert labels == ['happiness', 'contempt']
    assert (data[0]['array'] == 10).all()
    assert [s.reason for s in data.skipped] == ['no majority', 'majority says NF', 'majority says unknown']


def test_ferplus_rows_must_match(tmp_path: Path) -> None:
    trees.ferplus(tmp_path)
    path = tmp_path / 'fer2013new.csv'
    rows = path.read_text().splitlines()
    path.write_text('\n'.join([*rows[:3], rows[4], rows[3], rows[5]]))
    with pytest.raises(UserError, match=r"fer2013new.csv:4: Usage 'PublicTest', but .*fer2013.csv:4 has 'Training'"):
        FerPlus(data_root=tmp_path)


def test_majority_vote_by_hand() -> None:
    assert majority_vote([4, 1, 1, 1, 1, 1, 1, 0, 0, 0]) == 0  # the single votes are outliers
    assert majority_vote([5, 5, 0, 0, 0, 0, 0, 0, 0, 0]) is None
    assert majority_vote([1] * 10) is None


def test_real_fer2013_sizes(shared_data: Path) -> None:
    root = shared_data / 'faces' / 'fer2013'
    assert len(Fer2013(data_root=root, split='Training')) == 28709
    assert len(Fer2013(data_root=root, split='PublicTest')) == 3589
