"""Changes of colour and detail: what the texture target must not see."""

from __future__ import annotations

import cv2
import numpy as np

from face_aux.registry import TRANSFORMS
from face_aux.transforms.chance import happens, integer, normal, uniform
from face_aux.transforms.geometric import on_frames

GRAY_WEIGHTS = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def to_uint8(values: np.ndarray) -> np.ndarray:
    """Round float pixels into 0..255."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def adjust_hue(image: np.ndarray, shift: float) -> np.ndarray:
    """Turn the hue of uint8 RGB pixels by ``shift`` of a full circle."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(np.int16) + round(shift * 180)) % 180
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def adjust_color(image: np.ndarray, brightness: float, contrast: float, saturation: float) -> np.ndarray:
    """Scale uint8 RGB pixels: all of them, about their mean grey, and about their own grey. 1.0 changes nothing."""
    pixels = image.astype(np.float32) * brightness
    mean = (pixels @ GRAY_WEIGHTS).mean()
    pixels = (pixels - mean) * contrast + mean
    gray = (pixels @ GRAY_WEIGHTS)[..., None]
    return to_uint8((pixels - gray) * saturation + gray)


@TRANSFORMS.register_module()
class ColorJitter:
    """Random brightness, contrast, saturation and hue, the same for every frame of a clip.

    Args:
        brightness: The factor is drawn from 1 - b to 1 + b.
        contrast: Likewise.
        saturation: Likewise.
        hue: The shift is drawn from -h to h of a full circle, at most 0.5.
        prob: How often.
    """

    def __init__(
        self,
        brightness: float = 0.3,
        contrast: float = 0.3,
        saturation: float = 0.3,
        hue: float = 0.0,
        prob: float = 1.0,
    ) -> None:
        if not 0 <= hue <= 0.5 or min(brightness, contrast, saturation) < 0:
            raise ValueError(f'hue must lie in 0..0.5 and the rest be at least 0, got {hue}, {brightness}, '
                             f'{contrast}, {saturation}')  # fmt: skip
        self.ranges, self.hue, self.prob = (brightness, contrast, saturation), hue, prob

    def __call__(self, results: dict) -> dict:
        """Change every frame alike."""
        if not happens(self.prob):
            return results
        factors = [uniform(max(0.0, 1 - r), 1 + r) for r in self.ranges]
        shift = uniform(-self.hue, self.hue)

        def change(frame: np.ndarray) -> np.ndarray:
            frame = adjust_color(frame, *factors)
            return adjust_hue(frame, shift) if self.hue else frame

        return on_frames(results, change)


@TRANSFORMS.register_module()
class RandomGray:
    """Take the colour away.

    Args:
        prob: How often.
    """

    def __init__(self, prob: float = 0.1) -> None:
        self.prob = prob

    def __call__(self, results: dict) -> dict:
        """Make every frame grey, or none."""
        return on_frames(results, lambda f: adjust_color(f, 1, 1, 0)) if happens(self.prob) else results


@TRANSFORMS.register_module()
class GaussianBlur:
    """Blur with a random width.

    Args:
        sigma: Range of the standard deviation in pixels.
        prob: How often.
    """

    def __init__(self, sigma: tuple[float, float] = (0.1, 2.0), prob: float = 0.5) -> None:
        self.sigma, self.prob = sigma, prob

    def __call__(self, results: dict) -> dict:
        """Blur every frame alike."""
        if not happens(self.prob):
            return results
        sigma = uniform(*self.sigma)
        return on_frames(results, lambda frame: cv2.GaussianBlur(frame, (0, 0), sigma))


@TRANSFORMS.register_module()
class JpegCompression:
    """Compress and expand again, which real-or-fake detectors must survive.

    Args:
        quality: Range of the JPEG quality, 1 to 100.
        prob: How often.
    """

    def __init__(self, quality: tuple[int, int] = (40, 100), prob: float = 0.5) -> None:
        self.quality, self.prob = quality, prob

    def __call__(self, results: dict) -> dict:
        """Compress every frame with one quality."""
        if not happens(self.prob):
            return results
        options = [cv2.IMWRITE_JPEG_QUALITY, integer(*self.quality)]

        def change(frame: np.ndarray) -> np.ndarray:
            _, data = cv2.imencode('.jpg', frame[..., ::-1], options)
            return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]

        return on_frames(results, change)


@TRANSFORMS.register_module()
class RandomErasing:
    """Replace a random rectangle of normalised pixels (Zhong et al., 2020), the same one in every frame.

    Args:
        prob: How often.
        mode: 'pixel' for standard normal noise a pixel, 'const' for zeros, which is the mean colour.
        scale: Range of the rectangle's area, as a share of the image.
        ratio: Range of its height over width.
    """

    def __init__(
        self,
        prob: float = 0.25,
        mode: str = 'pixel',
        scale: tuple[float, float] = (0.02, 1 / 3),
        ratio: tuple[float, float] = (0.3, 10 / 3),
    ) -> None:
        if mode not in ('pixel', 'const'):
            raise ValueError(f"mode must be 'pixel' or 'const', got {mode!r}")
        self.prob, self.mode, self.scale, self.ratio = prob, mode, scale, ratio

    def __call__(self, results: dict) -> dict:
        """Erase in every frame, or in none; comes after :class:`Normalize`."""
        if results['frames'][0].dtype != np.float32:
            raise ValueError('RandomErasing must come after Normalize: its noise has zero mean and unit variance')
        if not happens(self.prob):
            return results
        height, width, channels = results['frames'][0].shape
        for _ in range(10):
            area, aspect = height * width * uniform(*self.scale), uniform(*self.ratio)
            h, w = round((area * aspect) ** 0.5), round((area / aspect) ** 0.5)
            if 0 < h < height and 0 < w < width:
                return self._erase(results, integer(0, height - h), integer(0, width - w), h, w, channels)
        return results

    def _erase(self, results: dict, top: int, left: int, h: int, w: int, channels: int) -> dict:
        patch = normal(h, w, channels) if self.mode == 'pixel' else np.zeros((h, w, channels), np.float32)

        def change(frame: np.ndarray) -> np.ndarray:
            frame = frame.copy()
            frame[top : top + h, left : left + w] = patch
            return frame

        return on_frames(results, change)
