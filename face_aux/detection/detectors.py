"""Face detectors that need no download: MediaPipe's (the default), OpenCV's Haar cascade, or none at all."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bmoe_ground.errors import UserError
from face_aux.detection.faces import Face, suppress_doubles


class FaceDetector(ABC):
    """Finds faces in an image. A new detector is a subclass with :meth:`detect`, and an entry in ``DETECTORS``.

    Attributes:
        cuts: Whether the faces are to be cut out; False where the image itself is the face.
    """

    cuts = True

    @abstractmethod
    def detect(self, image: np.ndarray) -> list[Face]:
        """Find faces.

        Args:
            image: uint8 (H, W, 3) RGB.

        Returns:
            Faces, largest first; empty where there is none.
        """


class WholeImage(FaceDetector):
    """For images that are face crops already: the face is the whole image, as it is."""

    cuts = False

    def detect(self, image: np.ndarray) -> list[Face]:
        """The image's own rectangle."""
        height, width = image.shape[:2]
        return [Face((0.0, 0.0, float(width), float(height)))]


class HaarDetector(FaceDetector):
    """OpenCV's frontal face cascade: needs nothing but OpenCV, misses turned and tightly cropped faces.

    Args:
        min_side: Smallest face in pixels.
        min_neighbors: Detections that must agree; more means fewer false ones.
    """

    def __init__(self, min_side: int = 24, min_neighbors: int = 5) -> None:
        folder = getattr(getattr(cv2, 'data', None), 'haarcascades', '')
        path = Path(folder) / 'haarcascade_frontalface_default.xml'
        if not folder or not path.is_file():
            raise UserError("detector 'haar': this OpenCV ships no cascades; install opencv-python<5")
        self.cascade = cv2.CascadeClassifier(str(path))
        self.min_side, self.min_neighbors = min_side, min_neighbors

    def detect(self, image: np.ndarray) -> list[Face]:
        """Boxes without eyes and without a confidence."""
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        size = (self.min_side, self.min_side)
        boxes = self.cascade.detectMultiScale(grey, 1.1, self.min_neighbors, minSize=size)
        return suppress_doubles([Face((float(x), float(y), float(x + w), float(y + h))) for x, y, w, h in boxes])


class MediaPipeDetector(FaceDetector):
    """BlazeFace from the mediapipe wheel, with eyes: the short-range and the full-range model together.

    Where neither finds a face, the full-range model looks at overlapping square tiles, which finds the small faces of
    wide pictures.

    Args:
        min_score: Least confidence, 0 to 1.
        tiles: Whether to look at tiles.
        min_tile_score: Least confidence in a tile, higher for its false faces.
        min_side: Smallest face in pixels.
    """

    TILE_OVERLAP = 0.3

    def __init__(
        self, min_score: float = 0.5, tiles: bool = True, min_tile_score: float = 0.65, min_side: int = 12
    ) -> None:
        if importlib.util.find_spec('mediapipe') is None:
            raise UserError(
                "detector 'mediapipe' needs the package mediapipe==0.10.21 (later ones carry no models); install it, "
                "or choose 'haar', or 'none' for images that are face crops already"
            )
        from mediapipe.python.solutions import face_detection

        make = face_detection.FaceDetection
        self.short_range = make(model_selection=0, min_detection_confidence=min_score)
        self.full_range = make(model_selection=1, min_detection_confidence=min_score)
        self.tiles, self.min_tile_score, self.min_side = tiles, min_tile_score, min_side

    def detect(self, image: np.ndarray) -> list[Face]:
        """Boxes with eyes, from the whole image or else from its tiles."""
        faces = self._run(self.short_range, image) + self._run(self.full_range, image)
        if not faces and self.tiles:
            faces = [
                face
                for x, y, tile in self._tiles(image)
                for face in self._run(self.full_range, tile, x, y)
                if (face.score or 0) >= self.min_tile_score
            ]
        return suppress_doubles([face for face in faces if face.side >= self.min_side])

    def _tiles(self, image: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
        """Squares along the longer side of an image that is not square itself."""
        height, width = image.shape[:2]
        side = min(height, width)
        count = int(np.ceil((max(height, width) - side) / (side * (1 - self.TILE_OVERLAP)))) + 1
        for offset in np.linspace(0, max(height, width) - side, count).astype(int).tolist() if count > 1 else []:
            x, y = (offset, 0) if width > height else (0, offset)
            yield x, y, np.ascontiguousarray(image[y : y + side, x : x + side])

    @staticmethod
    def _run(model: Any, image: np.ndarray, x: float = 0.0, y: float = 0.0) -> list[Face]:
        height, width = image.shape[:2]
        faces = []
        for found in model.process(image).detections or []:
            box, points = found.location_data.relative_bounding_box, found.location_data.relative_keypoints
            x1, y1 = x + box.xmin * width, y + box.ymin * height
            eyes = sorted((x + p.x * width, y + p.y * height) for p in points[:2])
            corners = (x1, y1, x1 + box.width * width, y1 + box.height * height)
            faces.append(Face(corners, float(found.score[0]), (eyes[0], eyes[1])))
        return faces


DETECTORS: dict[str, Callable[..., FaceDetector]] = {
    'mediapipe': MediaPipeDetector,
    'haar': HaarDetector,
    'none': WholeImage,
}
"""Name to class; an application may add its own."""


def build_detector(name: str, **options: Any) -> FaceDetector:
    """Make a detector by name.

    Args:
        name: A key of :data:`DETECTORS`; 'none' for images that are face crops already.
        **options: Arguments of its class.

    Raises:
        UserError: The name is unknown, or the detector lacks a package.

    Example:
        >>> whole = face_aux.build_detector('none')
        >>> whole.detect(np.zeros((64, 64, 3), np.uint8))[0].box
        (0.0, 0.0, 64.0, 64.0)
    """
    if name not in DETECTORS:
        raise UserError(f'unknown face detector {name!r}; choose one of {", ".join(DETECTORS)}')
    return DETECTORS[name](**options)
