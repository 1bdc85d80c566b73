from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bmoe_ground import texts
from bmoe_ground.errors import UserError
from bmoe_ground.tables import Label, iter_table, read_labels, read_table
from bmoe_ground.texts import read_lines, read_text

cells = st.text(st.characters(codec='utf-8', exclude_categories=('C', 'Z')), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=5))
def test_what_python_writes_is_read_back(tmp_path: Path, rows: list[tuple[str, str, str]]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([('a', 'b', 'c'), *rows])
    (tmp_path / 't.csv').write_bytes(buffer.getvalue().encode())
    assert [tuple(row.values()) for row in read_table(tmp_path / 't.csv', ('c', 'a'))] == rows


def test_spreadsheets_ways_are_read(tmp_path: Path) -> None:
    path = tmp_path / 't.csv'
    path.write_bytes('\ufeffclip, start ,note\r\n\r\n a b.mp4 , 1.5, "x, y"\r\n,,\r\n"c\nd",2,\r\n'.encode())
    first, second = read_table(path, ('clip', 'start'))
    assert first == {'clip': 'a b.mp4', 'start': '1.5', 'note': 'x, y'}
    assert (first.line, first.where, first.number('start')) == (3, f'{path}:3', 1.5)
    assert second['clip'] == 'c\nd'
    assert (second.line, second.integer('start')) == (6, 2)  # the row ends on line 6


def test_other_delimiters(tmp_path: Path) -> None:
    for name, delimiter in (('t.tsv', '\t'), ('t.txt', ';'), ('t.ssv', ' ')):
        (tmp_path / name).write_text(f'a{delimiter}b\n1{delimiter}\n')
        assert list(iter_table(tmp_path / name, ['b'], delimiter)) == [{'a': '1', 'b': ''}]


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'', r't\.csv: empty; expected a header with the columns clip, end'),
        (b'\n \n', r't\.csv: empty'),
        (b'clip,end\n', r't\.csv: expected a header and at least one row'),
        (b'clip,label\na,b\n', r"t\.csv:1: no column 'end'; the columns are \['clip', 'label'\]"),
        (b'label\na\n', r"t\.csv:1: no column 'clip', 'end'"),
        (b'clip,end,end\na,1,2\n', r't\.csv:1: a column name appears twice'),
        (b'clip,end\na,1\nb\n', r't\.csv:3: 1 fields, but the header has 2'),
        (b'clip,end\na,1,2\n', r't\.csv:2: 3 fields, but the header has 2'),
        ('clip,end\nä,1\n'.encode('cp1252'), r't\.csv: cannot be read: not UTF-8 text .*save it as UTF-8'),
        ('clip,end\na,1'.encode('utf-16') + b'x', r't\.csv: cannot be read: not UTF-16-LE text'),
        (b'clip,end\na,1\0\n', r't\.csv:2: cannot be read: a NUL character'),
        (b'clip;end\na;1;2\n', r't\.csv:2: 3 fields, .* \(read as UTF-8 with semicolons between fields\)'),
        (b'clip;other\na;1\n', r"no column 'end'; the columns are \['clip', 'other'\] \(read as UTF-8 with semicolons"),
        (b'clip,end\na,"1\n' + b'b,2\n' * 50_000, r't\.csv:2: cannot be read: .*is a quotation mark not closed'),
        (b'clip,end\na,' + b'1' * 200_000 + b'\n', r't\.csv:2: cannot be read: field larger'),
    ],
)
def test_what_is_refused_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / 't.csv').write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_table(tmp_path / 't.csv', ('clip', 'end'))


def test_missing_files(tmp_path: Path) -> None:
    for read in (read_table, read_labels, read_lines, read_text):
        for path in (tmp_path / 'none.csv', tmp_path):
            with pytest.raises(UserError, match=f'{path}: cannot be read: no such file'):
                read(path)


def test_numbers_are_named(tmp_path: Path) -> None:
    (tmp_path / 't.csv').write_text('a,b\nx,nan\n')
    (row,) = read_table(tmp_path / 't.csv')
    with pytest.raises(UserError, match=r"t\.csv:2: a: expected a number, found 'x'"):
        row.number('a')
    with pytest.raises(UserError, match=r"t\.csv:2: b: expected a finite number, found 'nan'"):
        row.number('b')
    with pytest.raises(UserError, match=r"t\.csv:2: a: expected a whole number, found 'x'"):
        row.integer('a')


def test_lists_of_labels(tmp_path: Path) -> None:
    path = tmp_path / 'list.csv'
    path.write_bytes(b'\xef\xbb\xbfvideo,label,split\r\nnod/a.mp4, nod ,train\r\n\r\nb.mp4,\r\n"c,d.mp4",3\r\n')
    assert [line[:3] for line in read_labels(path)] == [
        ('nod/a.mp4', 'nod', 'train'),
        ('b.mp4', '', ''),
        ('c,d.mp4', '3', ''),
    ]
    assert [line.where for line in read_labels(path)] == [f'{path}:{n}' for n in (2, 4, 5)]
    path.write_text('video label\n0003 01.mp4   1\n')
    assert [line[:3] for line in read_labels(path)] == [('0003 01.mp4', '1', '')]
    for text in ('alone.mp4\n', 'a,b,c,d\n', ',b\n'):
        path.write_text(text)
        with pytest.raises(UserError, match=r'list\.csv:1: expected "video label" or'):
            read_labels(path)


TABLE = [('clip', 'start', 'note'), ('nod/a.mp4', '1.5', 'x, y'), ('ä;b.mp4', '2', 'two\nlines'), ('c.mp4', '3', '')]


@pytest.mark.parametrize('delimiter', [',', ';', '\t'])
@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-16-be', 'utf-32'])
@pytest.mark.parametrize('end', ['\n', '\r\n'])
def test_one_table_in_every_dialect(tmp_path: Path, delimiter: str, encoding: str, end: str) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator=end).writerows(TABLE)
    path = tmp_path / 't.csv'
    path.write_bytes(buffer.getvalue().encode(encoding))
    for required in (('start', 'clip'), ()):
        rows = read_table(path, required)
        assert [tuple(row.values()) for row in rows] == TABLE[1:]
        assert [row.line for row in rows] == [2, 4, 5]


def test_spreadsheets_leavings(tmp_path: Path) -> None:
    path = tmp_path / 't.csv'
    path.write_text('sep=;\nclip;start;;\na.mp4;1,5;;\nb.mp4;2\n')
    first, second = read_table(path, ('clip', 'start'))
    assert (first, first.line) == ({'clip': 'a.mp4', 'start': '1,5'}, 3)
    assert second.number('start') == 2
    with pytest.raises(UserError, match=r"t\.csv:3: start: .* found '1,5': a decimal comma; write 1\.5"):
        first.number('start')
    path.write_text('clip,note\na.mp4,1,5\n')
    with pytest.raises(UserError, match=r't\.csv:2: 3 fields, but the header has 2'):
        read_table(path)


def test_long_lines_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 't.csv'
    names = [f'column_{i}' for i in range(100_000)]
    path.write_text(','.join(['clip', *names]) + '\n' + ','.join(['a.mp4', *(['12'] * len(names))]) + '\n')
    (row,) = read_table(path, ('clip',))
    assert (len(row), row.integer('column_99999')) == (100_001, 12)
    path.write_text('x' * 1_000_000 + '\n')
    with pytest.raises(UserError, match=r"t\.csv:1: no column 'clip'|t\.csv:1: cannot be read") as raised:
        read_table(path, ('clip',))
    assert len(str(raised.value)) < 500 + len(str(path))
    monkeypatch.setattr(texts, 'MAX_LINE', 20)
    path.write_text('clip,end\n' + 'x' * 21)
    with pytest.raises(UserError, match=r't\.csv:2: cannot be read: a line of more than 20 characters'):
        read_table(path)


@pytest.mark.parametrize('delimiter', [',', ';', '\t'])
def test_lists_of_labels_with_a_header_are_tables(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / 'list.csv'
    rows = [['subject', 'video', 'note', 'label'], ['p1', 'a b.mp4', 'x', 'nod'], ['', 'c.mp4', '"two\nlines"', 'wave']]
    path.write_text('\n'.join(delimiter.join(row) for row in rows) + '\n', encoding='utf-16')
    assert read_labels(path) == [
        Label('a b.mp4', 'nod', '', f'{path}:2', 'p1'),
        Label('c.mp4', 'wave', '', f'{path}:4', ''),
    ]
    path.write_text(path.read_text('utf-16').replace('video', 'Video').replace('label', 'LABEL'))
    assert read_labels(path)[0][:2] == ('a b.mp4', 'nod')
    path.write_text(delimiter.join(['video', 'label']) + '\n' + delimiter.join(['a', 'b', 'c']) + '\n')
    with pytest.raises(UserError, match=r'list\.csv:2: expected "video,label", found'):
        read_labels(path)


@pytest.mark.parametrize('delimiter', [',', ';', '\t'])
def test_lists_of_labels_without_a_header(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / 'list.txt'
    path.write_text('\n'.join(delimiter.join(row) for row in (('a b.mp4', 'nod', 'train'), ('c.mp4', 'wave', 'val'))))
    assert [line[:3] for line in read_labels(path)] == [('a b.mp4', 'nod', 'train'), ('c.mp4', 'wave', 'val')]
    path.write_text('a;b.mp4 nod\nc.mp4 wave\n')
    assert [line[:2] for line in read_labels(path)] == [('a;b.mp4', 'nod'), ('c.mp4', 'wave')]
