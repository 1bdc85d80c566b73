from __future__ import annotations

import pytest
from page_answers import made_up_answer

from bmoe_app.pages import payload as module
from bmoe_app.pages.payload import GROUPS, digest, payload
from bmoe_app.signals import UNITS


def test_every_signal_is_in_one_diagram_of_one_unit() -> None:
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(UNITS)
    assert {title: len({UNITS[name] for name in names}) for title, names in GROUPS.items()} == dict.fromkeys(GROUPS, 1)


def test_corrections_of_one_answer_are_not_those_of_another() -> None:
    one, same, moved, fewer = (made_up_answer() for _ in range(4))
    moved.tracks.keypoints[0, 0, 0, 0] += 1
    fewer.events.pop()
    assert digest(one) == digest(same)
    assert len({digest(one), digest(moved), digest(fewer)}) == 3


def test_frames_are_left_out_only_beyond_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = made_up_answer()
    assert payload(answer, None)['every'] == 1
    monkeypatch.setattr(module, 'MAX_BYTES', 20_000)
    thin = payload(answer, None)
    assert thin['every'] > 1
    assert thin['keypoints']['length'] == len(thin['times']) == -(-120 // thin['every'])
