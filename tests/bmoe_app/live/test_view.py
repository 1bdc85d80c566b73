"""Frames become people and events, with the latency of each, in memory that does not grow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pose_fixtures import BlockEstimator

from bmoe_app.live.grabber import Grabber, Taken
from bmoe_app.live.sources import Source
from bmoe_app.live.view import LiveView, live_settings
from pose_extract.settings import ExtractSettings
from pose_extract.video import Frame


class Every(Grabber):
    """Hands over every frame, so that what comes out is the same each time."""

    def frames(self, wait: float = 0.5) -> Iterator[Taken | None]:
        for frame in self.source.frames():
            yield None
            yield Taken(frame, 0.0)


def pictures(sizes: list[tuple[int, int]]) -> Iterator[Frame]:
    for index, (height, width) in enumerate(sizes):
        image = np.full((height, width, 3), 40, np.uint8)
        if index % 2 == 0:
            image[10:30, 10:30] = 250
        yield Frame(index, index / 10, image)


def test_frames_become_people_and_a_picture_of_the_first_size() -> None:
    sizes = [(48, 64)] * 4 + [(96, 128)] * 2
    grabber = Every(Source('a', lambda: pictures(sizes), ends=True))
    view = LiveView(grabber, BlockEstimator(ExtractSettings()), None, True, 0.1, draw=True)
    seen = list(view.run())
    assert [one.persons for one in seen] == [1, 0, 1, 0, 1, 0, 0]  # the last one tells what was still open
    assert {one.picture.shape for one in seen[:-1] if one.picture is not None} == {(48, 64, 3)}
    assert seen[-1].picture is None and view.looked == 6
    assert view.delay is not None and view.delay < 3
    assert all(one.latency > 0 for one in seen[:-1])
    assert view.pace()[0] > 0


def test_an_estimator_is_made_to_hand_over_each_frame_at_once() -> None:
    settings = live_settings(ExtractSettings())
    assert (settings.batch, settings.detect_every) == (1, 2)
    assert live_settings(ExtractSettings(detect_every=5)).detect_every == 5
    assert live_settings(ExtractSettings(whole_frame=True)).detect_every == 1


def test_frames_that_were_looked_at_are_forgotten() -> None:
    grabber = Every(Source('a', lambda: pictures([(48, 64)] * 5), ends=True))
    view = LiveView(grabber, BlockEstimator(ExtractSettings()), None, True, 0.1, draw=False)
    assert [one.picture for one in view.run()] == [None] * 6
    assert view._taken == {}


def test_without_a_frame_there_is_no_pace() -> None:
    view = LiveView(Grabber(Source('a', lambda: iter(()))), BlockEstimator(ExtractSettings()), None, True, 0.1, False)
    assert view.pace() == (0.0, 0.0, 0.0) and view.delay is None
    ended = Grabber(Source('a', lambda: iter(()), ends=True)).start()
    assert list(LiveView(ended, BlockEstimator(ExtractSettings()), None, True, 0.1, False).run()) == []
