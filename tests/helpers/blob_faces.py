"""Pictures and videos of bright blobs, and a detector that takes them for faces."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from face_aux.detection import Face, FaceDetector


class BlobDetector(FaceDetector):
    """Every bright blob on black is a face."""

    def detect(self, image: np.ndarray) -> list[Face]:
        count, _, stats, _ = cv2.connectedComponentsWithStats((image.max(axis=2) > 40).astype(np.uint8))
        faces = [
            Face((float(x), float(y), float(x + w), float(y + h)), 0.9) for x, y, w, h, n in stats[1:count] if n > 20
        ]
        return sorted(faces, key=lambda f: -f.side)


def picture(path: Path, *blobs: tuple[int, int, int, int], size: tuple[int, int] = (100, 160)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(frame(blobs, size)).save(path)
    return path


def frame(blobs: tuple[tuple[int, int, int, int], ...], size: tuple[int, int] = (100, 160)) -> np.ndarray:
    image = np.zeros((*size, 3), np.uint8)
    for x, y, side, level in blobs:
        image[y : y + side, x : x + side] = level
    return image


def movie(path: Path, frames: list[np.ndarray]) -> Path:
    """Lossless, so that the levels stay."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'FFV1'), 10, frames[0].shape[1::-1])
    assert writer.isOpened()
    for image in frames:
        writer.write(image[..., ::-1])
    writer.release()
    return path
