from __future__ import annotations

from pathlib import Path

import face_trees as trees
import pytest

from bmoe_ground.errors import UserError
from face_aux.datasets import CsvFaces, FolderFaces, RafDb
from face_aux.datasets.label_names import class_names, names_of_codes
from face_aux.labels import RAFDB_EMOTION

NAMES = list(RAFDB_EMOTION)


def codes_tree(root: Path, first: int = 1, count: int = 7) -> Path:
    rows = ['image,label']
    for code in range(first, first + count):
        trees.image(root / str(code) / f'train_{code}_aligned.jpg', code)
        rows.append(f'{code}/train_{code}_aligned.jpg,{code}')
    (root / 'labels.csv').write_text('\n'.join(rows) + '\n')
    return root


@pytest.mark.parametrize('classes', [NAMES, dict(zip(range(1, 8), NAMES, strict=True)),
                                     {str(i + 1): name for i, name in enumerate(NAMES)}])  # fmt: skip
def test_codes_get_their_names(tmp_path: Path, classes: object) -> None:
    codes_tree(tmp_path)
    folders = FolderFaces(data_root=tmp_path, classes=classes)
    table = CsvFaces(data_root=tmp_path, path_column='image', labels={'label': {'classes': classes}})
    for data in (folders, table):
        assert data.metainfo['tasks']['label']['classes'] == NAMES
        assert [data[i]['gt']['label'] for i in range(7)] == list(range(7))


def test_numbers_as_classes_are_taken_as_text(tmp_path: Path) -> None:
    codes_tree(tmp_path)
    table = CsvFaces(data_root=tmp_path, path_column='image', labels={'label': [7, 6, 5, 4, 3, 2, 1]})
    for data in (FolderFaces(data_root=tmp_path, classes=[1, 2, 3, 4, 5, 6, 7]), table):
        assert set(data.metainfo['tasks']['label']['classes']) == set('1234567')
        assert len(data) == 7


def test_codes_from_zero_and_codes_that_may_be_either(tmp_path: Path) -> None:
    data = FolderFaces(data_root=codes_tree(tmp_path / 'a', first=0), classes=NAMES)
    assert [data[i]['gt']['label'] for i in range(7)] == list(range(7))
    codes_tree(tmp_path / 'b', count=6)
    with pytest.raises(UserError, match=r"labels 1, 2, 3, 4, 5, 6 may count from 0 or from 1; .*\{'1': 'Surprise'"):
        FolderFaces(data_root=tmp_path / 'b', classes=NAMES)
    codes_tree(tmp_path / 'c', first=2)
    with pytest.raises(UserError, match='do not fit the 7 names'):
        FolderFaces(data_root=tmp_path / 'c', classes=NAMES)


def test_names_in_the_data_are_left_alone() -> None:
    assert names_of_codes(['male', '', 'female'], ['male', 'female'], 'x') == {}
    assert names_of_codes(['1', 'female'], ['male', 'female'], 'x') == {}
    assert names_of_codes(['01', '02', '03'], ['a', 'b', 'c'], 'x') == {'01': 'a', '02': 'b', '03': 'c'}


@pytest.mark.parametrize(('classes', 'message'), [('happy', 'give a list of names'), (3, 'give a list of names'),
                                                  (['a', 'a'], 'more than once'), ([['a']], 'no class name'),
                                                  ({1: None}, 'no class name')])  # fmt: skip
def test_classes_that_are_none(classes: object, message: str) -> None:
    with pytest.raises(UserError, match=f'here: .*{message}'):
        class_names(classes, 'here')  # type: ignore[arg-type]


def test_rafdb_with_a_folder_a_code(tmp_path: Path) -> None:
    codes_tree(tmp_path / 'DATASET' / 'train')
    codes_tree(tmp_path / 'DATASET' / 'test')
    data = RafDb(data_root=tmp_path, split='test')
    assert [data[i]['gt']['emotion'] for i in range(len(data))] == list(range(7))
    assert len(RafDb(data_root=tmp_path)) == 14
