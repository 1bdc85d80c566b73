from __future__ import annotations

from pathlib import Path

import pytest
from blob_faces import BlobDetector, picture

from benchmarks.framing import measure_framing
from face_aux.detection import CropSettings, crop_face
from face_aux.images import read_image


def test_settings_reproduce_the_frame(tmp_path: Path) -> None:
    paths = [picture(tmp_path / f'{i}.png', (30, 40, 40 + i, 200), size=(100, 100)) for i in range(3)]
    paths.append(picture(tmp_path / 'none.png', size=(100, 100)))
    framing = measure_framing(BlobDetector(), paths)
    assert (framing.images, framing.found, framing.several) == (4, 3, 0)
    assert framing.margin == pytest.approx((100 / 41 - 1) / 2)
    assert framing.shift == pytest.approx((60.5 - 50) / 41)
    image = read_image(paths[1])
    (face,) = BlobDetector().detect(image)
    crop = crop_face(image, face, CropSettings(framing.margin or 0, framing.shift or 0))
    assert crop.shape == (100, 100, 3)
    (again,) = BlobDetector().detect(crop)
    assert again.center[1] == pytest.approx(face.center[1], abs=1)


def test_nothing_found(tmp_path: Path) -> None:
    framing = measure_framing(BlobDetector(), [picture(tmp_path / 'a.png')])
    assert (framing.found, framing.margin, framing.shift) == (0, None, None)
    with pytest.raises(ValueError, match='no images'):
        measure_framing(BlobDetector(), [])
