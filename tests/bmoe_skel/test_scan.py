"""Windows over a recording, and who is asked about in which."""

from __future__ import annotations

import numpy as np
import pytest

from bmoe_ground.errors import UserError
from bmoe_skel.scan import scan_windows, window_spans


def test_windows_cover_the_clip() -> None:
    times = np.arange(100) / 10
    ranges = window_spans(times, 3.0, 1.0)
    assert ranges[0][0] == 0
    assert ranges[-1][1] == 100
    assert all(times[b - 1] - times[a] <= 3.0 + 1e-9 for a, b in ranges)
    assert window_spans(times, None, None) == window_spans(times, 60.0, None) == [(0, 100)]
    with pytest.raises(UserError, match='positive'):
        window_spans(times, 3.0, 0.0)


def test_windows_without_a_frame_are_left_out_and_their_number_is_bounded() -> None:
    times = np.concatenate([np.arange(20) / 10, 100 + np.arange(20) / 10])
    ranges = window_spans(times, 1.0, 0.5)
    assert all(first < last for first, last in ranges)
    assert len(ranges) < 20
    assert set(np.concatenate([np.arange(a, b) for a, b in ranges])) == set(range(40))
    with pytest.raises(UserError, match='more than 1000000 windows'):
        window_spans(np.array([0.0, 9e6]), 2.0, 0.5)


def test_only_windows_in_which_enough_is_seen_are_asked_about() -> None:
    seen = np.array([[True] * 6, [False, False, True, False, False, False], [False] * 6])
    spans = [(0, 3), (2, 5), (3, 6)]
    asked: list[tuple[int, list[tuple[int, int]]]] = []

    def answers(person, windows):
        asked.append((person, list(windows)))
        return [(np.array([person, first]), np.full(4, 0.25)) for first, _ in windows]

    found = scan_windows(spans, seen, 0.3, 2, answers, 2)
    assert asked == [(0, [(0, 3), (2, 5)]), (0, [(3, 6)]), (1, [(0, 3), (2, 5)])]
    np.testing.assert_array_equal(found[0].scores, [[0, 0], [0, 2], [0, 3]])
    np.testing.assert_array_equal(found[1].scores, [[1, 0], [1, 2], [np.nan, np.nan]])
    assert np.isnan(found[2].scores).all()
    assert scan_windows(spans, seen, 0.5, 2, answers, 2)[1].scores.tolist() != found[1].scores.tolist()
