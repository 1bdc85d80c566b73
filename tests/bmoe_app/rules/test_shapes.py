"""Swings and postures in plain series."""

from __future__ import annotations

import numpy as np
import pytest

from bmoe_app.rules.shapes import held, oscillations, turning_points

TIMES = np.arange(300) / 30


def test_turning_points_of_a_sine_are_its_peaks() -> None:
    values = np.sin(2 * np.pi * TIMES)
    expected = [t for k in range(10) for t in (30 * k + 7.5, 30 * k + 22.5)]
    turns = turning_points(values, 1.5)
    assert np.abs(np.array(turns[:20]) - expected).max() <= 1


def test_small_wiggles_make_no_turn() -> None:
    wiggles = 0.2 * np.sin(2 * np.pi * 7 * TIMES)
    assert turning_points(wiggles, 0.5) == []
    assert len(turning_points(np.linspace(0, 5, 300) + wiggles, 0.5)) == 2
    assert turning_points(np.zeros(1), 1.0) == []


@pytest.mark.parametrize('swings', [2, 4])
def test_an_oscillation_begins_and_ends_where_it_does(swings: int) -> None:
    inside = (TIMES >= 2) & (TIMES <= 4)
    values = np.where(inside, np.sin(2 * np.pi * 1.5 * (TIMES - 2)), 0)
    (span,) = oscillations(values, TIMES, 0.8, swings, (0.05, 0.5))
    assert TIMES[span.first] == pytest.approx(2, abs=0.1)
    assert TIMES[span.last] == pytest.approx(4, abs=0.2)
    assert span.size == pytest.approx(2, abs=0.1)


def test_slow_or_held_or_single_swings_are_none() -> None:
    slow = np.sin(2 * np.pi * 0.2 * TIMES)
    assert oscillations(slow, TIMES, 0.5, 2, (0.05, 0.5)) == []
    there_and_back = np.clip((TIMES - 2) * 5, 0, 1) * np.clip((6 - TIMES) * 5, 0, 1)
    assert oscillations(there_and_back, TIMES, 0.5, 2, (0.05, 0.5)) == []
    step = np.clip((TIMES - 2) * 5, 0, 1)
    assert oscillations(step, TIMES, 0.5, 2, (0.05, 0.5)) == []
    assert len(oscillations(step, TIMES, 0.5, 1, (0.05, 0.5))) == 1


def test_postures_have_hysteresis_and_a_least_duration() -> None:
    values = np.zeros(300)
    values[60:120], values[80:90] = 1.2, 0.8
    values[200:204] = 2
    assert [(span.first, span.last, span.size) for span in held(values, TIMES, 1.0, 0.5)] == [(60, 119, 1.2)]
    assert len(held(values, TIMES, 1.0, 0.05)) == 2
    assert held(values, TIMES, 1.0, 0.0, most=0.5)[0].first == 200
    assert held(np.full(300, np.nan), TIMES, 1.0, 0.5) == []
