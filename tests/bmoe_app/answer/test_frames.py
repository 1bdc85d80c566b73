"""The frames of a stream as tracks."""

from __future__ import annotations

import numpy as np

from bmoe_app.answer.frames import FrameBuffer


def test_people_who_come_and_go_are_absent_and_not_dropped() -> None:
    buffer = FrameBuffer('coco17', (480, 640))
    body = (np.full((17, 2), 5.0), np.full(17, 0.5))
    hidden = (np.full((17, 2), np.nan), np.ones(17))
    for time, people in ((0.0, {7: body}), (0.1, {}), (0.2, {3: body, 7: hidden})):
        buffer.add(time, people)
    who, tracks = buffer.tracks()
    assert who == [3, 7]
    np.testing.assert_array_equal((tracks.scores > 0).any(-1), [[False, False, True], [True, False, False]])
    assert np.isnan(tracks.keypoints[0, :2]).all() and np.isnan(tracks.boxes[1, 1:]).all()
    np.testing.assert_array_equal(tracks.boxes[0, 2], [5, 5, 5, 5])
    assert buffer.seen_last() == [3]


def test_a_stretch_and_forgetting() -> None:
    buffer = FrameBuffer('coco17', (480, 640))
    for t in range(10):
        buffer.add(t / 10, {0: (np.full((17, 2), t), np.ones(17))})
    _, tracks = buffer.tracks(2, 5)
    np.testing.assert_array_equal(tracks.keypoints[0, :, 0, 0], [2, 3, 4])
    buffer.forget(0.75)
    np.testing.assert_allclose(buffer.times, [0.8, 0.9])
    assert (len(buffer), buffer.last_time) == (2, 0.9)
