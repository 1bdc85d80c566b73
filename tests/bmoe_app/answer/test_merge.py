"""Smoothing and merging, against worked cases and a slow loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bmoe_app.answer.answer import Windows
from bmoe_app.answer.merge import MergeSettings, cells, merge, smooth

CLASSES = ('nod', 'shake', 'nothing')
MIDDLES = np.arange(1.0, 9.0, 0.5)  # windows of 2 s, every half second
SPANS = np.stack([MIDDLES - 1, MIDDLES + 1], 1)
SEEN = np.arange(0, 10, 0.1)
FREE = MergeSettings(threshold=0.5, min_seconds=0.0, max_gap=0.0)


def slowly(values: np.ndarray, times: np.ndarray, reach: float) -> np.ndarray:
    """The same as a loop over all pairs."""
    result = np.full(values.shape, np.nan)
    for i in range(len(values)):
        if np.isnan(values[i]).any():
            continue
        total, weight = np.zeros(values.shape[1]), 0.0
        for j in range(len(values)):
            share = max(0.0, 1 - abs(times[i] - times[j]) / reach) if reach else float(i == j)
            if share and not np.isnan(values[j]).any():
                total, weight = total + share * values[j], weight + share
        result[i] = total / weight
    return result


@pytest.mark.parametrize('reach', [0.0, 0.3, 1.0, 50.0])
def test_smoothing_equals_the_loop(reach: float) -> None:
    rng = np.random.default_rng(0)
    values = rng.dirichlet(np.ones(4), 40)
    values[[0, 7, 8, 20]] = np.nan
    times = np.cumsum(rng.uniform(0.05, 0.6, 40))
    found = smooth(values, times, reach)
    np.testing.assert_allclose(found, slowly(values, times, reach), rtol=1e-12)
    np.testing.assert_allclose(found[~np.isnan(values[:, 0])].sum(1), 1)


def test_smoothing_by_hand() -> None:
    values = np.array([[0.0], [0.0], [1.0], [0.0], [0.0]])
    found = smooth(values, np.arange(5) * 0.5, 1.0)  # weights 1/2, 1, 1/2
    np.testing.assert_allclose(found.ravel(), [0, 0.25, 0.5, 0.25, 0])
    assert smooth(np.zeros((0, 3)), np.zeros(0), 1.0).shape == (0, 3)


def test_cells_meet_half_way_and_stay_in_their_window() -> None:
    parts = cells(SPANS, MIDDLES)
    assert parts[0].tolist() == [0.0, 1.25]
    assert parts[3].tolist() == [2.25, 2.75]
    assert parts[-1, 1] == MIDDLES[-1] + 1
    np.testing.assert_array_equal(parts[1:, 0], parts[:-1, 1])
    apart = cells(np.array([[0.0, 2.0], [10.0, 12.0]]), np.array([1.0, 11.0]))  # nobody is filmed between
    assert apart.tolist() == [[0.0, 2.0], [10.0, 12.0]]


def windows(labels: str, routing: np.ndarray | None = None, sure: float = 0.8) -> Windows:
    """A window a letter: n nod, s shake, . nothing, - not sure of anything, ? not seen."""
    scores = np.full((len(labels), 3), (1 - sure) / 2)
    for w, letter in enumerate(labels):
        if letter in 'ns.':
            scores[w, 'ns.'.index(letter)] = sure
        else:
            scores[w] = np.nan if letter == '?' else 1 / 3
    return Windows(2, MIDDLES[: len(labels)], scores, routing)


def found(labels: str, settings: MergeSettings = FREE, **kwargs: Any) -> list[tuple[str, float, float]]:
    one = windows(labels, **kwargs)
    parts = cells(SPANS[: len(labels)], one.times)
    events = merge(one, parts, SEEN, CLASSES, ('nothing',), settings)
    assert all((event.person, event.source) == (2, 'model') for event in events)
    return [(event.label, round(event.start, 3), round(event.end, 3)) for event in events]


@pytest.mark.parametrize(
    ('labels', 'expected'),
    [
        ('....', []),
        ('----', []),
        ('????', []),
        ('..nn..', [('nod', 1.8, 2.7)]),  # cells 1.75 to 2.75: the frames in them
        ('nn....', [('nod', 0.0, 1.7)]),  # the first cell begins with the first window
        ('....nn', [('nod', 2.8, 4.5)]),
        ('..nnss', [('nod', 1.8, 2.7), ('shake', 2.8, 4.5)]),
        ('..n.n.', [('nod', 1.8, 2.2), ('nod', 2.8, 3.2)]),
        ('..n?n.', [('nod', 1.8, 2.2), ('nod', 2.8, 3.2)]),
    ],
)
def test_events_by_hand(labels: str, expected: list[tuple[str, float, float]]) -> None:
    assert found(labels) == expected


def test_short_gaps_are_closed_unless_another_event_fills_them() -> None:
    closing = MergeSettings(0.5, 0.0, 0.5)
    for gap in '.-?':
        assert found(f'..n{gap}n.', closing) == [('nod', 1.8, 3.2)]
    assert found('..n..n', closing) == [('nod', 1.8, 2.2), ('nod', 3.3, 4.5)]
    assert [label for label, *_ in found('..nsn.', closing)] == ['nod', 'shake', 'nod']


def test_what_is_too_short_is_left_out_after_gaps_are_closed() -> None:
    assert found('..n...', MergeSettings(0.5, 0.6, 0.0)) == []
    assert found('..n.n.', MergeSettings(0.5, 0.6, 0.5)) == [('nod', 1.8, 3.2)]


def test_the_threshold_counts_and_reaches_itself() -> None:
    assert found('..nn..', MergeSettings(0.81, 0.0, 0.0)) == []
    assert len(found('..nn..', MergeSettings(0.8, 0.0, 0.0))) == 1
    # below one half only the likeliest class is an event, so that none contradict each other
    assert found('..nn..', MergeSettings(0.05, 0.0, 0.0), sure=0.9) == [('nod', 1.8, 2.7)]


def test_classes_that_go_together_are_looked_at_one_by_one() -> None:
    one = windows('..nn..')
    one.scores[3:5, 1] = 0.9
    together = MergeSettings(0.5, 0.0, 0.0, exclusive=False)
    events = merge(one, cells(SPANS[:6], one.times), SEEN, CLASSES, ('nothing',), together)
    assert [(e.label, round(e.start, 1), round(e.end, 1)) for e in events] == [('nod', 1.8, 2.7), ('shake', 2.3, 3.2)]


def test_score_routing_and_region_are_means_over_the_event() -> None:
    routing = np.tile([0.1, 0.2, 0.3, 0.4], (6, 1))
    routing[2], routing[3] = [0.7, 0.1, 0.1, 0.1], [0.5, 0.3, 0.1, 0.1]
    one = windows('..nn..', routing)
    one.scores[3, 0] = 0.6
    (event,) = merge(one, cells(SPANS[:6], one.times), SEEN, CLASSES, ('nothing',), FREE)
    assert event.score == pytest.approx(0.7)
    assert event.region == 'head'
    assert dict(event.routing) == pytest.approx({'head': 0.6, 'body': 0.2, 'upper': 0.1, 'lower': 0.1})
    (without,) = merge(windows('..nn..'), cells(SPANS[:6], MIDDLES[:6]), SEEN, CLASSES, ('nothing',), FREE)
    assert (without.region, dict(without.routing)) == (None, {})


def test_events_end_with_the_frames_in_which_the_person_is_seen() -> None:
    one = windows('nnnn')
    parts = cells(SPANS[:4], one.times)
    (event,) = merge(one, parts, SEEN[(SEEN > 0.95) & (SEEN < 2.05)], CLASSES, (), FREE)
    assert (event.start, event.end) == (pytest.approx(1.0), pytest.approx(2.0))
    assert merge(one, parts, SEEN[:0], CLASSES, (), FREE) == []


def loud(labels: str, scores: list[float], apart: float) -> list[str]:
    """Labels of the events that are left of windows with these labels and scores."""
    one = windows(labels)
    for w, (letter, score) in enumerate(zip(labels, scores, strict=True)):
        one.scores[w] = (1 - score) / 2
        one.scores[w, 'ns.'.index(letter)] = score
    settings = MergeSettings(0.5, 0.0, 0.0, nms_seconds=apart)
    parts = cells(SPANS[: len(labels)], one.times)
    return [event.label for event in merge(one, parts, SEEN, CLASSES, ('nothing',), settings)]


def test_an_event_beside_a_louder_one_of_another_class_is_left_out() -> None:
    # a nod that begins and ends like a shake: windows half a second apart
    labels, scores = 'snns.', [0.6, 0.8, 0.9, 0.7, 0.9]
    assert loud(labels, scores, 0.0) == ['shake', 'nod', 'shake']
    assert loud(labels, scores, 0.5) == ['nod']
    assert loud('s.nn.', [0.6, 0.9, 0.7, 0.8, 0.9], 0.5) == ['shake', 'nod']
    assert loud('s.nn.', [0.6, 0.9, 0.7, 0.8, 0.9], 1.0) == ['nod']  # any window counts, not the nod's best alone
    assert loud(labels, [0.6, 0.8, 0.9, 0.95, 0.9], 0.5) == ['shake']  # what outdoes may be outdone itself
    assert loud(labels, [0.6, 0.7, 0.7, 0.7, 0.9], 0.5) == ['nod', 'shake']  # as loud is not louder
    assert loud('n.s..', [0.9, 0.9, 0.6, 0.9, 0.9], 0.5) == ['nod', 'shake']  # what means nothing outdoes nobody
    assert loud('n.n..', [0.9, 0.9, 0.6, 0.9, 0.9], 1.0) == ['nod', 'nod']  # of one class there may be two


@pytest.mark.parametrize('seed', range(5))
def test_suppression_equals_a_loop_over_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.dirichlet(np.ones(3) * 0.3, len(MIDDLES))
    one = Windows(0, MIDDLES, scores, None)
    parts = cells(SPANS, MIDDLES)
    apart = float(rng.choice([0.5, 1.0, 2.0]))
    every = merge(one, parts, SEEN, CLASSES, ('nothing',), FREE)
    left = merge(one, parts, SEEN, CLASSES, ('nothing',), MergeSettings(0.5, 0.0, 0.0, nms_seconds=apart))
    expected = []
    for event in every:
        number = CLASSES.index(event.label)
        own = [w for w in range(len(scores)) if event.start <= MIDDLES[w] <= event.end]
        best = max(own, key=lambda w: scores[w, number])
        outdone = False
        for w in range(len(scores)):
            name = int(scores[w].argmax())
            if abs(MIDDLES[w] - MIDDLES[best]) <= apart and name not in (number, 2) and scores[w, name] >= 0.5:
                outdone |= scores[w, name] > scores[best, number]
        if not outdone:
            expected.append(event)
    assert left == expected
    assert len(every) > 1
