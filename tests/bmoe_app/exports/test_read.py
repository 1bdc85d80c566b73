"""Events read back from tables and JSON, and refused by place."""

from __future__ import annotations

from pathlib import Path

import pytest
from answers import made_up_answer

from bmoe_app.answer import Event
from bmoe_app.exports import read_event_table, read_events, write_event_table, write_export
from bmoe_ground.errors import UserError


@pytest.mark.parametrize(('kind', 'name'), [('csv', 'a.events.csv'), ('json', 'a.json')])
def test_what_was_written_is_read(tmp_path: Path, kind: str, name: str) -> None:
    answer = made_up_answer()
    write_export(kind, tmp_path / name, answer)
    read = read_events(tmp_path / name)
    assert [e.as_dict() for e in read] == [e.as_dict() for e in sorted(answer.events, key=lambda e: e.start)]


def test_the_table_of_many_videos(tmp_path: Path) -> None:
    events = {'=b.mp4': [Event(0, 1, 0, 'nod', 0.5)], 'a.mp4': [Event(2, 3, 1, 'tilt', 0.5)]}
    write_event_table(tmp_path / 'events.csv', events)
    assert read_event_table(tmp_path / 'events.csv') == events
    with pytest.raises(UserError, match='2 videos'):
        read_events(tmp_path / 'events.csv')


def test_a_row_added_by_hand_is_a_persons(tmp_path: Path) -> None:
    (tmp_path / 'a.csv').write_text('start;end;person;label\n1;2;0;sigh\n')
    assert read_events(tmp_path / 'a.csv') == [Event(1, 2, 0, 'sigh', 1.0, source='person')]


@pytest.mark.parametrize(
    ('name', 'text', 'told'),
    [
        ('a.csv', 'start,end,person,label\n2,1,0,nod\n', 'a.csv:2: an event must end'),
        ('a.csv', 'start,end,person,label\n1,2,x,nod\n', 'a.csv:2: person'),
        ('a.csv', 'start,end,person,label\n1,2,0,\n', 'label: empty'),
        ('a.csv', 'start,end,person,label\n1,1e300,0,nod\n', 'seconds within'),
        ('a.json', '{"events": [{"start": 1, "end": 1e999, "person": 0, "label": "x"}]}', 'event 0: end'),
        ('a.json', '{"events": [{"start": 1, "end": 2, "person": true, "label": "x"}]}', 'person'),
        ('a.json', '{"events": [{"start": 1, "end": 2, "person": 0, "label": "x", "region": []}, 3]}', 'event 1'),
        ('a.json', '[' * 100_000, 'not JSON'),
        ('a.xml', '', 'expected events as'),
    ],
)
def test_what_makes_no_sense_is_named(tmp_path: Path, name: str, text: str, told: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=told):
        read_events(tmp_path / name)
