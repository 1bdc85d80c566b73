from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bmoe_ground.errors import UserError
from face_aux.datasets import CsvFaces
from face_aux.datasets.boxes import find_box_columns
from face_aux.transforms import LoadFace

LABELS = {'gender': ['male', 'female']}


def write(root: Path, header: str, rows: list[str]) -> Path:
    pixels = np.zeros((60, 80, 3), np.uint8)
    pixels[10:30, 10:30], pixels[20:50, 40:70] = 100, 200
    for name in 'ab':
        Image.fromarray(pixels).save(root / f'{name}.png')
    (root / 'labels.csv').write_text('\n'.join([header, *rows]))
    return root


@pytest.mark.parametrize(('header', 'rows'), [
    ('path,gender,x,y,w,h', ['a.png,male,10,10,20,20', 'a.png,female,40,20,30,30', 'b.png,male,,,,']),
    ('path,gender,X1,Y1,X2,Y2', ['a.png,male,10,10,30,30', 'a.png,female,40,20,70,50', 'b.png,male,,,,']),
    ('path,gender,xmin,ymin,xmax,ymax', ['a.png,male,10,10,30,30', 'a.png,female,40,20,70,50', 'b.png,male,,,,']),
])  # fmt: skip
def test_several_faces_an_image(tmp_path: Path, header: str, rows: list[str]) -> None:
    data = CsvFaces(data_root=write(tmp_path, header, rows), labels=LABELS, pipeline=[LoadFace()])
    assert [data[i]['gt']['gender'] for i in range(3)] == [0, 1, 0]
    assert [data[i].get('face_box') for i in range(3)] == [(10, 10, 20, 20), (40, 20, 30, 30), None]
    levels = [data[i]['frames'][0][8:-8, 8:-8].mean() for i in range(2)]
    assert levels == pytest.approx([100, 200])  # each was cut out, though the pipeline did not say so
    assert data[2]['frames'][0].shape == (60, 80, 3)


def test_faces_of_one_image_are_never_parted(tmp_path: Path) -> None:
    rows, people = [], 12
    for i in range(people):
        Image.new('RGB', (50, 20), (i, i, i)).save(tmp_path / f'{i}.png')
        rows += [f'{i}.png,male,p{i},0,0,10,10', f'{i}.png,female,p{(i + 1) % 4 + 20},20,0,10,10']
    (tmp_path / 'labels.csv').write_text('\n'.join(['path,gender,person,x,y,w,h', *rows]))
    parts = []
    for part in ('train', 'val'):
        data = CsvFaces(data_root=tmp_path, labels=LABELS, subject_column='person', part=part,
                        fractions={'train': 0.5, 'val': 0.5})  # fmt: skip
        parts.append([data[i]['path'] for i in range(len(data))])
        assert not data.skipped
    assert not set(parts[0]) & set(parts[1])
    assert len(parts[0]) + len(parts[1]) == 2 * people
    assert parts[0]
    assert parts[1]


@pytest.mark.parametrize(('cells', 'message'), [
    ('1,2,nan,4', 'expected four numbers of pixels'), ('1,2,,4', 'expected four numbers'),
    ('1,2,a,4', 'expected four numbers'), ('1,2,0,4', '0 wide'), ('1,2,3,-4', '-4 high'), ('inf,2,3,4', 'four numbers'),
])  # fmt: skip
def test_boxes_that_are_none_are_named(tmp_path: Path, cells: str, message: str) -> None:
    write(tmp_path, 'path,gender,x,y,w,h', [f'a.png,male,{cells}'])
    with pytest.raises(UserError, match=rf'labels.csv:2: .*{message}'):
        CsvFaces(data_root=tmp_path, labels=LABELS)


def test_a_box_beside_the_image_is_refused(tmp_path: Path) -> None:
    write(tmp_path, 'path,gender,x,y,w,h', ['a.png,male,500,500,20,20'])
    with pytest.raises(UserError, match=r'a.png: the face box 500, 500, 20, 20 lies outside'):
        CsvFaces(data_root=tmp_path, labels=LABELS, pipeline=[LoadFace()])[0]


def test_without_boxes_two_labels_are_a_contradiction(tmp_path: Path) -> None:
    write(tmp_path, 'path,gender', ['a.png,male', 'a.png,female'])
    with pytest.raises(UserError, match=r'labels.csv:3: .*another label .*:2; if these are several faces'):
        CsvFaces(data_root=tmp_path, labels=LABELS)
    with pytest.raises(UserError, match=r"box_columns=\['a', 'b', 'c', 'd'\]; name the four columns"):
        CsvFaces(data_root=tmp_path, labels=LABELS, box_columns=['a', 'b', 'c', 'd'])
    assert find_box_columns(['path', 'x', 'y']) is None
