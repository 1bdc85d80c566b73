from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import pytest

from face_aux.predictions import Prediction, count_files, csv_text, json_text, rows_of_csv, write_predictions

TASKS = {'light': ['dark', 'bright']}
NAMES = [
    os.fsdecode(b'caf\xe9.jpg'),  # Latin-1 on a disk of a UTF-8 system
    'two\nlines.jpg',
    'a, "b"; c.jpg',
    '=HYPERLINK("http://x","y").jpg',
    '+1.jpg',
    '-2+3.jpg',
    '@SUM(A1).jpg',
    '\ttab.jpg',
    '😀' * 30 + '.jpg',
]


@pytest.mark.parametrize('suffix', ['csv', 'json'])
@pytest.mark.parametrize('name', NAMES)
def test_results_are_written_whatever_a_file_is_called(tmp_path: Path, name: str, suffix: str) -> None:
    row = Prediction(name, 'image', message=f'{name}: odd', face=0, scores={'light': {'dark': 0.25, 'bright': 0.75}},
                     labels={'light': 'bright'})  # fmt: skip
    path = tmp_path / f'out.{suffix}'
    write_predictions(path, [row, row], TASKS, {'checkpoint': name})
    text = path.read_bytes().decode('utf-8')
    expected = name.replace('\udce9', '\\xe9')
    if suffix == 'json':
        assert [found['file'] for found in json.loads(text)['predictions']] == [expected] * 2
        return
    first, second = csv.DictReader(io.StringIO(text, newline=''))
    assert first == second
    assert first['file'].lstrip("'") == expected
    assert not first['file'].startswith(('=', '+', '-', '@', '\t'))
    assert first['light'] == 'bright'
    assert [found.file for found in rows_of_csv(path)] == [expected] * 2


def test_numbers_stay_numbers() -> None:
    row = Prediction('a.jpg', 'image', box=(-3.0, 1, 2, 3), scores={'t': {'-1': 1.0}}, labels={'t': '-1'})
    (cells,) = csv.DictReader(io.StringIO(csv_text([row], {'t': ['-1']})))
    assert (cells['x1'], cells['t']) == ('-3.0', '-1')


def test_rows_are_read_back(tmp_path: Path) -> None:
    rows = [Prediction('v.mp4', 'frame', frame=3, time=0.125, face=0, box=(1.5, 2, 3, 4), confidence=0.5),
            Prediction('v.mp4', 'video', face=0, samples=7),
            Prediction('x', 'image', 'no face', 'no face found')]  # fmt: skip
    write_predictions(tmp_path / 'a.csv', rows, {}, {})
    assert rows_of_csv(tmp_path / 'a.csv') == rows
    assert rows_of_csv(tmp_path / 'none.csv') == []


@pytest.mark.parametrize('content', [b'', b'\xff\xfe\0', b'path,label\na,b\n', b'file,level,status\n"open',
                                     b'file,level,status,message,frame,time,face,x1,y1,x2,y2,confidence,samples\n'
                                     b'a,image,ok,,x,,,,,,,,\n'])  # fmt: skip
def test_another_table_or_a_damaged_one_gives_no_rows(tmp_path: Path, content: bytes) -> None:
    (tmp_path / 'a.csv').write_bytes(content)
    assert rows_of_csv(tmp_path / 'a.csv') == []


def test_a_failed_face_makes_its_file_failed() -> None:
    rows = [Prediction('a', 'image'), Prediction('a', 'image', 'failed'), Prediction('a', 'image'),
            Prediction('b', 'frame', 'no face'), Prediction('b', 'frame')]  # fmt: skip
    assert count_files(rows) == {'failed': 1, 'ok': 1}
    assert json.loads(json_text(rows, {}, {}))['files'] == {'failed': 1, 'ok': 1}
