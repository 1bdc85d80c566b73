"""Tiers in which nothing overlaps."""

from __future__ import annotations

from answers import made_up_answer

from bmoe_app.answer import Event
from bmoe_app.exports.layers import tiers_of


def test_three_deep_overlap_takes_three_tiers_and_touching_ones_share() -> None:
    events = [Event(s, e, 1, 'x', 1) for s, e in ((0, 2), (0.5, 1), (0.6, 3), (1, 1.5), (2, 2))]
    tiers = {name: [span[:2] for span in spans] for name, _, spans in tiers_of(made_up_answer(events))}
    assert tiers == {
        'person 0': [],
        'person 1': [(0, 2000), (2000, 2001)],
        'person 1 (2)': [(500, 1000), (1000, 1500)],
        'person 1 (3)': [(600, 3000)],
    }
