from __future__ import annotations

import numpy as np

from benchmarks.box.recordings import make_recording
from bmoe_skel.taxonomy import TAXONOMY


def test_a_recording_says_when_what_was_done_and_does_not_jump() -> None:
    recording = make_recording(4, movements=5)
    times, points = recording.tracks.frame_times, recording.tracks.keypoints[0]
    assert len(recording.truth) + sum(stop - start > 2.5 for start, stop in recording.between) >= 5
    assert all(one.label in TAXONOMY and 0 < one.start < one.end < times[-1] for one in recording.truth)
    for one, two in zip(recording.truth, recording.truth[1:], strict=False):
        assert one.end < two.start
    width = np.linalg.norm(points[:, 11 - 4] - points[:, 12 - 4], axis=-1)  # the shoulders follow the seven of the face
    step = np.abs(np.diff(points[:, 7:9], axis=0)).max(-1) / np.nanmedian(width)
    assert np.nanmax(step) < 0.7  # shoulder widths from frame to frame


def test_the_same_seed_gives_the_same_and_rest_has_no_movement() -> None:
    one, two = make_recording(9, movements=1), make_recording(9, movements=1)
    np.testing.assert_array_equal(one.tracks.keypoints, two.tracks.keypoints)
    rest = make_recording(9, movements=0)
    assert (rest.truth, rest.between) == ([], []) and 59 < rest.tracks.frame_times[-1] < 61
