from __future__ import annotations

import resource
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from bmoe_ground.errors import UserError
from pose_extract.crops import CropRecorder, check_crops, crops_path, follow, jpeg_size, load_crops, spread


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


def archive(path: Path, **changes: object) -> None:
    """A file of one crop with some of its arrays replaced, or left out."""
    recorder = CropRecorder(32)
    recorder.add(0, gradient(), np.array([0]), np.array([[10.0, 10, 90, 90]]))
    recorder.write(path, [0], np.array([0]))
    recorder.close()
    with np.load(path) as stored:
        arrays = {**stored, **changes}
    with path.open('wb') as file:
        np.savez_compressed(file, **{key: value for key, value in arrays.items() if value is not None})


@pytest.mark.parametrize(
    'changes',
    [
        {'size': None}, {'size': np.array([32])}, {'size': np.array(0)}, {'size': np.array(5000)},
        {'size': np.array('x')},
        {'offsets': np.array([0, -1])}, {'offsets': np.array([0.0, 1.0])}, {'offsets': np.array([0, 10**6])},
        {'frames': np.array([-1])}, {'frames': np.array([[0]])}, {'frames': np.array([], int)},
        {'boxes': np.zeros((1, 4))}, {'boxes': np.zeros((1, 1, 4), bool)}, {'boxes': np.zeros((2, 1, 4))},
        {'jpeg': np.zeros(3, np.int64)}, {'jpeg': np.zeros(0, np.uint8)},
        {'offsets': np.array([0, 2**63 - 1], np.uint64)}, {'frames': np.array([2**64 - 1], np.uint64)},
    ],
)  # fmt: skip
def test_fields_of_other_types_and_shapes_are_errors(tmp_path: Path, changes: dict[str, np.ndarray]) -> None:
    archive(tmp_path / 'a.rgb', **changes)
    with pytest.raises(UserError, match=r'a\.rgb'):
        load_crops(tmp_path / 'a.rgb')


def coded(kind: str, side: int) -> bytes:
    import cv2

    return cv2.imencode(kind, np.zeros((side, side, 3), np.uint8))[1].tobytes()


def claim(data: bytes, side: int) -> bytes:
    """A JPEG whose frame header claims another size."""
    at = data.index(b'\xff\xc0')
    return data[: at + 5] + side.to_bytes(2, 'big') * 2 + data[at + 9 :]


def png_claiming(side: int) -> bytes:
    """A PNG whose header claims ``side``, with a right checksum."""
    header = b'IHDR' + side.to_bytes(4, 'big') * 2 + b'\x08\x02\x00\x00\x00'
    return b'\x89PNG\r\n\x1a\n' + b'\x00\x00\x00\r' + header + zlib.crc32(header).to_bytes(4, 'big') + bytes(40)


@pytest.mark.parametrize('kind', ['png bomb', 'jpeg bomb', 'second header', 'png', 'other size', 'tiff'])
def test_pictures_are_looked_at_before_they_are_decoded(tmp_path: Path, kind: str) -> None:
    jpeg = coded('.jpg', 32)
    at = jpeg.index(b'\xff\xc0')
    segment = jpeg[at : at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], 'big')]
    data = {
        'png bomb': png_claiming(30_000),
        'jpeg bomb': claim(jpeg, 30_000),
        'second header': jpeg[:at] + segment + claim(segment, 30_000) + jpeg[at + len(segment) :],
        'png': coded('.png', 32),
        'other size': coded('.jpg', 40),
        'tiff': coded('.tiff', 32),
    }[kind]
    archive(tmp_path / 'a.rgb', jpeg=np.frombuffer(data, np.uint8), offsets=np.array([0, len(data)]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UserError, match=r'a\.rgb: the crop of person 0 in frame 0 is damaged'):
        load_crops(tmp_path / 'a.rgb')
    with pytest.raises(UserError, match=r'a\.rgb: the crop of person 0 in frame 0 is damaged'):
        check_crops(tmp_path / 'a.rgb')
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024  # KiB


def test_more_frames_than_the_memory_holds(tmp_path: Path) -> None:
    count = 100_000
    archive(
        tmp_path / 'a.rgb', offsets=np.zeros(count + 1, int), frames=np.arange(count), jpeg=np.zeros(0, np.uint8),
        boxes=np.full((1, count, 4), np.nan, np.float32), size=np.array(1024),
    )  # fmt: skip
    with pytest.raises(UserError, match='ask for fewer'):
        load_crops(tmp_path / 'a.rgb')
    assert load_crops(tmp_path / 'a.rgb', [5, 99_999]).images.shape == (1, 2, 1024, 1024, 3)


def test_the_size_that_a_jpeg_announces() -> None:
    image = np.zeros((30, 50, 3), np.uint8)
    import cv2

    for flags in ([], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1], [cv2.IMWRITE_JPEG_RST_INTERVAL, 1]):
        assert jpeg_size(cv2.imencode('.jpg', image, flags)[1].tobytes()) == (30, 50)
    assert jpeg_size(b'') is None
    assert jpeg_size(b'\xff\xd8\xff') is None
