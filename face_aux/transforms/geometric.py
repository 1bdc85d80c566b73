"""Crops, flips and rotations: what the texture target must see as well."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import cv2
import numpy as np

from bmoe_ground.errors import UserError
from face_aux.registry import TRANSFORMS
from face_aux.transforms.chance import happens, integer, uniform

INTERPOLATION = {'bilinear': cv2.INTER_LINEAR, 'bicubic': cv2.INTER_CUBIC, 'lanczos': cv2.INTER_LANCZOS4}


def resize(image: np.ndarray, width: int, height: int, interpolation: str = 'bicubic') -> np.ndarray:
    """Resize (H, W, C) pixels; shrinking averages areas, so that no fine pattern turns into a false one."""
    shrinks = width < image.shape[1] and height < image.shape[0]
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else INTERPOLATION[interpolation])


def check_interpolation(name: str) -> str:
    """Return ``name`` if it is known, or raise ValueError with the options."""
    if name not in INTERPOLATION:
        raise ValueError(f'interpolation must be one of {sorted(INTERPOLATION)}, got {name!r}')
    return name


def on_frames(results: dict, change: Callable[[np.ndarray], np.ndarray]) -> dict:
    """The item with every frame changed alike."""
    return {**results, 'frames': [np.ascontiguousarray(change(frame)) for frame in results['frames']]}


@TRANSFORMS.register_module()
class Resize:
    """Resize to a square, or the shorter side only.

    Args:
        size: Side of the square, or length of the shorter side, in pixels.
        keep_ratio: Resize the shorter side to ``size`` and keep the aspect ratio (follow with :class:`CenterCrop`).
        interpolation: 'bilinear', 'bicubic' or 'lanczos'; shrinking always averages areas.
    """

    def __init__(self, size: int, keep_ratio: bool = False, interpolation: str = 'bicubic') -> None:
        self.size, self.keep_ratio, self.interpolation = size, keep_ratio, check_interpolation(interpolation)

    def __call__(self, results: dict) -> dict:
        """Resize every frame."""
        height, width = results['frames'][0].shape[:2]
        new_width = new_height = self.size
        if self.keep_ratio:
            scale = self.size / min(height, width)
            new_width, new_height = max(self.size, round(width * scale)), max(self.size, round(height * scale))
        return on_frames(results, partial(resize, width=new_width, height=new_height, interpolation=self.interpolation))


@TRANSFORMS.register_module()
class CenterCrop:
    """Cut the central square; a smaller image is first enlarged to hold it.

    Args:
        size: Side of the square in pixels.
    """

    def __init__(self, size: int) -> None:
        self.size = size

    def __call__(self, results: dict) -> dict:
        """Crop every frame."""
        if min(results['frames'][0].shape[:2]) < self.size:
            results = Resize(self.size, keep_ratio=True)(results)
        height, width = results['frames'][0].shape[:2]
        top, left = (height - self.size) // 2, (width - self.size) // 2
        return on_frames(results, lambda frame: frame[top : top + self.size, left : left + self.size])


@TRANSFORMS.register_module()
class RandomResizedCrop:
    """Cut a random part and resize it to a square (Szegedy et al., 2015); the same part of every frame of a clip.

    Args:
        size: Side of the square in pixels.
        scale: Range of the part's area, as a share of the image.
        ratio: Range of the part's width over height.
        interpolation: See :class:`Resize`.
    """

    def __init__(
        self,
        size: int,
        scale: tuple[float, float] = (0.5, 1.0),
        ratio: tuple[float, float] = (3 / 4, 4 / 3),
        interpolation: str = 'bicubic',
    ) -> None:
        if not 0 < scale[0] <= scale[1] <= 1 or not 0 < ratio[0] <= ratio[1]:
            raise ValueError(f'scale must lie in (0, 1] and ratio be positive, both ascending; got {scale}, {ratio}')
        self.size, self.scale, self.ratio = size, scale, ratio
        self.interpolation = check_interpolation(interpolation)

    def __call__(self, results: dict) -> dict:
        """Crop and resize every frame."""
        height, width = results['frames'][0].shape[:2]
        top, left, h, w = self.sample(height, width)
        return on_frames(
            results,
            lambda frame: resize(frame[top : top + h, left : left + w], self.size, self.size, self.interpolation),
        )

    def sample(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Top, left, height and width of a random part."""
        for _ in range(10):
            area = height * width * uniform(*self.scale)
            aspect = math.exp(uniform(math.log(self.ratio[0]), math.log(self.ratio[1])))
            w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < w <= width and 0 < h <= height:
                return integer(0, height - h), integer(0, width - w), h, w
        # A very long or tiny image: the largest central part whose ratio is allowed.
        w, h = min(width, max(1, round(height * self.ratio[1]))), min(height, max(1, round(width / self.ratio[0])))
        return (height - h) // 2, (width - w) // 2, h, w


@TRANSFORMS.register_module()
class RandomFlip:
    """Mirror left and right.

    Args:
        prob: How often.
    """

    def __init__(self, prob: float = 0.5) -> None:
        self.prob = prob

    def __call__(self, results: dict) -> dict:
        """Flip every frame, or none."""
        return on_frames(results, lambda frame: frame[:, ::-1]) if happens(self.prob) else results


@TRANSFORMS.register_module()
class RandomRotation:
    """Turn about the centre; the corners repeat the border's pixels mirrored, which adds no edge to the texture.

    Args:
        degrees: Largest angle to either side.
        prob: How often.
    """

    def __init__(self, degrees: float = 10.0, prob: float = 1.0) -> None:
        self.degrees, self.prob = degrees, prob

    def __call__(self, results: dict) -> dict:
        """Rotate every frame by one random angle."""
        if not happens(self.prob):
            return results
        height, width = results['frames'][0].shape[:2]
        angle = uniform(-self.degrees, self.degrees)
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0)
        return on_frames(
            results,
            lambda frame: cv2.warpAffine(
                frame, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
            ),
        )


@TRANSFORMS.register_module()
class CropFaceBox:
    """Cut the annotated ``face_box`` out, widened by a margin; items without a box stay whole.

    Args:
        margin: Widening on each side, as a share of the box.
    """

    def __init__(self, margin: float = 0.1) -> None:
        self.margin = margin

    def __call__(self, results: dict) -> dict:
        """Crop every frame, within its borders."""
        if 'face_box' not in results:
            return results
        x, y, w, h = results['face_box']
        height, width = results['frames'][0].shape[:2]
        left, top = max(0, round(x - self.margin * w)), max(0, round(y - self.margin * h))
        right, bottom = min(width, round(x + (1 + self.margin) * w)), min(height, round(y + (1 + self.margin) * h))
        if right <= left or bottom <= top:
            raise UserError(f'{results.get("path", "image")}: the face box {x:g}, {y:g}, {w:g}, {h:g} lies outside it')
        return on_frames(results, lambda frame: frame[top:bottom, left:right])
