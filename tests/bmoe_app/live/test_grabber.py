"""The newest frame counts, and a stream that breaks off is waited for, not for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np

from bmoe_app.live.grabber import Grabber
from bmoe_app.live.sources import Source, SourceError
from pose_extract.video import Frame

IMAGE = np.zeros((2, 2, 3), np.uint8)


def given(number: int) -> Iterator[Frame]:
    return (Frame(index, index / 100, IMAGE) for index in range(number))


def test_whoever_is_slow_gets_the_newest_frame_and_the_rest_is_counted() -> None:
    at_end = threading.Event()

    def fast() -> Iterator[Frame]:
        yield from given(50)
        at_end.set()

    grabber = Grabber(Source('a', fast, ends=True)).start()
    assert at_end.wait(5)
    taken = [one for one in grabber.frames() if one]
    assert [one.frame.index for one in taken] == [49]
    assert (grabber.read, grabber.dropped, grabber.failure) == (50, 49, None)


def test_a_stream_that_breaks_off_comes_back_and_time_goes_on() -> None:
    calls, told = [], []

    def breaking() -> Iterator[Frame]:
        calls.append(1)
        if len(calls) == 2:
            raise SourceError('a: does not answer')
        if len(calls) == 4:
            grabber.ask_to_stop()
        for frame in given(3):
            time.sleep(0.02)
            yield frame
        raise SourceError('a: the picture has stopped')

    grabber = Grabber(Source('a', breaking), first_wait=0.01, tell=told.append).start()
    times = [one.frame.time for one in grabber.frames() if one]
    grabber.stop()
    assert times == sorted(set(times)) and len(times) > 3
    assert (grabber.breaks, grabber.failure) == (2, None)
    assert told[:4] == ['a: the picture has stopped', 'a: does not answer', '', 'a: the picture has stopped']


def test_it_is_given_up_after_a_while_and_at_once_where_nothing_ever_came() -> None:
    calls: list[int] = []

    def once() -> Iterator[Frame]:
        calls.append(1)
        if len(calls) > 1:
            raise SourceError('a: does not answer')
        yield from given(1)

    grabber = Grabber(Source('a', once), patience=0.05, first_wait=0.02).start()
    assert len([one for one in grabber.frames() if one]) == 1
    assert 'does not answer' in str(grabber.failure)

    def never() -> Iterator[Frame]:
        raise SourceError('b: there is none')
        yield

    nothing = Grabber(Source('b', never), patience=60).start()
    assert [one for one in nothing.frames() if one] == []
    assert str(nothing.failure) == 'b: there is none'

    def broken() -> Iterator[Frame]:
        yield from given(1)
        raise RuntimeError('a bug')

    bug = Grabber(Source('c', broken)).start()
    assert len([one for one in bug.frames() if one]) == 1
    assert 'RuntimeError: a bug' in str(bug.failure)
