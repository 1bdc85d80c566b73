from __future__ import annotations

import json
from pathlib import Path

import pytest

from bmoe_ground.errors import UserError
from pose_extract.boxes import read_boxes

HEADER = 'video,frame,x1,y1,x2,y2,score,id\n'


def test_csv_and_json_say_the_same(tmp_path: Path) -> None:
    table = tmp_path / 'boxes.csv'
    table.write_text(HEADER + 'nod/a.mp4,0,1,2,30,40.5,0.9,7\nnod/a.mp4,0,50,2,70,40,0.8,3\nb.mp4,12,0,0,5,5,,\n')
    objects = [
        {'video': 'nod/a.mp4', 'frame': 0, 'x1': 1, 'y1': 2, 'x2': 30, 'y2': 40.5, 'score': 0.9, 'id': 7},
        {'video': 'nod/a.mp4', 'frame': 0, 'x1': 50, 'y1': 2, 'x2': 70, 'y2': 40, 'score': 0.8, 'id': 3},
        {'video': 'b.mp4', 'frame': 12, 'x1': 0, 'y1': 0, 'x2': 5, 'y2': 5},
    ]
    listing = tmp_path / 'boxes.json'
    listing.write_text(json.dumps(objects))
    for path in (table, listing):
        boxes = read_boxes(path)
        assert sorted(boxes) == ['b.mp4', 'nod/a.mp4']
        first = boxes['nod/a.mp4'](0)
        assert first.boxes.tolist() == [[1, 2, 30, 40.5], [50, 2, 70, 40]]
        assert first.ids.tolist() == [7, 3]
        assert first.scores.tolist() == pytest.approx([0.9, 0.8])
        assert len(boxes['nod/a.mp4'](1)) == 0
        assert boxes['b.mp4'](12).ids is None
        assert boxes['b.mp4'](12).scores.tolist() == [1]


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('video,frame,x1,y1,x2\na,0,1,2,3\n', r"boxes\.csv:1: no column 'y2'"),
        (HEADER + 'a,0,5,2,3,4,1,0\n', 'x1 < x2'),
        (HEADER + 'a,0.5,1,2,3,4,1,0\n', 'frame must be a whole number'),
        (HEADER + 'a,0,1,2,nan,4,1,0\n', 'x2 must be a finite number'),
        (HEADER + 'a,0,1,2,3,four,1,0\n', "y2 must be a number, got 'four'"),
        (HEADER + 'a,0,1,2,3,4,7,0\n', 'score must lie in 0..1'),
        (HEADER + 'a,0,1,2,3,4,1,0\na,0,5,6,7,8,1,0\n', 'an id of its own'),
        (HEADER + 'a,0,1,2,3,4,1,0\na,0,5,6,7,8,1,\n', 'an id of its own'),
        (HEADER, 'no boxes'),
        ('\x00\xff', 'cannot be read'),
        (HEADER + 'a,0,1,2,3,4\n', r'boxes\.csv:2: 6 fields, but the header has 8'),
        (HEADER + 'a,0,1,,3,4,1,0\n', r'boxes\.csv:2: y1 missing'),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / 'boxes.csv'
    path.write_bytes(text.encode('latin-1'))
    with pytest.raises(UserError, match=message):
        read_boxes(path)


def test_other_kinds_of_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='.csv or .json'):
        read_boxes(tmp_path / 'boxes.txt')
    (tmp_path / 'boxes.json').write_text('{"a": 1}')
    with pytest.raises(UserError, match='list of objects'):
        read_boxes(tmp_path / 'boxes.json')
