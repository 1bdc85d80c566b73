"""What is measured on generated people."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.rules_generated import Tally, angle_errors, false_events, tally_rules
from bmoe_app.rules import RULES


def test_angles_have_the_errors_that_the_page_states() -> None:
    errors = angle_errors()
    assert (errors['jitter'] < 1.3).all()
    assert (errors['near'] < 3).all()
    assert (errors['other head'] < 5).all()
    assert (errors['other head, change'] < 3).all()


def test_every_rule_finds_its_clear_movement_and_onset() -> None:
    tallies = tally_rules(size=1.0, jitter=0.3, clips=3)
    assert set(tallies) == set(RULES)
    for tally in tallies.values():
        assert (tally.found, tally.false, tally.precision) == (3, 0, 1.0)
        assert np.abs(tally.onsets).max() < 0.25


def test_precision_counts_false_events() -> None:
    assert Tally(4, 3, 1, np.zeros(3)).precision == pytest.approx(0.75)
    assert np.isnan(Tally(4, 0, 0, np.zeros(0)).precision)


def test_white_jitter_makes_no_event_and_strong_lasting_jitter_is_counted() -> None:
    assert false_events(1.0, 0.0, minutes=0.5) == {}
    assert sum(false_events(3.0, 0.8, minutes=0.5).values()) > 0
