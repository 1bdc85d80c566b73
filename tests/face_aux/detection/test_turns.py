"""Quarter turns, with detectors that see blobs: what MediaPipe makes of them is in test_detectors_groups.py."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from blob_faces import BlobDetector, frame

from face_aux.detection import Face
from face_aux.detection.turns import find_upright, turn_note, turned_back


class Upright(BlobDetector):
    """A face is a blob with its bright row on top; lying, it is found with less confidence."""

    lying = 0.0

    def detect(self, image: np.ndarray) -> list[Face]:
        faces = []
        for face in super().detect(image):
            x, y = int(face.center[0]), int(face.box[1]) + 2
            upright = image[y, x, 0] > 200
            eyes = ((face.box[0], y), (face.box[2], y)) if upright else None
            if upright or self.lying:
                faces.append(replace(face, score=0.9 if upright else self.lying, eyes=eyes))
        return faces


def picture() -> np.ndarray:
    image = frame(((20, 30, 40, 90), (100, 40, 30, 90)))
    image[30:38, 20:60], image[40:48, 100:130] = 250, 250
    return image


@pytest.mark.parametrize('lying', [0.0, 0.6])
@pytest.mark.parametrize('turn', range(4))
def test_faces_are_found_and_placed_in_the_photograph(turn: int, lying: float) -> None:
    detector = Upright()
    detector.lying = lying
    image = np.ascontiguousarray(np.rot90(picture(), -turn))
    found = find_upright(image, detector.detect)
    assert len(found) == 2
    for face, level in zip(found, (40, 30), strict=True):
        x1, y1, x2, y2 = (round(v) for v in face.box)
        assert (x2 - x1, y2 - y1) == (level, level)
        assert (image[y1:y2, x1:x2] >= 90).all()  # the box holds the blob and nothing else
        assert face.turn == turn
        assert face.angle % 360 == pytest.approx(90 * turn)
        assert face.eyes is not None
        x, y = np.mean(face.eyes, axis=0)
        assert image[min(int(y), y2 - 1), min(int(x), x2 - 1), 0] == 250


def test_an_upright_face_that_is_sure_is_believed_at_once() -> None:
    views = []

    def detect(image: np.ndarray) -> list[Face]:
        views.append(image.shape)
        return [Face((0, 0, 9, 9), 0.9, ((2, 3), (6, 3)))]

    assert find_upright(np.zeros((20, 30, 3), np.uint8), detect)[0].turn == 0
    assert len(views) == 1


def test_a_turned_view_must_be_sure_where_nothing_is_upright() -> None:
    def detect(image: np.ndarray) -> list[Face]:
        return [Face((0, 0, 9, 9), 0.82)] if image.shape[0] > image.shape[1] else []  # a clock

    assert find_upright(np.zeros((20, 30, 3), np.uint8), detect) == []


def test_a_turn_and_its_inverse_are_nothing() -> None:
    face = Face((3.0, 4.0, 13.0, 24.0), 0.5, ((5.0, 8.0), (11.0, 8.0)))
    height, width = 100, 160
    once = turned_back(face, 1, width, height)
    assert turned_back(once, 3, height, width).box == face.box
    twice = turned_back(face, 2, height, width)
    assert turned_back(twice, 2, height, width).eyes == face.eyes


def test_note() -> None:
    assert turn_note(0) == ''
    assert 'upside down' in turn_note(2)
