from __future__ import annotations

import numpy as np

from bmoe_skel.datasets.quiet import quiet_windows

TIMES = np.arange(1000) / 25
SEEN = np.ones(1000, bool)


def test_windows_touch_no_event_and_no_other_window() -> None:
    events = [(5.0, 8.0), (20.0, 20.0), (30.0, 39.0)]
    found = quiet_windows(TIMES, SEEN, events, [0.4, 1.0, 2.0], 8, 3, 'a')
    assert len(found) == 8
    taken = np.zeros(1000, int)
    for first, last in found:
        taken[first:last] += 1
        assert round((last - 1 - first) / 25, 6) in (0.4, 1.0, 2.0)  # from the first frame to the last, as events
    assert taken.max() == 1
    for start, end in events:
        assert not taken[(start - 1e-9 <= TIMES) & (end + 1e-9 >= TIMES)].any()


def test_the_draw_depends_on_seed_and_name_only() -> None:
    def draw(seed: int, name: str) -> list[tuple[int, int]]:
        return quiet_windows(TIMES, SEEN, [(5, 8)], [1.0, 2.0], 4, seed, name)

    assert draw(0, 'a') == draw(0, 'a')
    assert draw(0, 'a') != draw(1, 'a')
    assert draw(0, 'a') != draw(0, 'b')


def test_no_room_is_no_window() -> None:
    assert quiet_windows(TIMES, SEEN, [(0, 39)], [2.0], 3, 0, 'a') == []
    assert quiet_windows(TIMES[:1], SEEN[:1], [], [2.0], 3, 0, 'a') == []
    unseen = SEEN.copy()
    unseen[500:] = False
    found = quiet_windows(TIMES, unseen, [(0, 19.9)], [5.0], 3, 0, 'a')
    assert found == []  # there is time, but nobody in it


def test_frames_at_uneven_times() -> None:
    times = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.2, 400))
    for first, last in quiet_windows(times, np.ones(400, bool), [(3, 9)], [1.5], 10, 0, 'a'):
        assert times[last - 1] - times[first] <= 1.5 + 1e-3
        assert not ((times[first:last] >= 3) & (times[first:last] <= 9)).any()
