from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from bmoe_ground.errors import UserError
from pose_extract.poses import PersonBoxes
from pose_extract.settings import ExtractSettings
from pose_extract.video import Frame

pytest.importorskip('mediapipe')
from pose_extract.estimators.mediapipe import MediaPipeEstimator  # noqa: E402

SETTINGS = ExtractSettings(backend='mediapipe')


@pytest.fixture(scope='module')
def portrait() -> np.ndarray:
    data = pytest.importorskip('skimage.data')
    return cv2.resize(data.astronaut()[..., ::-1], (256, 256))


@pytest.fixture(scope='module')
def estimator() -> MediaPipeEstimator:
    return MediaPipeEstimator(SETTINGS)


def frames(images: list[np.ndarray]) -> list[Frame]:
    return [Frame(index, index / 30, image) for index, image in enumerate(images)]


def test_finds_the_nose_of_the_portrait(estimator: MediaPipeEstimator, portrait: np.ndarray) -> None:
    ((_, poses),) = estimator.run(frames([portrait]))
    assert poses.keypoints.shape == (1, 33, 2)
    np.testing.assert_allclose(poses.keypoints[0, 0], [110, 62], atol=12)
    assert poses.scores.min() >= 0
    assert poses.scores.max() <= 1
    assert poses.scores[0, 0] > 0.9


def test_equals_a_plain_mediapipe_loop(estimator: MediaPipeEstimator, portrait: np.ndarray) -> None:
    from mediapipe.python.solutions.pose import Pose

    images = [np.roll(portrait, shift, axis=1) for shift in range(4)]
    with Pose(model_complexity=1, smooth_landmarks=False) as pose:
        marks = [pose.process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).pose_landmarks.landmark for image in images]
    expected = [[(mark.x * 256, mark.y * 256) for mark in frame] for frame in marks]
    found = [poses.keypoints[0] for _, poses in estimator.run(frames(images))]
    np.testing.assert_allclose(found, expected, rtol=1e-6)  # pixels are made in float32


def test_results_do_not_depend_on_the_video_before(estimator: MediaPipeEstimator, portrait: np.ndarray) -> None:
    clip = frames([np.roll(portrait, shift, axis=0) for shift in range(3)])
    first = [poses.keypoints for _, poses in estimator.run(clip)]
    list(estimator.run(frames([portrait[:, ::-1].copy()] * 4)))
    second = [poses.keypoints for _, poses in estimator.run(clip)]
    np.testing.assert_array_equal(first, second)


def test_a_frame_without_people_is_kept_empty(estimator: MediaPipeEstimator, portrait: np.ndarray) -> None:
    results = list(estimator.run(frames([np.zeros_like(portrait), portrait])))
    assert [len(poses) for _, poses in results] == [0, 1]
    assert [frame.index for frame, _ in results] == [0, 1]


def test_one_person_is_not_given_to_two_boxes(estimator: MediaPipeEstimator, portrait: np.ndarray) -> None:
    boxes = PersonBoxes(np.array([[0, 0, 256, 256], [60, 60, 256, 256]], np.float32), np.ones(2, np.float32))
    ((_, poses),) = estimator.run(frames([portrait]), lambda _: boxes)
    assert len(poses) == 1


def test_people_who_stand_close_keep_their_own_keypoints(estimator: MediaPipeEstimator, portrait: np.ndarray) -> None:
    # the left box shows the whole right person too, who is plainer to see
    image = np.hstack([portrait[:, 40:150], portrait])
    boxes = PersonBoxes(np.array([[0, 0, 212, 256], [110, 0, 366, 256]], np.float32), np.ones(2, np.float32))
    ((_, poses),) = estimator.run(frames([image]), lambda _: boxes)
    noses = poses.keypoints[:, 0, 0]
    assert len(poses) == 2
    np.testing.assert_allclose(noses, [70, 220], atol=12)


def test_several_people_where_boxes_are_given(estimator: MediaPipeEstimator, portrait: np.ndarray) -> None:
    image = np.hstack([portrait, np.zeros((256, 80, 3), np.uint8), portrait])
    boxes = PersonBoxes(
        np.array([[0, 0, 256, 256], [336, 0, 592, 256]], np.float32), np.ones(2, np.float32), np.array([4, 9])
    )
    ((_, poses),) = estimator.run(frames([image]), lambda _: boxes)
    assert poses.keypoints.shape == (2, 33, 2)
    assert poses.ids.tolist() == [4, 9]
    assert abs(poses.keypoints[1, 0, 0] - poses.keypoints[0, 0, 0] - 336) < 10


def test_settings_of_the_other_backend_are_refused(tmp_path: Path) -> None:
    file = tmp_path / 'weights.pth'
    file.write_bytes(b'x')
    with pytest.raises(UserError, match='--checkpoint'):
        MediaPipeEstimator.identify(ExtractSettings(backend='mediapipe', checkpoint=str(file)))
    with pytest.raises(UserError, match='cuda'):
        MediaPipeEstimator.identify(ExtractSettings(backend='mediapipe', device='cuda'))


def test_two_people_in_view_are_told_of_and_one_is_not(shared_data: Path) -> None:
    from pose_extract.estimators import backend_class
    from pose_extract.video import open_video

    estimator = backend_class('mediapipe')(ExtractSettings(backend='mediapipe'))
    with open_video(shared_data / 'videos/two_people.mp4') as video:
        frames = list(video)
    assert len(list(estimator.run(frames))) == len(frames)
    (note,) = estimator.notes
    assert 'more than one person is in view in' in note
    assert '--boxes' in note
    left = [Frame(frame.index, frame.time, frame.image[:, :880].copy()) for frame in frames[:30]]
    list(estimator.run(left))
    assert estimator.notes == []
