"""The event and its score."""

from __future__ import annotations

import pytest

from bmoe_app.rules.events import RuleEvent, score_of


@pytest.mark.parametrize(('size', 'score'), [(4.0, 0.5), (8.0, 0.75), (0.0, 0.0), (1.0, 0.0), (4e9, 1.0)])
def test_score_rises_from_a_half(size: float, score: float) -> None:
    assert score_of(size, 4.0) == pytest.approx(score)


def test_seconds() -> None:
    assert RuleEvent(0.1, 0.4, 0, 'nod', 0.5, 'head').seconds == 0.3
