"""Rule events on generated motion: the right one at the right time, and none where nothing or something else moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.moving_people import acted, person, tracks_of, wave
from bmoe_app.rules import RULES, RuleEvent, find_events
from bmoe_app.signals import compute_signals
from pose_extract.skeletons import get_skeleton
from pose_extract.tracks import PoseTracks

LAYOUTS = ('coco17', 'blazepose33', 'openpose25')
TIMES = np.arange(240) / 30


def events(tracks: PoseTracks) -> tuple[RuleEvent, ...]:
    return find_events(compute_signals(tracks)).events


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('label', list(RULES))
def test_each_movement_is_found_where_it_is_and_nothing_else(label: str, layout: str) -> None:
    found = events(acted(label, TIMES, layout))
    assert {event.label for event in found} == {label}
    assert len(found) == 1
    (event,) = found
    # a posture is told from where it passes the threshold, on a slope of a quarter of a second
    assert event.start == pytest.approx(3, abs=0.26)
    assert event.end == pytest.approx(5, abs=0.35)
    assert event.person == 0
    assert event.region == RULES[label].region
    assert 0.5 <= event.score <= 1


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('jitter', [0.0, 0.5, 1.5])
def test_no_event_on_still_or_noisy_tracks(layout: str, jitter: float) -> None:
    for seed in range(3):
        assert events(person(TIMES, layout, jitter=jitter, seed=seed)) == ()


@pytest.mark.parametrize('layout', LAYOUTS)
def test_no_event_on_somebody_who_walks_through(layout: str) -> None:
    step = 4 * np.abs(np.sin(2 * np.pi * 1.8 * TIMES / 2))
    walk = np.stack([120 * TIMES - 500, -step], -1)
    assert events(person(TIMES, layout, walk=walk, jitter=0.5)) == ()


def test_stepping_about_is_no_leg_shaking() -> None:
    steps = 3 * np.sin(2 * np.pi * 4 * TIMES)[:, None] * (0, 1)
    legs = dict.fromkeys(('left_knee', 'left_ankle'), steps)
    walk = np.stack([100 * np.sin(TIMES), np.zeros(240)], -1)
    assert {event.label for event in events(person(TIMES, shift=legs))} == {'leg_shaking'}  # all the time
    assert not [event for event in events(person(TIMES, shift=legs, walk=walk)) if event.end < 1]


def test_coming_nearer_is_no_event() -> None:
    tracks = person(TIMES, jitter=0.0)
    growing = (1 + TIMES / 8)[None, :, None, None]
    nearer = (tracks.keypoints - (600, 400)) * growing + (600, 400)
    nearer += np.random.default_rng(0).normal(0, 0.5, nearer.shape)
    assert events(tracks_of(nearer, TIMES, 'coco17')) == ()


def test_a_slow_look_up_and_down_is_no_nod() -> None:
    assert events(person(TIMES, head={'pitch': 12 * np.sin(2 * np.pi * 0.25 * TIMES)}, jitter=0.3)) == ()


def test_a_nod_goes_on_across_a_short_gap_and_not_across_a_long_one() -> None:
    short, long = acted('nod', TIMES), acted('nod', TIMES)
    short.keypoints[0, 120:123], short.scores[0, 120:123] = np.nan, 0
    assert [event.label for event in events(tracks_of(short.keypoints, TIMES, 'coco17'))] == ['nod']
    long.keypoints[0, 112:128] = np.nan
    found = events(tracks_of(long.keypoints, TIMES, 'coco17'))
    assert {event.label for event in found} == {'nod'}
    assert not [event for event in found if event.start < TIMES[112] and event.end > TIMES[127]]


@pytest.mark.parametrize('label', ['nod', 'head_shake', 'turn', 'leg_shaking'])
def test_uneven_frame_times_are_believed(label: str) -> None:
    random = np.random.default_rng(3)
    times = np.sort(np.concatenate([TIMES, TIMES[::3] + random.uniform(0.005, 0.03, len(TIMES[::3]))]))
    found = events(acted(label, times, jitter=0.2))
    assert [event.label for event in found] == [label]
    assert found[0].start == pytest.approx(3, abs=0.2)


@pytest.mark.parametrize('fps', [12.5, 25.0, 60.0])
def test_the_frame_rate_matters_little(fps: float) -> None:
    times = np.arange(int(8 * fps)) / fps
    (event,) = events(acted('nod', times))
    assert event.label == 'nod'
    assert event.start == pytest.approx(3, abs=0.2)


def test_each_of_two_people_has_own_events() -> None:
    both = np.concatenate([acted('nod', TIMES).keypoints, acted('turn', TIMES).keypoints])
    found = events(tracks_of(both, TIMES, 'coco17'))
    assert {(event.person, event.label) for event in found} == {(0, 'nod'), (1, 'turn')}
    assert list(found) == sorted(found, key=lambda event: event.start)


@pytest.mark.parametrize('layout', LAYOUTS)
def test_one_frame_and_nobody(layout: str) -> None:
    assert events(person(np.zeros(1), layout)) == ()
    nobody = np.full((0, 5, get_skeleton(layout).num_keypoints, 2), np.nan)
    assert events(tracks_of(nobody, np.arange(5) / 30, layout)) == ()
    unseen = np.full((1, 5, get_skeleton(layout).num_keypoints, 2), np.nan)
    assert events(tracks_of(unseen, np.arange(5) / 30, layout)) == ()


def test_a_rule_that_a_layout_cannot_give_says_so() -> None:
    points = np.zeros((1, 30, 20, 2)) + np.arange(20)[:, None]
    found = find_events(compute_signals(tracks_of(points, np.arange(30) / 30, 'kinect20')))
    assert set(found.unavailable) == {'nod', 'head_shake', 'turn', 'tilt'}
    assert found.unavailable['nod'] == 'kinect20 has too few face points'


def test_a_wide_head_shake_is_no_turn_whatever_the_order_of_the_rules() -> None:
    yaw = 45 * np.clip(1.2 * wave(TIMES, 3, 7, 0.7), -1, 1)  # beyond 20 degrees for most of each swing
    signals = compute_signals(person(TIMES, head={'yaw': yaw}, jitter=0.2))
    for order in (['turn', 'head_shake'], ['head_shake', 'turn']):
        found = find_events(signals, {name: RULES[name] for name in order}).events
        assert {event.label for event in found} == {'head_shake'}
    assert {event.label for event in find_events(signals, {'turn': RULES['turn']}).events} == {'turn'}


def test_thresholds_can_be_changed_and_rules_chosen() -> None:
    signals = compute_signals(acted('nod', TIMES))
    assert find_events(signals, {'nod': replace(RULES['nod'], threshold=40.0)}).events == ()
    assert find_events(signals, {'lean': RULES['lean']}).events == ()
    with pytest.raises(ValueError, match="unknown rule 'wink': choose from nod, head_shake"):
        find_events(signals, {'wink': RULES['nod']})


def test_a_track_that_leaps_between_two_people_makes_no_movement_of_it() -> None:
    """Two still people, one of them looking down, and a track that goes from one to the other and back."""
    straight = person(TIMES, jitter=0.3)
    turned = person(TIMES, head={'pitch': np.full(240, -25.0)}, walk=np.full((240, 2), 300.0), jitter=0.3)
    other = (np.arange(240) // 8 % 2 == 1) & (TIMES > 2) & (TIMES < 5)
    keypoints = np.where(other[None, :, None, None], turned.keypoints, straight.keypoints)
    assert not {'nod', 'head_shake', 'leg_shaking'} & {
        event.label for event in events(tracks_of(keypoints, TIMES, 'coco17'))
    }
