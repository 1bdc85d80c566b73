from __future__ import annotations

import numpy as np
import pytest

from pose_extract.extraction import TrackBuilder
from pose_extract.poses import FramePoses
from pose_extract.tracking import Tracker, keypoint_similarity
from pose_extract.video import Frame

BODY = np.random.default_rng(1).uniform(0, 1, (17, 2)) * [60, 180]


def poses(*corners: tuple[float, float], scale: float = 1.0, score: float = 0.9) -> FramePoses:
    """Persons of the same shape at the given places."""
    count = len(corners)
    at = np.array(corners, np.float32).reshape(count, 1, 2)
    keypoints = (at + BODY[None] * scale).astype(np.float32)
    boxes = np.concatenate([at[:, 0], at[:, 0] + np.array([60, 180]) * scale], 1).astype(np.float32)
    return FramePoses(keypoints, np.full((count, 17), score, np.float32), boxes)


def test_keypoint_similarity_is_coco_s() -> None:
    from_coco = pytest.importorskip('xtcocotools.cocoeval')
    assert from_coco is not None
    random = np.random.default_rng(0)
    first, second = random.uniform(0, 50, (2, 17, 2))
    sure = np.ones(17)
    area = 60.0 * 180
    # COCO: mean of exp(-d^2 / (2 s^2 (2 sigma)^2)), s^2 the area
    expected = np.mean(
        [np.exp(-((a - b) ** 2).sum() / (2 * area * 0.2**2)) for a, b in zip(first, second, strict=True)]
    )
    assert keypoint_similarity(first, sure, second, sure, area) == pytest.approx(expected)
    assert keypoint_similarity(first, sure, first, sure, area) == 1
    assert keypoint_similarity(first, np.zeros(17), second, sure, area) == 0


def test_identities_stay_whatever_the_order_of_the_detections() -> None:
    tracker, random = Tracker(), np.random.default_rng(0)
    for t in range(60):
        places = [(50 + 4 * t, 100), (600 - 4 * t, 120), (300, 400)]  # the first two pass each other
        order = random.permutation(3)
        identities = tracker.update(t, poses(*(places[i] for i in order)))
        expected = order if t else identities
        if t == 0:
            name = {int(i): int(identity) for i, identity in zip(order, identities, strict=True)}
        else:
            assert [name[int(i)] for i in expected] == identities.tolist()


def test_a_short_occlusion_does_not_change_who_is_who() -> None:
    tracker = Tracker()
    for t in range(80):
        walker, sitter = (50 + 5 * t, 100), (400, 100)
        if 55 <= t < 75:  # the walker is behind the sitter, then comes out on the other side
            assert tracker.update(t, poses(sitter)).tolist() == [1]
        else:
            assert tracker.update(t, poses(walker, sitter)).tolist() == [0, 1]


def test_after_a_long_absence_it_is_somebody_new() -> None:
    tracker = Tracker(max_gap=10)
    assert tracker.update(0, poses((0, 0))).tolist() == [0]
    assert tracker.update(10, poses((0, 0))).tolist() == [0]
    assert tracker.update(21, poses((0, 0))).tolist() == [1]


def test_somebody_elsewhere_is_somebody_new() -> None:
    tracker = Tracker()
    tracker.update(0, poses((0, 0)))
    assert tracker.update(1, poses((500, 300))).tolist() == [1]


def test_identities_that_come_with_the_boxes_are_kept() -> None:
    found = poses((0, 0), (100, 0))
    given = FramePoses(found.keypoints, found.scores, found.boxes, np.array([7, 3]))
    assert Tracker().update(0, given).tolist() == [7, 3]


def test_persons_are_ordered_by_how_long_and_how_sure() -> None:
    builder = TrackBuilder(17)
    image = np.zeros((4, 4, 3), np.uint8)
    for t in range(10):
        people = [(5, poses((0, 0), score=0.4)), (2, poses((90, 0), score=0.8))]
        if t < 3:
            people.append((9, poses((200, 0), score=1.0)))
        found = FramePoses(
            *(np.concatenate([getattr(p, n) for _, p in people]) for n in ('keypoints', 'scores', 'boxes'))
        )
        builder.add(Frame(t, t / 30, image), np.array([identity for identity, _ in people]), found)
    assert builder.persons() == [2, 5, 9]  # 8.0, 4.0 and 3.0 in all
    keypoints, scores, boxes = builder.build(builder.persons()[:2])
    assert keypoints.shape == (2, 10, 17, 2)
    assert scores[:, 0, 0].tolist() == pytest.approx([0.8, 0.4])
    assert np.isfinite(boxes).all()


def test_frames_where_a_person_is_absent_stay_on_the_time_axis() -> None:
    builder = TrackBuilder(17)
    for t in range(5):
        found = poses((0, 0)) if t in (0, 3) else FramePoses.nobody(17)
        builder.add(Frame(t, t / 30, np.zeros((2, 2, 3), np.uint8)), np.zeros(len(found), np.int64), found)
    keypoints, scores, boxes = builder.build(builder.persons())
    present = [True, False, False, True, False]
    assert np.isfinite(keypoints[0]).all((1, 2)).tolist() == present
    assert (scores[0] > 0).all(1).tolist() == present
    assert np.isfinite(boxes[0]).all(1).tolist() == present
