"""Group photos, false faces, and which face is meant: MediaPipe's detector on pictures made from scikit-image's."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from face_aux.detection import FaceDetector, build_detector
from face_aux.detection.turns import find_upright

skimage_data = pytest.importorskip('skimage.data')
pytest.importorskip('mediapipe')


@pytest.fixture(scope='module')
def detector() -> FaceDetector:
    return build_detector('mediapipe')


def portrait(side: int, mirrored: bool = False, light: float = 1.0) -> np.ndarray:
    head = skimage_data.astronaut()[20:240, 110:330]
    head = head[:, ::-1] if mirrored else head
    head = cv2.resize(np.ascontiguousarray(head), (side, side), interpolation=cv2.INTER_AREA)
    return np.clip(head * light, 0, 255).astype(np.uint8)


def group(rows: int, columns: int, side: int, gap: int) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """A picture of many heads and their middles."""
    pitch = side + gap
    image = np.full((rows * pitch + gap, columns * pitch + gap, 3), 118, np.uint8)
    middles = []
    for row in range(rows):
        for column in range(columns):
            y, x = gap + row * pitch, gap + column * pitch
            head = portrait(side, mirrored=(row + column) % 2 == 1, light=0.7 + 0.5 * column / columns)
            image[y : y + side, x : x + side] = head
            middles.append((x + side / 2, y + side / 2))
    return image, middles


@pytest.mark.parametrize(('rows', 'columns', 'side', 'gap'), [(6, 8, 100, 30), (4, 5, 150, 8), (9, 16, 110, 10)])
def test_everybody_on_a_group_photo(detector: FaceDetector, rows: int, columns: int, side: int, gap: int) -> None:
    image, middles = group(rows, columns, side, gap)
    found = detector.detect(image)
    assert len(found) == rows * columns
    for x, y in middles:
        assert sum(np.hypot(f.center[0] - x, f.center[1] - y) < side / 3 for f in found) == 1


def test_large_and_small_together(detector: FaceDetector) -> None:
    image = np.full((1080, 1920, 3), 118, np.uint8)
    image[300:820, 700:1220] = portrait(520)
    places = [(100, 100), (100, 350), (150, 1500), (600, 100), (800, 1700)]
    for number, (y, x) in enumerate(places):
        image[y : y + 130, x : x + 130] = portrait(130, number % 2 == 1)
    found = detector.detect(image)
    assert len(found) == 6
    assert abs(found[0].center[0] - 960) < 80
    assert all(face.side < 120 for face in found[1:])


def non_faces() -> dict[str, np.ndarray]:
    """Pictures in which nobody is, large enough for tiles."""
    names = ('brick', 'grass', 'gravel', 'moon', 'coffee', 'chelsea', 'rocket', 'text', 'page', 'clock', 'coins',
             'hubble_deep_field', 'immunohistochemistry')  # fmt: skip
    pictures = {}
    for name in names:
        picture = getattr(skimage_data, name)()
        pictures[name] = np.stack([picture] * 3, axis=2) if picture.ndim == 2 else picture[..., :3]
    patches = (skimage_data.lfw_subset()[100:] * 255).astype(np.uint8)  # its second half shows no faces
    large = [cv2.resize(patch, (100, 100), interpolation=cv2.INTER_CUBIC) for patch in patches]
    grid = np.concatenate([np.concatenate(large[row * 10 : row * 10 + 10], axis=1) for row in range(10)])
    pictures['lfw_subset'] = np.stack([grid] * 3, axis=2)
    pictures['noise'] = np.random.default_rng(0).integers(0, 256, (900, 1400, 3), dtype=np.uint8)
    return {name: np.ascontiguousarray(picture) for name, picture in pictures.items()}


def test_tiles_and_turns_invent_nobody(detector: FaceDetector) -> None:
    found = {name: find_upright(image, detector.detect) for name, image in non_faces().items()}
    assert {name: faces for name, faces in found.items() if faces} == {}


@pytest.mark.parametrize('turn', [0, 1, 2, 3])
def test_a_photograph_that_lies_turned(detector: FaceDetector, turn: int) -> None:
    for image, count in ((skimage_data.astronaut(), 1), (group(3, 4, 120, 25)[0], 12)):
        upright = detector.detect(image)
        turned = np.ascontiguousarray(np.rot90(image, -turn))  # clockwise
        found = find_upright(turned, detector.detect)
        assert len(found) == count
        assert {face.turn for face in found} == {turn}
        for face in found:
            assert abs((face.angle - 90 * turn + 180) % 360 - 180) < 20
            x, y = face.center
            height, width = image.shape[:2]
            back = ((x, y), (y, height - x), (width - x, height - y), (width - y, x))[turn]
            assert min(np.hypot(back[0] - f.center[0], back[1] - f.center[1]) for f in upright) < 2
