from __future__ import annotations

from benchmarks.box.events import OWN_NAMES, RULE_NAMES, tally
from benchmarks.box.recordings import Recording
from bmoe_app.answer import Event


def event(label: str, start: float, end: float) -> Event:
    return Event(start, end, 0, label, 1.0)


class Tracks:
    frame_times = (0.0, 60.0)


def test_events_by_hand() -> None:
    recording = Recording(Tracks(), [event('nod', 5, 6), event('lean_left', 20, 22)], [(22.0, 25.0)])  # type: ignore[arg-type]
    told = [
        event('nod', 6.1, 7),  # within reach
        event('nod', 10, 11),  # of nothing
        event('turn', 20, 21),  # of another class
        event('turn', 23, 24),  # while going back
    ]
    found = tally([recording], [told], OWN_NAMES)
    assert found.found == {'nod': 1, 'lean_left': 0} and found.movements['lean_left'] == 1
    assert dict(found.false) == {'nod': 1, 'turn': 1}
    assert found.minutes == 1 and found.recall(OWN_NAMES) == 0.5
    assert found.recall(['shrug']) != found.recall(['shrug'])  # none occurs: NaN


def test_a_rule_may_stand_for_two_classes() -> None:
    recording = Recording(Tracks(), [event('lean_left', 20, 22), event('gesture', 30, 31)], [])  # type: ignore[arg-type]
    found = tally([recording], [[event('lean', 21, 23)]], RULE_NAMES)
    assert found.found['lean_left'] == 1 and not found.false and 'gesture' not in found.movements
