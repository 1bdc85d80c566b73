"""Events of an answer: what is refused, and what goes into a file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bmoe_app.answer import Event


@pytest.mark.parametrize(
    ('changed', 'says'),
    [
        ({'end': 0.5}, 'must end after it starts'),
        ({'start': float('nan')}, 'must end after it starts'),
        ({'score': 1.5}, 'score: must be within 0..1'),
        ({'person': -1}, 'person: must be 0 or more'),
        ({'region': 'foot'}, "got 'foot'"),
        ({'source': 'guess'}, "got 'guess'"),
    ],
)
def test_values_outside_their_range_are_refused(changed: dict[str, Any], says: str) -> None:
    good = {'start': 1.0, 'end': 2.0, 'person': 0, 'label': 'nod', 'score': 0.5}
    Event(**good)
    with pytest.raises(ValueError, match=says):
        Event(**(good | changed))


def test_as_dict_is_json() -> None:
    event = Event(1.00049, 2.0, 1, 'nod', 2 / 3, 'head', {'head': 2 / 3, 'body': 1 / 3}, 'rule')
    assert json.loads(json.dumps(event.as_dict())) == {
        'start': 1.0,
        'end': 2.0,
        'person': 1,
        'label': 'nod',
        'score': 0.6667,
        'region': 'head',
        'routing': {'head': 0.6667, 'body': 0.3333},
        'source': 'rule',
    }
