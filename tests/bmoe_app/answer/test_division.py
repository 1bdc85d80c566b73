from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from bmoe_app.answer import Event, ModelSettings
from bmoe_app.answer.division import Opinion, confirmed, divide, is_confirmed, left_to_rules, rule_for
from bmoe_app.rules import RULES
from bmoe_skel.taxonomy import TAXONOMY


def event(label: str, source: str) -> Event:
    return Event(0, 1, 0, label, 0.8, source=source)


ALL = [
    event('nod', 'model'),
    event('nod', 'rule'),
    event('lean_left', 'model'),
    event('lean', 'rule'),
    event('nod', 'person'),
]
ASKED = ModelSettings(Path('best.pth'), by_rule=('nod', 'gesture'), by_model=('lean',))


def said(events: list[Event]) -> list[tuple[str, str]]:
    return [(one.label, one.source) for one in events]


def test_each_class_has_one_who_answers() -> None:
    kept = said(divide(ALL, ASKED, True, ()))
    assert kept == [('nod', 'rule'), ('lean_left', 'model'), ('nod', 'person')]
    assert left_to_rules(ASKED, ()) == ('nod',)  # no rule tells gestures


def test_a_rule_that_cannot_be_evaluated_leaves_it_to_the_model() -> None:
    assert ('nod', 'model') in said(divide(ALL, ASKED, True, ('nod',)))
    assert left_to_rules(ASKED, ('nod',)) == ()


def test_alone_each_answers_for_all() -> None:
    assert divide(ALL, None, True, ()) == ALL
    assert divide(ALL, ASKED, False, ()) == ALL
    assert divide(ALL, ModelSettings(Path('best.pth')), True, ()) == ALL


def test_every_rule_of_the_taxonomy_exists() -> None:
    assert {one.rule for one in TAXONOMY.values() if one.rule} <= set(RULES)
    assert rule_for('leg_shaking') in RULES and rule_for('no such class') is None


CLASSES = ('nod', 'lean_left', 'lean_right', 'nothing')


def opinion(start: float, *scores: float, person: int = 0) -> Opinion:
    return Opinion(person, start, start + 2, np.array(scores))


def test_a_rule_is_confirmed_by_any_window_that_meets_its_event() -> None:
    nod = Event(4.0, 5.0, 0, 'nod', 0.9, source='rule')
    low, high = (0.1, 0.0, 0.0, 0.9), (0.3, 0.0, 0.0, 0.7)
    assert is_confirmed(nod, [opinion(2.5, *low), opinion(4.5, *high)], CLASSES, 0.2)
    assert not is_confirmed(nod, [opinion(2.5, *low), opinion(5.0, *high), opinion(2.0, *high)], CLASSES, 0.2)
    assert not is_confirmed(nod, [opinion(4, *low), opinion(4, *high, person=1)], CLASSES, 0.2)
    assert is_confirmed(nod, [], CLASSES, 0.2)  # nobody was asked
    lean = Event(4.0, 5.0, 0, 'lean', 0.9, source='rule')
    assert is_confirmed(lean, [opinion(4, 0.0, 0.15, 0.1, 0.75)], CLASSES, 0.2)  # of two classes, their sum


def test_what_is_left_out_is_counted() -> None:
    asked = replace(ASKED, confirm=0.2)
    events = [*ALL, event('nod', 'rule'), event('head_shake', 'rule')]
    kept, said = confirmed(events, asked, [opinion(0, 0.1, 0.0, 0.0, 0.9)], CLASSES)
    assert ('nod', 'rule') not in [(one.label, one.source) for one in kept] and len(kept) == len(events) - 2
    assert said == '2 events by rule were left out: the model gives the movement a probability below 0.2'
    assert confirmed(events, ASKED, [opinion(0, 0.1, 0.0, 0.0, 0.9)], CLASSES) == (events, None)
    assert confirmed(events, None, [], CLASSES) == (events, None)
