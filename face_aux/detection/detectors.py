"""Face detectors that need no download: MediaPipe's (the default), OpenCV's Haar cascade, or none at all."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bmoe_ground.errors import UserError
from face_aux.detection.faces import SURE, Face, overlap, suppress_doubles
from face_aux.detection.tiles import TILE_MIN, tile_sides, tiles

TILE_PIXELS = 2 * TILE_MIN
"""Side in pixels to which larger tiles are reduced before a model sees them."""


class FaceDetector(ABC):
    """Finds faces in an image. A new detector is a subclass with :meth:`detect`, and an entry in ``DETECTORS``.

    Attributes:
        cuts: Whether the faces are to be cut out; False where the image itself is the face.
    """

    cuts = True

    @abstractmethod
    def detect(self, image: np.ndarray) -> list[Face]:
        """Find every face.

        Args:
            image: uint8 (H, W, 3) RGB.

        Returns:
            Faces, largest first; empty where there is none.
        """

    def detect_surest(self, image: np.ndarray) -> list[Face]:
        """Find faces until one is sure; a detector that can save time by it overrides this.

        Args:
            image: uint8 (H, W, 3) RGB.

        Returns:
            Faces, largest first, the surest one among them; empty where there is none.
        """
        return self.detect(image)


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

    Both look at the whole image. Where that is large for them (their inputs are 128 and 192 pixels wide), they also
    look at overlapping tiles of at least two scales, and at finer ones as long as the last scale showed somebody new; a
    face that a tile's border cuts is left to the tile that has it whole, and what is found twice counts once.

    Args:
        min_score: Least confidence in the whole image, 0 to 1.
        tiles: Whether to look at tiles.
        min_tile_score: Least confidence in a tile. It is higher, for there are many: on textures, text, stars and the
            non-faces of scikit-image's ``lfw_subset`` no tile reached 0.69, and clear faces reach 0.85.
        min_side: Smallest face in pixels.
    """

    def __init__(
        self, min_score: float = 0.5, tiles: bool = True, min_tile_score: float = 0.7, min_side: int = 12
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
        """Boxes with eyes, from the whole image and its tiles."""
        return self._with_tiles(image, self._whole(image))

    def detect_surest(self, image: np.ndarray) -> list[Face]:
        """The same, but tiles are looked at only where the whole image shows nobody for sure."""
        faces = self._whole(image)
        return faces if any((face.score or 0) >= SURE for face in faces) else self._with_tiles(image, faces)

    def _whole(self, image: np.ndarray) -> list[Face]:
        faces = [*self._run(self.short_range, image), *self._run(self.full_range, image)]
        return suppress_doubles([face for face in faces if face.side >= self.min_side])

    def _with_tiles(self, image: np.ndarray, faces: list[Face]) -> list[Face]:
        sides = tile_sides(*image.shape[:2]) if self.tiles else []
        for level, side in enumerate(sides):
            models = [self.short_range, self.full_range] if level == 0 else [self.short_range]
            found = suppress_doubles([*faces, *self._tiles(image, side, models)])
            known, faces = faces, found
            new = any(all(overlap(face, other) < 0.5 for other in known) for face in found)
            if level > 0 and not new and (found or level > 1):
                break
        return faces

    def _tiles(self, image: np.ndarray, side: int, models: Sequence[Any]) -> list[Face]:
        """The sure faces of one scale, in the pixels of the whole image."""
        shrink = min(1.0, TILE_PIXELS / side)  # the models reduce far more, but less well
        small = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA) if shrink < 1 else image
        height, width = small.shape[:2]
        found = [
            face
            for tile in tiles(height, width, round(side * shrink))
            for model in models
            for face in self._run(model, tile.of(small), tile.x, tile.y)
            if (face.score or 0) >= self.min_tile_score and not tile.cuts(face, height, width)
        ]
        scaled = [face.scaled(image.shape[1] / width, image.shape[0] / height) for face in found]
        return [face for face in scaled if face.side >= self.min_side]

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
