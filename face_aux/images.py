"""Any image file to 8-bit RGB, upright, or an error that names the file."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from bmoe_ground.errors import UserError

MAX_PIXELS = 180_000_000
"""Larger images are refused: decoded they would take more than half a gigabyte each."""


class UnreadableImageError(UserError):
    """An image file that is missing, damaged, empty or too large."""


def read_image(path: str | Path, max_side: int | None = None) -> np.ndarray:
    """Read an image as 8-bit RGB.

    The EXIF rotation is applied; 16-bit and float images are scaled to 8 bits; grey is repeated; CMYK is converted;
    transparency is laid on white; of an animation the first frame is taken.

    Args:
        path: The file.
        max_side: Reduce images whose longer side is larger, in pixels (JPEGs while decoding, which is fast).

    Returns:
        uint8 (H, W, 3).

    Raises:
        UnreadableImageError: The file cannot be read; the message names it and says why.
    """
    path = Path(path)
    if not path.is_file():
        raise UnreadableImageError(f'{path}: no such file')
    if path.stat().st_size == 0:
        raise UnreadableImageError(f'{path}: empty file')
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return np.asarray(_upright_rgb(image, path, max_side))
    except UnidentifiedImageError as error:
        raise UnreadableImageError(f'{path}: not an image, or of a format that Pillow does not read') from error
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        if isinstance(error, UnreadableImageError):
            raise
        raise UnreadableImageError(f'{path}: damaged image ({error})') from error


def _upright_rgb(image: Image.Image, path: Path, max_side: int | None) -> Image.Image:
    if image.width * image.height > MAX_PIXELS:
        raise UnreadableImageError(
            f'{path}: {image.width}x{image.height} pixels, more than the {MAX_PIXELS} that are read; reduce it first'
        )
    if max_side is not None:
        image.draft('RGB' if image.mode in ('RGB', 'YCbCr') else image.mode, (max_side, max_side))
    image = ImageOps.exif_transpose(image)
    image = _to_rgb(image)
    if max_side is not None and max(image.size) > max_side:
        image.thumbnail((max_side, max_side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith('I;16'):
        return Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)).convert('RGB')
    if image.mode in ('I', 'F'):
        return Image.fromarray(_scale_deep(np.asarray(image))).convert('RGB')
    if image.mode in ('RGBA', 'LA', 'PA', 'RGBa', 'La') or 'transparency' in image.info:
        image = image.convert('RGBA')
        white = Image.new('RGBA', image.size, 'white')
        return Image.alpha_composite(white, image).convert('RGB')
    return image.convert('RGB')


def _scale_deep(values: np.ndarray) -> np.ndarray:
    """32-bit grey to 8 bits by the smallest usual full scale that holds it: 1 (float), 255 or 65535.

    Raises:
        ValueError: Negative, non-finite or larger values, whose scale nobody can know.
    """
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 65535:
        raise ValueError('32-bit values outside 0..65535')
    is_unit = values.dtype.kind == 'f' and values.max() <= 1
    full = 1.0 if is_unit else 255.0 if values.max() <= 255 else 65535.0
    return np.round(values.astype(np.float64) * (255.0 / full)).astype(np.uint8)
