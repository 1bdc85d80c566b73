from __future__ import annotations

from pathlib import Path

from bmoe_app.answer import Event, ModelSettings
from bmoe_app.answer.division import divide, left_to_rules, rule_for
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
