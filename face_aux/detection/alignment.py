"""Cutting a face out, upright and with the same margin as the faces a model was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from bmoe_ground.errors import UserError
from face_aux.detection.faces import Face


@dataclass(frozen=True)
class CropSettings:
    """How a detected box becomes a square crop. It must match the training images.

    ``tools/measure_framing.py`` finds the values for a set: about 0 and 0 for UTKFace's chips, 0.28 and 0.2 for
    FFHQ's framing, with the default detector.

    Args:
        margin: Widening on each side, as a share of the box.
        shift: How far the crop moves up towards the forehead, as a share of the box.
        align: Whether to turn the crop so that the eyes lie level.

    Example:
        >>> face_aux.CropSettings.from_config({'margin': 0.27, 'shift': 0.2}, 'my config')
        CropSettings(margin=0.27, shift=0.2, align=True)
    """

    margin: float = 0.0
    shift: float = 0.0
    align: bool = True

    @classmethod
    def from_config(cls, config: Mapping[str, Any], where: str) -> CropSettings:
        """Settings from a config's ``face_crop``.

        Raises:
            UserError: A key is unknown, or a value is out of range; ``where`` opens the message.
        """
        known = {'margin', 'shift', 'align'}
        if unknown := set(config) - known:
            raise UserError(f'{where}: face_crop has unknown keys {sorted(unknown)}; known: {sorted(known)}')
        settings = cls(**config)
        if not -0.5 < settings.margin < 5 or abs(settings.shift) > 2:
            raise UserError(f'{where}: margin must lie in (-0.5, 5) and shift in [-2, 2], got {dict(config)}')
        return settings


@dataclass(frozen=True)
class Crop:
    """A square cut out of an image.

    Args:
        x: Centre, pixels.
        y: Centre, pixels.
        side: Side, pixels.
        angle: Turn in degrees, clockwise in the image.
    """

    x: float
    y: float
    side: float
    angle: float = 0.0

    @classmethod
    def of(cls, face: Face, settings: CropSettings) -> Crop:
        """The crop of a face."""
        angle = face.angle if settings.align else 90.0 * face.turn
        x, y = face.center
        up = settings.shift * face.side
        turn = np.radians(angle)
        side = face.side * (1 + 2 * settings.margin)
        return cls(x + up * float(np.sin(turn)), y - up * float(np.cos(turn)), side, angle)


def cut(image: np.ndarray, crop: Crop, size: int | None = None) -> np.ndarray:
    """Cut a square out, turned level; what lies outside the image repeats its border mirrored.

    Args:
        image: uint8 (H, W, 3).
        crop: The square.
        size: Side of the result in pixels; None for the crop's own, which resamples only where it is turned.

    Returns:
        uint8 (size, size, 3).
    """
    size = size or max(1, round(crop.side))
    scale = crop.side / size
    turn = np.radians(crop.angle)
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    middle = (size - 1) / 2
    # from a pixel of the result to a pixel of the image
    matrix = np.array(
        [
            [cos, -sin, crop.x - 0.5 - cos * middle + sin * middle],
            [sin, cos, crop.y - 0.5 - sin * middle - cos * middle],
        ]
    )
    if crop.angle == 0 and size == round(crop.side):
        matrix[:, 2] = np.round(matrix[:, 2])  # whole pixels: nothing is blurred
        matrix[:, :2] = np.eye(2)
    if scale > 1.5:  # warping does not average, so a large face is reduced first
        reduced = cv2.resize(image, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA)
        factor = reduced.shape[1] / image.shape[1], reduced.shape[0] / image.shape[0]
        small = Crop(crop.x * factor[0], crop.y * factor[1], size, crop.angle)
        return cut(reduced, small, size)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT_101)


def crop_face(image: np.ndarray, face: Face, settings: CropSettings, size: int | None = None) -> np.ndarray:
    """Cut one face out of an image.

    Args:
        image: uint8 (H, W, 3) RGB.
        face: Where it is.
        settings: Margin and alignment.
        size: Side of the result; None for the face's own resolution.

    Returns:
        uint8 (size, size, 3).
    """
    return cut(image, Crop.of(face, settings), size)
