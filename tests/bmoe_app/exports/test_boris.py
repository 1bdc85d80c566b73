"""BORIS projects, held against the structure of format 7.0 as BORIS 8.27.4 checks and pairs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from answers import HOSTILE, made_up_answer

from bmoe_app.answer import Event
from bmoe_app.exports import write_export

FIELDS = {'type', 'key', 'code', 'description', 'color', 'category', 'modifiers', 'excluded', 'coding map'}


def pairs(project: dict[str, Any]) -> set[tuple[str, str, float, float]]:
    """Subject, behaviour, start and stop of each state; raises where the project is not as BORIS reads it."""
    assert project['project_format_version'] == '7.0'
    codes = set()
    for behaviour in project['behaviors_conf'].values():
        assert set(behaviour) == FIELDS
        assert behaviour['type'] == 'State event'
        assert '|' not in behaviour['code']
        assert behaviour['code'] not in codes
        codes.add(behaviour['code'])
    names = [subject['name'] for subject in project['subjects_conf'].values()]
    ((_, observation),) = project['observations'].items()
    (media,) = observation['file']['1']
    assert all(media in observation['media_info'][of] for of in ('length', 'fps', 'hasVideo', 'hasAudio'))
    started: dict[tuple[str, str], float] = {}
    found, before = set(), 0.0
    for time, subject, code, modifier, comment, _frame in observation['events']:
        assert time >= before
        assert subject in names
        assert code in codes
        assert modifier == ''
        assert isinstance(comment, str)
        before = time
        if (subject, code) in started:
            found.add((subject, code, started.pop((subject, code)), time))
        else:
            started[subject, code] = time
    assert not started
    return found


def test_events_are_paired_states_of_subjects(tmp_path: Path) -> None:
    write_export('boris', tmp_path / 'out' / 'a.boris', made_up_answer(video=tmp_path / 'videos' / 'a.mp4'))
    project = json.loads((tmp_path / 'out' / 'a.boris').read_text(encoding='utf-8'))
    assert pairs(project) == {
        ('person 0', 'nod', 0.2, 0.8),
        ('person 0', HOSTILE, 0.5, 1.2),
        ('person 0', 'भाषा \u200d結', 1.2, 1.6),
        ('person 1', "'-x", 1.0, 1.001),
    }
    observation = project['observations']['a.mp4']
    assert observation['file']['1'] == ['../videos/a.mp4']
    assert observation['media_info']['length'] == {'../videos/a.mp4': 2.0}
    assert observation['media_info']['fps'] == {'../videos/a.mp4': 25.0}
    assert observation['events'][0][4] == 'model 0.7000 by head'


def test_the_same_label_twice_at_once_becomes_one_and_touching_ones_stay_two(tmp_path: Path) -> None:
    events = [Event(0.2, 0.8, 0, 'a|b', 0.7), Event(0.5, 1.0, 0, 'a|b', 0.6, source='rule'), Event(1, 2, 0, 'a|b', 1)]
    write_export('boris', tmp_path / 'a.boris', made_up_answer(events))
    project = json.loads((tmp_path / 'a.boris').read_text(encoding='utf-8'))
    assert pairs(project) == {('person 0', 'a¦b', 0.2, 1.0), ('person 0', 'a¦b', 1.0, 2.0)}
    assert project['observations']['a.mp4']['events'][0][4] == 'model 0.7000; rule 0.6000'


def test_nobody_is_a_project_without_subjects(tmp_path: Path) -> None:
    write_export('boris', tmp_path / 'a.boris', made_up_answer([], people=0))
    project = json.loads((tmp_path / 'a.boris').read_text(encoding='utf-8'))
    assert pairs(project) == set()
    assert project['subjects_conf'] == {}
