"""Corrected ELAN files, and hostile ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from answers import made_up_answer

from bmoe_app.answer import Event
from bmoe_app.exports import read_events, write_export
from bmoe_ground.errors import UserError

EVENTS = [Event(0.2, 0.8, 0, 'nod', 0.75, 'head'), Event(1.2, 1.6, 1, 'a | <b>', 0.5, source='rule')]


def test_untouched_events_keep_what_was_said(tmp_path: Path) -> None:
    write_export('eaf', tmp_path / 'a.eaf', made_up_answer(EVENTS))
    assert read_events(tmp_path / 'a.eaf') == EVENTS


@pytest.mark.parametrize(
    ('old', 'new', 'event'),
    [
        ('>nod</', '>sigh</', Event(0.2, 0.8, 0, 'sigh', 1, 'head', source='person')),
        ('"200"', '"300"', Event(0.3, 0.8, 0, 'nod', 1, 'head', source='person')),
        ('>head</', '>upper</', Event(0.2, 0.8, 0, 'nod', 1, 'upper', source='person')),
    ],
)
def test_what_a_person_changed_is_the_persons(tmp_path: Path, old: str, new: str, event: Event) -> None:
    file = tmp_path / 'a.eaf'
    write_export('eaf', file, made_up_answer(EVENTS))
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    assert read_events(file) == [event, EVENTS[1]]


@pytest.mark.parametrize(
    ('text', 'told'),
    [
        ('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', 'declares'),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', 'declares'),
        ('<html/>', 'outermost'),
        ('<a>', 'damaged'),
        ('', 'damaged'),
    ],
)
def test_hostile_files_are_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / 'a.eaf').write_text(text)
    with pytest.raises(UserError, match=told):
        read_events(tmp_path / 'a.eaf')


def test_a_tier_of_nobody_is_refused_and_a_note_left_out(tmp_path: Path) -> None:
    file = tmp_path / 'a.eaf'
    write_export('eaf', file, made_up_answer(EVENTS[:1]))
    text = file.read_text().replace('PARTICIPANT="person 0"', '')
    file.write_text(text.replace('"person 0', '"Ann'))
    with pytest.raises(UserError, match='participant'):
        read_events(file)
    file.write_text(text.replace('"person 0', '"note 0'))
    assert read_events(file) == []
