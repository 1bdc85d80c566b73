from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from video_files import write_video

from pose_extract.building import ABSENT, Seating, TrackBuilder
from pose_extract.estimators import PoseEstimator
from pose_extract.extraction import extract_video
from pose_extract.poses import FramePoses
from pose_extract.settings import ExtractSettings
from pose_extract.smoothing import AfterCare, apply_after_care
from pose_extract.tracks import PoseTracks, load_tracks, save_tracks
from pose_extract.video import Frame

EMPTY = np.zeros((4, 4, 3), np.uint8)


def people(places: list[tuple[float, float]], score: float = 0.9) -> FramePoses:
    """Persons of 40 x 80 pixels with their left top corners at some places."""
    if not places:
        return FramePoses.nobody(17)
    grid = np.stack([np.linspace(0, 40, 17), np.linspace(0, 80, 17)], -1).astype(np.float32)
    corners = np.array(places, np.float32)
    keypoints = corners[:, None] + grid
    boxes = np.concatenate([corners, corners + [40, 80]], 1).astype(np.float32)
    return FramePoses(keypoints, np.full((len(places), 17), score, np.float32), boxes)


def built(frames: list[list[int]]) -> TrackBuilder:
    """A builder of frames in which some identities are seen, each at its own place."""
    builder = TrackBuilder(17)
    for t, present in enumerate(frames):
        builder.add(Frame(t, t / 25, EMPTY), np.array(present, np.int64), people([(60.0 * i, 5) for i in present]))
    return builder


def kept(seating: Seating) -> list[set[int]]:
    return [{int(i) for i in column if i != ABSENT} for column in seating.identities.T]


def test_few_people_have_a_row_each() -> None:
    builder = built([[7, 3]] * 4 + [[7]] * 4 + [[9]] * 3)
    seating = builder.seat(3)
    assert [set(row.tolist()) - {ABSENT} for row in seating.identities] == [{7}, {3}, {9}]
    assert (seating.seen, seating.left_out) == (3, 0)


def test_a_row_goes_to_the_next_who_comes_and_back_to_who_returns() -> None:
    builder = built([[0, 1]] * 5 + [[0]] * 5 + [[0, 2]] * 5 + [[2]] * 3 + [[0, 2]] * 5)
    seating = builder.seat(2)
    rows = [list(dict.fromkeys(i for i in row.tolist() if i != ABSENT)) for row in seating.identities]
    assert sorted(rows) == [[0], [1, 2]]
    assert seating.left_out == 0


def test_one_row_joins_across_a_cut() -> None:
    builder = built([[0]] * 10 + [[]] * 2 + [[1]] * 10 + [[2]] * 4)
    seating = builder.seat(1)
    assert seating.identities.tolist() == [[0] * 10 + [-1] * 2 + [1] * 10 + [2] * 4]


def test_with_more_people_than_rows_the_longest_seen_stay_and_the_others_are_counted() -> None:
    builder = built([[0, 1, 2]] * 10 + [[2, 3]] * 3 + [[0, 1]] * 5)
    seating = builder.seat(2)
    assert kept(seating) == [{0, 1}] * 10 + [{2, 3}] * 3 + [{0, 1}] * 5
    assert (seating.seen, seating.left_out) == (4, 1)


@pytest.mark.parametrize('seed', range(40))
def test_no_frame_is_lost_whatever_the_comings_and_goings(seed: int) -> None:
    random = np.random.default_rng(seed)
    most, total = int(random.integers(1, 5)), int(random.integers(1, 12))
    frames, here = [], set()
    for _ in range(60):
        if random.random() < 0.1:
            here = set()  # a cut
        here ^= {int(i) for i in random.integers(0, total, random.integers(0, 3))}
        frames.append(sorted(here))
    builder = built(frames)
    seating = builder.seat(most)
    assert len(seating.identities) <= most
    for t, (present, found) in enumerate(zip(frames, kept(seating), strict=True)):
        assert found <= set(present)
        assert len(found) == min(most, len(present)) == int((seating.identities[:, t] != ABSENT).sum())
    keypoints, scores, boxes = builder.build(seating.identities)
    for m, t in np.argwhere(seating.identities != ABSENT):
        assert boxes[m, t, 0] == 60 * seating.identities[m, t]
        assert keypoints[m, t, 0, 0] == boxes[m, t, 0]
    assert ((scores > 0).all(-1) == (seating.identities != ABSENT)).all()
    alone = {i for present in frames if len(present) > most for i in present}
    assert seating.left_out <= len(alone)
    assert (seating.left_out > 0) == any(len(present) > most for present in frames)


class Interview(PoseEstimator):
    """Two persons, who sit elsewhere after each of five hard cuts; nobody is seen in some frames."""

    skeleton = 'coco17'

    def __init__(self, settings: ExtractSettings) -> None:
        self.seen: set[int] = set()

    @staticmethod
    def identify(settings: ExtractSettings) -> dict[str, Any]:
        return {}

    def run(self, frames, boxes=None):
        for frame in frames:
            shot, within = divmod(frame.index, 250)
            places = [(100.0 * shot + 0.01 * within, 30.0), (900.0 - 90 * shot, 400.0)]
            if shot % 2:
                places = places[:1]  # a close-up of one
            found = people([] if within in (17, 18, 90) else places)
            if len(found):
                self.seen.add(frame.index)
            yield frame, found


@pytest.mark.parametrize('most', [1, 2, 8])
def test_an_interview_with_five_cuts_keeps_every_frame_in_which_somebody_was_detected(
    tmp_path: Path, most: int
) -> None:
    path = write_video(tmp_path / 'interview.mp4', 1500)
    settings = ExtractSettings(backend='mediapipe', max_persons=most)
    estimator = Interview(settings)
    result = extract_video(path, estimator, settings, {})
    assert set(np.flatnonzero(result.tracks.person_visible.any(0)).tolist()) == estimator.seen
    assert result.frames_with_person == len(estimator.seen) == 1500 - 18
    assert result.status == 'ok'
    assert result.tracks.num_persons == {1: 1, 2: 2, 8: 2}[most]
    # nobody is left out while there are rows; the track says how many were
    account = result.tracks.provenance
    assert account['frames_with_person'] == result.frames_with_person
    assert account['persons_seen'] == 9
    assert (account['persons_left_out'] > 0) == (most == 1)
    if most > 1:
        both = [t for t in estimator.seen if t // 250 % 2 == 0]
        assert result.tracks.person_visible[:, both].all()
    save_tracks(tmp_path / 't.npz', result.tracks)
    assert (load_tracks(tmp_path / 't.npz').extras['identities'] == result.seating.identities).all()


class CloseUps(Interview):
    """Sees one person at a time, as MediaPipe does."""

    one_person = True

    def run(self, frames, boxes=None):
        for frame in frames:
            yield frame, people([(300.0 * (frame.index // 10 % 2), 30.0)])


def test_what_sees_one_person_at_a_time_fills_one_row_across_cuts(tmp_path: Path) -> None:
    path = write_video(tmp_path / 'v.mp4', 60)
    settings = ExtractSettings(backend='mediapipe')
    result = extract_video(path, CloseUps(settings), settings, {})
    assert result.tracks.num_persons == 1
    assert result.tracks.person_visible.all()
    assert result.seating.seen == len(set(result.seating.identities[0].tolist())) == 2
    assert result.seating.left_out == 0


def test_after_care_never_mixes_people_who_share_a_row() -> None:
    first, second = people([(0.0, 0.0)]), people([(500.0, 300.0)])
    order: list[tuple[int, FramePoses] | None] = [(0, first)] * 6 + [None] * 2 + [(1, second)] * 8 + [None, (1, second)]
    builder = TrackBuilder(17)
    for t, one in enumerate(order):
        poses = one[1] if one else FramePoses.nobody(17)
        builder.add(Frame(t, t / 25, EMPTY), np.array([one[0]] if one else [], np.int64), poses)
    seating = builder.seat(1)
    keypoints, scores, boxes = builder.build(seating.identities)
    tracks = PoseTracks(
        keypoints, scores, boxes, np.arange(len(order)) / 25, (600, 800), 'coco17',
        extras={'identities': seating.identities},
    )  # fmt: skip
    for method in ('none', 'savgol', 'one_euro'):
        done = apply_after_care(tracks, AfterCare(max_gap=1.0, smooth=method))
        assert np.isnan(done.keypoints[0, 6:8]).all()  # between two people: nobody
        assert np.isfinite(done.keypoints[0, 16]).all()  # a gap of one person: bridged
        assert done.extras['interpolated'][0, 16].all()
        assert done.extras['interpolated'].sum() == 17
        np.testing.assert_allclose(done.keypoints[0, :6], np.repeat(first.keypoints, 6, 0), atol=1e-3)
        np.testing.assert_allclose(done.keypoints[0, 8:16], np.repeat(second.keypoints, 8, 0), atol=1e-3)
