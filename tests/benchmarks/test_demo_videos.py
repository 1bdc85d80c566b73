from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from benchmarks.demo_videos import (
    ACTIONS,
    MOVEMENTS,
    ClipMotion,
    load_photograph,
    make_demo_videos,
    render,
    sample_motion,
    sample_positions,
)
from bmoe_ground.errors import UserError

REST = dict.fromkeys(MOVEMENTS, 0.0)
LEVEL = np.array([0.0, 0.0, 1.0, 0.0])


def spot_after(movement: str, value: float, spot: tuple[int, int]) -> np.ndarray:
    """Where a small bright spot of the photograph is seen in a 512-pixel frame, ``(x, y)``."""
    photograph = np.zeros((512, 512, 3), np.uint8)
    cv2.circle(photograph, spot, 4, (255, 255, 255), -1)
    motion = ClipMotion(
        {k: np.full(2, value if k == movement else 0.0) for k in MOVEMENTS}, [LEVEL] * 2, np.ones(2), 0.0
    )
    frame = next(render(photograph, motion, 512, np.random.default_rng(0)))
    weights = frame[..., 0].astype(float)
    rows, columns = np.mgrid[:512, :512]
    return np.array([(columns * weights).sum(), (rows * weights).sum()]) / weights.sum()


def test_at_rest_the_photograph_is_shown_as_it_is() -> None:
    x, y = sample_positions(REST, LEVEL, 512)
    rows, columns = np.mgrid[:512, :512]
    np.testing.assert_allclose(x, columns, atol=1e-3)
    np.testing.assert_allclose(y, rows, atol=1e-3)


def test_camera_shift_moves_the_picture_by_fractions_of_the_frame() -> None:
    x, y = sample_positions(REST, np.array([0.1, -0.05, 1.0, 0.0]), 512)
    rows, columns = np.mgrid[:512, :512]
    np.testing.assert_allclose(x, columns - 51.2, atol=1e-3)
    np.testing.assert_allclose(y, rows + 25.6, atol=1e-3)


@pytest.mark.parametrize('movement, spot, least, most', [
    ('pitch', (227, 125), (-1, 8), (1, 10.5)),
    ('yaw', (227, 125), (8, -1), (10.5, 1)),
    ('shrug', (108, 255), (-1, -12), (1, -8)),
    ('shrug', (315, 262), (-1, -12), (1, -8)),
])  # fmt: skip
def test_a_movement_of_ten_pixels(
    movement: str, spot: tuple[int, int], least: tuple[float, float], most: tuple[float, float]
) -> None:
    moved = spot_after(movement, 10.0, spot) - spot
    assert (moved >= least).all() and (moved <= most).all(), moved


@pytest.mark.parametrize('movement, pivot, spot', [('lean', (210, 600), (227, 110)), ('roll', (225, 195), (225, 105))])
@pytest.mark.parametrize('degrees', [-5.0, 5.0])
def test_turning_about_a_joint(movement: str, pivot: tuple[int, int], spot: tuple[int, int], degrees: float) -> None:
    rotation = cv2.getRotationMatrix2D(pivot, -degrees, 1.0)  # OpenCV counts anticlockwise as positive
    expected = rotation @ (*spot, 1.0)
    np.testing.assert_allclose(spot_after(movement, degrees, spot), expected, atol=2.0)


@pytest.mark.parametrize('movement', MOVEMENTS)
@pytest.mark.parametrize('sign', [-1, 1])
def test_the_largest_movement_folds_nothing(movement: str, sign: int) -> None:
    extent = MOVEMENTS[movement]
    x, y = sample_positions({**REST, movement: sign * (extent.rest + extent.largest / 2)}, LEVEL, 256)
    jacobian = np.gradient(x, axis=1) * np.gradient(y, axis=0) - np.gradient(x, axis=0) * np.gradient(y, axis=1)
    assert jacobian.min() > 0


@pytest.mark.parametrize('action', ACTIONS)
def test_an_action_drives_its_movement_only(action: str) -> None:
    spans: dict[str, list[float]] = {name: [] for name in MOVEMENTS}
    for seed in range(20):
        motion = sample_motion(action, 40, np.random.default_rng(seed))
        for name, curve in motion.movements.items():
            spans[name].append(float(np.ptp(curve)) / MOVEMENTS[name].smallest)
    driven = ACTIONS[action]
    for name, values in spans.items():
        if driven is not None and name == driven[0]:
            assert min(values) > 0.7
        else:
            assert max(values) < 0.5


@pytest.mark.parametrize('action, sign', [('lean_left', 1), ('lean_right', -1), ('shrug', 1)])
def test_an_excursion_starts_to_its_side_and_returns(action: str, sign: int) -> None:
    driven = ACTIONS[action]
    assert driven is not None
    for seed in range(20):
        curve = sample_motion(action, 40, np.random.default_rng(seed)).movements[driven[0]] * sign
        assert curve[[0, -1]].max() < np.median(np.sort(curve)[-10:])


def test_one_frame_does_not_tell_the_class() -> None:
    """Even the true values of all movements, in a random frame of each clip, leave a linear classifier near 1 in 7."""
    states, labels = [], []
    for label, action in enumerate(ACTIONS):
        for clip in range(400):
            rng = np.random.default_rng([label, clip])
            movements = sample_motion(action, 40, rng).movements
            t = rng.integers(40)
            states.append([movements[name][t] / MOVEMENTS[name].rest for name in MOVEMENTS])
            labels.append(label)
    x, y = np.array(states), np.array(labels)
    training = np.arange(len(y)) % 2 == 0
    accuracy = LogisticRegression().fit(x[training], y[training]).score(x[~training], y[~training])
    assert accuracy < 0.2


def test_unknown_action() -> None:
    with pytest.raises(ValueError, match='wave'):
        sample_motion('wave', 40, np.random.default_rng(0))


def test_files_are_whole_and_the_same_each_time(tmp_path: Path) -> None:
    files = make_demo_videos(tmp_path / 'a', 1, 20, 64, seed=3)
    again = make_demo_videos(tmp_path / 'b', 2, 20, 64, seed=3)
    other = make_demo_videos(tmp_path / 'c', 1, 20, 64, seed=4)
    assert sorted(p.parent.name for p in files) == sorted(ACTIONS)
    assert [p for p in (tmp_path / 'a').rglob('*') if p.is_file() and p not in files] == []
    assert [p.read_bytes() for p in files] == [p.read_bytes() for p in again[::2]]
    assert files[0].read_bytes() != other[0].read_bytes()
    video = cv2.VideoCapture(str(files[0]))
    frames = []
    while (read := video.read())[0]:
        frames.append(read[1])
    assert np.shape(frames) == (20, 64, 64, 3)
    assert video.get(cv2.CAP_PROP_FPS) == 20


@pytest.mark.parametrize('change', [{'clips_per_class': 0}, {'num_frames': 5}, {'size': 8}, {'seed': -1}])
def test_numbers_out_of_range(tmp_path: Path, change: dict[str, int]) -> None:
    with pytest.raises(UserError, match=r'expected \d+ to \d+'):
        make_demo_videos(tmp_path, **{'clips_per_class': 1, 'num_frames': 20, 'size': 64, 'seed': 0, **change})


def test_output_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / 'videos'
    file.write_text('')
    with pytest.raises(UserError, match='is a file'):
        make_demo_videos(file, 1, 20, 64, 0)


@pytest.mark.slow
def test_a_pose_estimator_sees_the_lean() -> None:
    pose = pytest.importorskip('mediapipe').solutions.pose
    for action in ('lean_left', 'lean_right'):
        motion = sample_motion(action, 40, np.random.default_rng(1))
        shoulders = []
        with pose.Pose(model_complexity=1) as estimator:
            for frame in render(load_photograph(), motion, 288, np.random.default_rng(2)):
                points = estimator.process(np.ascontiguousarray(frame[..., ::-1])).pose_landmarks.landmark
                shoulders.append((points[11].x + points[12].x) / 2)
        assert np.corrcoef(shoulders, motion.movements['lean'])[0, 1] > 0.9
