from __future__ import annotations

from pathlib import Path

import face_trees as trees
import pytest

from bmoe_ground.errors import UserError
from face_aux.datasets import CsvFaces, FolderFaces


def write(root: Path, text: str, encoding: str = 'utf-8') -> Path:
    (root / 'labels.csv').write_bytes(text.encode(encoding))
    for name in ('a.jpg', 'b.jpg', 'c.jpg', 'd.jpg'):
        trees.image(root / 'img' / name, seed=ord(name[0]))
    return root


LABELS = {'gender': ['male', 'female']}


def test_windows_file_with_bom(tmp_path: Path) -> None:
    text = 'path,gender,race,age\r\nimg/a.jpg,male,"Asian, East",30\r\nimg\\b.jpg,female,,17\r\n\r\n'
    write(tmp_path, text, 'utf-8-sig')
    data = CsvFaces(data_root=tmp_path, labels=LABELS, group_columns=['race', {'age': [0, 18, 40]}])
    assert [data[i]['gt'] for i in range(2)] == [{'gender': 0}, {'gender': 1}]
    assert data[0]['groups'] == {'race': 'Asian, East', 'age': '18-39'}
    assert data[1]['groups'] == {'age': '0-17'}


def test_several_kinds_of_task(tmp_path: Path) -> None:
    write(tmp_path, 'path,sex,years,Smiling,Hat\nimg/a.jpg,f,40,1,0\nimg/b.jpg,,7,-1,\n')
    labels = {
        'gender': {'column': 'sex', 'classes': ['m', 'f']},
        'age': {'column': 'years', 'bins': [0, 18]},
        'attributes': {'columns': ['Smiling', 'Hat']},
    }
    data = CsvFaces(data_root=tmp_path, labels=labels)
    assert data[0]['gt'] == {'gender': 1, 'age': 1, 'attributes': [1, 0]}
    assert data[1]['gt'] == {'gender': -1, 'age': 0, 'attributes': [-1, -1]}
    assert data.metainfo['tasks']['attributes'] == {'classes': ['Smiling', 'Hat'], 'multi_label': True}


def test_split_subject_and_video_columns(tmp_path: Path) -> None:
    rows = ['img/a.jpg,male,train,p1,v', 'img/b.jpg,male,train,p1,v', 'img/c.jpg,female,train,p2,w',
            'img/d.jpg,female,test,p3,']  # fmt: skip
    write(tmp_path, '\n'.join(['path,gender,part,person,clip', *rows]))
    columns = {'split_column': 'part', 'subject_column': 'person', 'video_column': 'clip'}
    test = CsvFaces(data_root=tmp_path, labels=LABELS, split='test', **columns)
    assert len(test) == 1
    halves = [
        CsvFaces(data_root=tmp_path, labels=LABELS, split='train', fractions={'x': 0.5, 'y': 0.5}, part=p, **columns)
        for p in 'xy'
    ]
    videos = sorted(sorted({str(h[i]['video_id']) for i in range(len(h))}) for h in halves)
    assert videos == [['v'], ['w']]
    with pytest.raises(UserError, match=r"no sample in this split; the splits found are \{'train': 3, 'test': 1\}"):
        CsvFaces(data_root=tmp_path, labels=LABELS, split='val', **columns)


def test_split_by_subject_takes_the_column_of_that_name(tmp_path: Path) -> None:
    rows = [f'{i}.png,{("male", "female")[i % 2]},p{i // 4}' for i in range(24)]
    write(tmp_path, '\n'.join(['path,gender,subject', *rows]))
    for i in range(24):
        trees.image(tmp_path / f'{i}.png', seed=i)
    halves = [
        CsvFaces(data_root=tmp_path, labels={'gender': ['male', 'female']}, split_by='subject', part=part,
                 fractions={'x': 0.5, 'y': 0.5})
        for part in 'xy'
    ]  # fmt: skip
    seen = [{int(Path(half[i]['path']).stem) // 4 for i in range(len(half))} for half in halves]
    assert seen[0] and seen[1] and not seen[0] & seen[1]
    with pytest.raises(UserError, match="split_by='view'; expected None or 'subject'"):
        CsvFaces(data_root=tmp_path, labels={'gender': ['male', 'female']}, split_by='view')


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('path,gender\nimg/a.jpg,robot\n', r"labels.csv:2: unknown label 'robot'; known labels: male, female"),
        ('path,gender\nimg/a.jpg,male\nimg/zz.jpg,male\n', r'labels.csv:3: no such file .*zz.jpg'),
        ('file,gender\nimg/a.jpg,male\n', r"labels.csv:1: no column 'path'; the columns are"),
        ('path,gender\nimg/a.jpg,male,extra\n', r'labels.csv:2: 3 fields, but the header has 2'),
        ('path,gender\n../../etc/x.jpg,male\n', r'labels.csv:2: .* leaves the folder'),
        ('path,gender\n,male\n', r"labels.csv:2: column 'path' is empty"),
        ('path,gender\nimg/a.jpg,male\nimg/a.jpg,female\n', r'labels.csv:3: .*another label than at .*labels.csv:2'),
        ('path,gender,gender\nimg/a.jpg,male,male\n', r'labels.csv:1: a column name appears twice'),
        ('', r'labels.csv: empty'),
    ],
)
def test_errors_name_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, text)
    with pytest.raises(UserError, match=message):
        CsvFaces(data_root=tmp_path, labels=LABELS)


def test_skips_are_reported(tmp_path: Path) -> None:
    write(tmp_path, 'path,gender\nimg/a.jpg,robot\nimg/b.jpg,male\nimg/b.jpg,male\nimg/zz.jpg,male\n')
    data = CsvFaces(data_root=tmp_path, labels=LABELS, unknown_label='skip', missing='skip')
    assert len(data) == 1
    found = {s.where.split(':')[-1]: s.reason for s in data.skipped}
    assert found['2'].startswith("unknown label 'robot'")
    assert found['4'] == 'listed twice'
    assert found['5'].startswith('no such file')


def test_other_encoding_and_arguments(tmp_path: Path) -> None:
    write(tmp_path, 'path,gender\nimg/a.jpg,male\n', 'utf-16')
    assert len(CsvFaces(data_root=tmp_path, labels=LABELS)) == 1
    write(tmp_path, 'path,gender\nimg/a.jpg,mâle\n', 'latin-1')
    with pytest.raises(UserError, match='not UTF-8 text'):
        CsvFaces(data_root=tmp_path, labels=LABELS)
    with pytest.raises(UserError, match='labels is empty'):
        CsvFaces(data_root=tmp_path)
    with pytest.raises(UserError, match="missing='ignore'; use one of"):
        CsvFaces(data_root=tmp_path, labels=LABELS, missing='ignore')
    with pytest.raises(UserError, match='give fractions and part together'):
        CsvFaces(data_root=tmp_path, labels=LABELS, part='train')


def test_folders(tmp_path: Path) -> None:
    for split in ('train', 'test'):
        for name, n in (('fake', 3), ('real', 2)):
            for i in range(n):
                trees.image(tmp_path / split / name / f'{i}.png', i)
    trees.video(tmp_path / 'test/fake/v.mp4', frames=3)
    (tmp_path / 'train/real/notes.txt').write_text('x')
    (tmp_path / 'train/real/.hidden.jpg').write_text('x')
    data = FolderFaces(data_root=tmp_path, task='fake', with_splits=True, split='train')
    assert data.metainfo['tasks']['fake']['classes'] == ['fake', 'real']
    assert [data[i]['gt']['fake'] for i in range(len(data))] == [0, 0, 0, 1, 1]
    assert [s.reason for s in data.skipped] == ['neither image nor video (.txt)']
    test = FolderFaces(data_root=tmp_path / 'test', task='fake', classes=['real', 'fake'])
    assert [test[i]['gt']['fake'] for i in range(len(test))] == [1, 1, 1, 1, 0, 0]
    assert [test[i]['media'] for i in range(len(test))].count('video') == 1
    with pytest.raises(UserError, match=r"fake: unknown label 'fake'; known labels: real"):
        FolderFaces(data_root=tmp_path / 'test', classes=['real'])


def test_real_or_fake_through_the_csv_reader(shared_data: Path) -> None:
    data = CsvFaces(
        data_root=shared_data / 'faces' / 'real_or_fake',
        path_column='file',
        labels={'fake': {'column': 'label', 'classes': ['real', 'fake']}},
        group_columns=['gender', 'glasses', {'age': [0, 30, 50]}],
    )
    assert sum(data[i]['gt']['fake'] for i in range(len(data))) == 124
    assert data[0]['groups'] == {'gender': 'female', 'glasses': 'NoGlasses', 'age': '0-29'}
