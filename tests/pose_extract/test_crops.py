from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bmoe_ground.errors import UserError
from pose_extract.crops import CropRecorder, crops_path, follow, load_crops, spread


def gradient(height: int = 200, width: int = 300) -> np.ndarray:
    """An image whose blue is x / 2 and whose green is y."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.arange(width) // 2
    image[..., 1] = np.arange(height)[:, None]
    return image


def test_crops_come_back_in_rgb_where_they_were_cut(tmp_path: Path) -> None:
    recorder = CropRecorder(64)
    box = np.array([[100.0, 50, 180, 130]])
    for t in range(4):
        recorder.add(t, gradient(), np.array([5]), box)
    recorder.add(2, gradient(), np.array([8]), box - 40)
    path = tmp_path / 'deep/clip.mp4.rgb'
    recorder.write(path, [8, 5], np.array([0, 2, 3]))
    recorder.close()
    crops = load_crops(path)
    assert crops.images.shape == (2, 3, 64, 64, 3)
    assert crops.frames.tolist() == [0, 2, 3]
    assert crops.present.tolist() == [[False, True, False], [True, True, True]]
    assert not crops.images[0, 0].any()
    assert np.isnan(crops.boxes[0, 0]).all()
    # box 80 wide, margin 1.25: the square is 100 wide around (140, 90)
    np.testing.assert_allclose(crops.boxes[1], np.tile([90, 40, 190, 140], (3, 1)))
    position = (np.arange(64) + 0.5) * 100 / 64 - 0.5  # pixel centres of the crop in the image
    np.testing.assert_allclose(crops.images[1, 0, 32, :, 2], (90 + position) / 2, atol=4)  # blue, last in RGB
    np.testing.assert_allclose(crops.images[1, 0, :, 32, 1], 40 + position, atol=4)
    part = load_crops(path, [1])
    np.testing.assert_array_equal(part.images[:, 0], crops.images[:, 1])
    with pytest.raises(ValueError, match='0..2'):
        load_crops(path, [3])


def test_the_square_stands_still_when_the_person_trembles_and_holds_it_when_it_walks() -> None:
    random = np.random.default_rng(0)
    square, still = None, []
    for _ in range(200):
        square = follow(square, np.array([100, 100, 200, 300]) + random.normal(0, 3, 4))
        still.append(square)
    assert np.std(still[50:], axis=0).max() < 1
    for step in range(100):
        box = np.array([100, 100, 200, 300]) + 15 * step * np.array([1, 0, 1, 0])
        square = follow(square, box)
        assert (square[:2] - square[2] / 2 <= box[:2] + 1e-6).all()
        assert (square[:2] + square[2] / 2 >= box[2:] - 1e-6).all()


def test_spread() -> None:
    assert spread(10, 0).tolist() == list(range(10))
    assert spread(3, 8).tolist() == [0, 1, 2]
    assert spread(100, 4).tolist() == [12, 37, 62, 87]


def test_damaged_files_are_errors(tmp_path: Path) -> None:
    recorder = CropRecorder(32)
    recorder.add(0, gradient(), np.array([0]), np.array([[10.0, 10, 90, 90]]))
    path = tmp_path / 'a.rgb'
    recorder.write(path, [0], np.array([0]))
    data = path.read_bytes()
    for broken in (b'', data[:100], data[:-30], data.replace(b'\xff\xd8', b'\x00\x00')):
        path.write_bytes(broken)
        with pytest.raises(UserError, match='a.rgb'):
            load_crops(path)


def test_beside_the_track() -> None:
    assert crops_path('poses/nod/a.mp4.npz') == Path('poses/nod/a.mp4.rgb')


def test_importing_the_reader_is_light() -> None:
    code = (
        "import sys, pose_extract.crops; sys.exit(any(name in sys.modules for name in ('cv2', 'torch', 'mediapipe')))"
    )
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0
