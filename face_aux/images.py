"""Any image file to 8-bit RGB, upright, or an error that names the file."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, features

from bmoe_ground.errors import UserError
from face_aux.image_formats import Content, content_of, register_heif, webp_size, why_not_read

MAX_PIXELS = 180_000_000
MAX_BYTES = 2**30
"""Larger images are refused: most bytes of the decoded image and the result together (RGB: 153 megapixels)."""
MAX_SCAN_PIXELS = 2_000_000_000
"""Most pixels times scans of a progressive JPEG: each scan, however short, costs a pass over the whole image."""
STRIP_PIXELS = 4_000_000
"""Pixels that are converted at a time, so that only one full-size intermediate exists."""
ORIENTATION = 0x0112
"""EXIF's tag of how the camera was held."""

_UPRIGHT = {2: (0, True), 3: (2, False), 4: (2, True), 5: (3, True), 6: (3, False), 7: (1, True), 8: (1, False)}
"""EXIF orientation to the quarter turns counter-clockwise that undo it, and whether a left-right flip follows."""


class UnreadableImageError(UserError):
    """An image file that is missing, damaged, empty, too large, or of a format that is not read."""


def read_image(path: str | Path, max_side: int | None = None) -> np.ndarray:
    """Read an image as 8-bit RGB.

    What a file is, its first bytes say, not its name; only the formats of
    :data:`face_aux.image_formats.READ` are ever opened, none of which runs another program. The EXIF rotation is
    applied; 16-bit and float images are scaled to 8 bits; grey is repeated; CMYK is converted; transparency is laid on
    white; of an animation the first frame is taken.

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
    try:
        with path.open('rb') as file, warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of Pillow: bombs (bounded below) and odd metadata
            return _read(file, path, max_side)
    except UnreadableImageError:
        raise
    except Image.DecompressionBombError as error:
        raise UnreadableImageError(f'{path}: more pixels than are read; reduce it first ({error})') from error
    except Exception as error:  # a hostile file makes Pillow's decoders raise almost anything, MemoryError included
        reason = str(error) or type(error).__name__
        raise UnreadableImageError(f'{path}: damaged image ({reason})') from error


def picture_bytes(path: str | Path) -> int:
    """Bytes of an image once it is read, from its header alone; 0 where that cannot be told.

    Example:
        >>> picture_bytes('/nowhere.jpg')
        0
    """
    width, height, _ = picture_header(path) or (0, 0, False)
    return 3 * width * height


def picture_header(path: str | Path) -> tuple[int, int, bool] | None:
    """Width, height (as stored, before EXIF's rotation) and whether it is grey, from an image's header alone.

    Returns:
        None where that cannot be told; the reading itself will say what is wrong.

    Example:
        >>> picture_header('/nowhere.jpg') is None
        True
    """
    try:
        with Path(path).open('rb') as file, warnings.catch_warnings():
            warnings.simplefilter('ignore')
            with _open(file, Path(path)) as image:
                return image.width, image.height, image.mode in ('1', 'L', 'LA', 'La', 'I', 'F', 'I;16')
    except Exception:  # hostile headers raise almost anything
        return None


def _open(file: BinaryIO, path: Path) -> Image.Image:
    head = file.read(4096)
    content = content_of(head)
    if (reason := why_not_read(path.name, head, content)) is not None:
        raise UnreadableImageError(f'{path}: {reason}')
    if content is Content.WEBP and (size := webp_size(head)) is not None:  # Pillow allocates it on opening
        _check_size(path, *size, 8)
    if content is Content.HEIF and not register_heif():
        raise UnreadableImageError(f'{path}: a HEIC photograph; to read those, run: pip install pi-heif')
    if content is Content.AVIF and not features.check('avif'):
        raise UnreadableImageError(f'{path}: an AVIF image; to read those, run: pip install "pillow>=11.3"')
    file.seek(0)
    return Image.open(file, formats=[content.value])


def _read(file: BinaryIO, path: Path, max_side: int | None) -> np.ndarray:
    with _open(file, path) as image:
        if image.format in ('JPEG', 'MPO') and image.info.get('progressive'):
            _check_scans(file, path, image)
        if max_side is not None:
            image.draft('RGB' if image.mode in ('RGB', 'YCbCr') else image.mode, (max_side, max_side))
        _check_size(path, *image.size, _bytes_per_pixel(image.mode) + 3)
        image.load()
        rgb = _to_rgb(image)
        orientation = image.getexif().get(ORIENTATION, 1)
    turns, flip = _UPRIGHT.get(orientation, (0, False)) if isinstance(orientation, int) else (0, False)
    rgb = np.rot90(rgb, turns)
    rgb = np.ascontiguousarray(rgb[:, ::-1] if flip else rgb)
    if max_side is None or max(rgb.shape) <= max_side:
        return rgb
    reduced = Image.fromarray(rgb)
    reduced.thumbnail((max_side, max_side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return np.array(reduced)


def _check_size(path: Path, width: int, height: int, each: int) -> None:
    """Refuse an image by its header.

    Args:
        path: For the message.
        width: Pixels.
        height: Pixels.
        each: Bytes that a pixel takes while the image is read.
    """
    most = min(MAX_PIXELS, MAX_BYTES // each)
    if width * height > most:
        raise UnreadableImageError(
            f'{path}: {width}x{height} pixels, more than the {most} that are read; reduce it first'
        )


def _check_scans(file: BinaryIO, path: Path, image: Image.Image) -> None:
    """Bound the time and memory of a progressive JPEG, whose coefficients of all scans are kept."""
    _check_size(path, *image.size, 13)
    where = file.tell()
    file.seek(0)
    scans = sum(block.count(b'\xff\xda') for block in iter(lambda: file.read(1 << 20), b''))
    file.seek(where)
    if scans * image.width * image.height > MAX_SCAN_PIXELS:
        raise UnreadableImageError(
            f'{path}: a progressive JPEG of {image.width}x{image.height} pixels in {scans} scans, '
            'which takes too long to decode'
        )


def _bytes_per_pixel(mode: str) -> int:
    """Of Pillow's memory: a byte for grey and palettes, two for 16 bits, else four."""
    return 1 if mode in ('1', 'L', 'P') else 2 if mode.startswith('I;16') else 4


def _to_rgb(image: Image.Image) -> np.ndarray:
    """Convert in strips: uint8 (H, W, 3)."""
    width, height = image.size
    rows = max(1, STRIP_PIXELS // width)
    spans = [(y, min(height, y + rows)) for y in range(0, height, rows)]
    full = _full_scale(image, spans) if image.mode in ('I', 'F') else 0.0
    result = np.empty((height, width, 3), np.uint8)
    for y, end in spans:
        strip = image.crop((0, y, width, end)) if len(spans) > 1 else image
        result[y:end] = np.asarray(_strip_to_rgb(strip, full))
    return result


def _strip_to_rgb(image: Image.Image, full: float) -> Image.Image:
    if image.mode.startswith('I;16'):
        return Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)).convert('RGB')
    if image.mode in ('I', 'F'):
        values = np.round(np.asarray(image).astype(np.float64) * (255.0 / full)).astype(np.uint8)
        return Image.fromarray(values).convert('RGB')
    if image.mode in ('RGBA', 'LA', 'PA', 'RGBa', 'La') or 'transparency' in image.info:
        image = image.convert('RGBA')
        white = Image.new('RGBA', image.size, 'white')
        return Image.alpha_composite(white, image).convert('RGB')
    return image.convert('RGB')


def _full_scale(image: Image.Image, spans: list[tuple[int, int]]) -> float:
    """The smallest usual full scale that holds 32-bit grey: 1 (float), 255 or 65535.

    Raises:
        ValueError: Negative, non-finite or larger values, whose scale nobody can know.
    """
    largest = 0.0
    for y, end in spans:
        values = np.asarray(image.crop((0, y, image.width, end)))
        if not np.isfinite(values).all() or values.min() < 0 or values.max() > 65535:
            raise ValueError('32-bit values outside 0..65535')
        largest = max(largest, float(values.max()))
    return 1.0 if image.mode == 'F' and largest <= 1 else 255.0 if largest <= 255 else 65535.0
