from __future__ import annotations

from pathlib import Path

import pytest

from bmoe_ground.errors import UserError
from bmoe_skel.datasets.event_tables import read_event_tables


def test_what_inference_and_its_page_write(tmp_path: Path) -> None:
    table = tmp_path / 'events.csv'
    table.write_text(
        'video,start,end,person,label,score,region,source,routing_head,routing_body,routing_upper,routing_lower\n'
        'nod/a.mp4,0.500,1.200,0,nod,0.9,head,model,0.7,0.1,0.1,0.1\n'
        "b.mp4,2.000,2.500,1,'=1+1,1,,person,,,,\n"
        'nod/a.mp4,0.500,1.200,0,nod,0.9,head,model,0.7,0.1,0.1,0.1\n'
    )
    first, second = read_event_tables(table)
    assert first[:5] == ('nod/a.mp4', 0.5, 1.2, 0, 'nod')
    assert second[:5] == ('b.mp4', 2.0, 2.5, 1, '=1+1')  # the apostrophe kept a spreadsheet from computing it
    assert first.where == f'{table}:2'


def test_a_table_of_any_program(tmp_path: Path) -> None:
    (tmp_path / 'talk.mp4.csv').write_bytes('\ufefflabel;start;end;coder\r\nnod;0.5;1;ann\r\n'.encode())
    (event,) = read_event_tables(str(tmp_path / 'talk.mp4.csv'))
    assert event[:7] == ('talk.mp4', 0.5, 1.0, None, 'nod', '', '')


def test_a_folder_of_tables_is_named_by_its_videos(tmp_path: Path) -> None:
    for name in ('a.mp4', 'nod/b.mp4'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f'{name}.events.csv').write_text('start,end,label,person\n0,1,nod,0\n')
    (tmp_path / 'a.mp4.signals.csv').write_text('time,yaw\n0,1\n')
    (tmp_path / 'events.csv').write_text('video,start,end,label\na.mp4,5,6,wave\n')
    assert [event.video for event in read_event_tables(tmp_path)] == ['a.mp4', 'nod/b.mp4']
    assert len(read_event_tables([tmp_path, tmp_path / 'events.csv'])) == 3


@pytest.mark.parametrize(
    ('row', 'message'),
    [
        ('2,1,nod,0', r't.csv:2: expected 0 <= start <= end, found 2.0 and 1.0'),
        ('-1,1,nod,0', 'expected 0 <= start'),
        ('x,1,nod,0', "start: expected a number, found 'x'"),
        ('nan,1,nod,0', 'start: expected a finite number'),
        ('0,1,,0', 'an event without label'),
        ('0,1,nod,-2', 'person: must be 0 or more, found -2'),
        ('0,1,nod,p1', "person: expected a whole number, found 'p1'"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: str, message: str) -> None:
    (tmp_path / 't.csv').write_text(f'start,end,label,person\n{row}\n')
    with pytest.raises(UserError, match=message):
        read_event_tables(tmp_path / 't.csv')


def test_nothing_to_read(tmp_path: Path) -> None:
    (tmp_path / 'x.csv').write_text('start,stop,label\n0,1,nod\n')
    with pytest.raises(UserError, match="no column 'end'"):
        read_event_tables(tmp_path / 'x.csv')
    with pytest.raises(UserError, match='holds no table of events'):
        read_event_tables(tmp_path)
    with pytest.raises(UserError, match='no table of events given'):
        read_event_tables([])


def write_eaf(path: Path, label: str, start: int = 500) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f'<ANNOTATION_DOCUMENT><TIME_ORDER><TIME_SLOT TIME_SLOT_ID="a" TIME_VALUE="{start}"/><TIME_SLOT'
        ' TIME_SLOT_ID="b" TIME_VALUE="1200"/></TIME_ORDER><TIER TIER_ID="person 1"><ANNOTATION><ALIGNABLE_ANNOTATION'
        f' TIME_SLOT_REF1="a" TIME_SLOT_REF2="b"><ANNOTATION_VALUE>{label}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION>'
        '</ANNOTATION></TIER></ANNOTATION_DOCUMENT>'
    )


def test_elan_files_alone_in_a_folder_and_beside_tables(tmp_path: Path) -> None:
    write_eaf(tmp_path / 'nod' / 'b.mp4.eaf', 'nod')
    (tmp_path / 'a.mp4.events.csv').write_text('start,end,label,person\n0,1,wave,0\n')
    (event,) = read_event_tables(tmp_path / 'nod' / 'b.mp4.eaf')
    assert event[:7] == ('b.mp4', 0.5, 1.2, 1, 'nod', '', '')
    assert [event.video for event in read_event_tables(tmp_path)] == ['a.mp4', 'nod/b.mp4']
    write_eaf(tmp_path / 'a.mp4.eaf', 'nod')
    with pytest.raises(UserError, match=r'a\.mp4\.eaf and a\.mp4\.events\.csv are of one video'):
        read_event_tables(tmp_path)
    write_eaf(tmp_path / 'c.eaf', 'nod', start=1300)
    with pytest.raises(UserError, match='ends before it starts'):
        read_event_tables(tmp_path / 'c.eaf')
