"""Whether two faces are the same by what they show, whatever their files are called."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.files import file_digest
from face_aux.datasets.unlabelled import UnlabelledFaces
from face_aux.images import picture_bytes, read_image
from face_aux.transforms.loading import to_rgb
from face_aux.videos import list_frames


def pixel_digest(pixels: np.ndarray) -> str:
    """SHA-256 of uint8 (H, W, 3) pixels and their size, in hexadecimal.

    Example:
        >>> grey = np.zeros((2, 3, 3), np.uint8)
        >>> pixel_digest(grey) == pixel_digest(grey.copy()), pixel_digest(grey) == pixel_digest(grey.reshape(3, 2, 3))
        (True, False)
    """
    return hashlib.sha256(repr(pixels.shape).encode() + np.ascontiguousarray(pixels).tobytes()).hexdigest()


def content_of(item: dict[str, Any], by: str) -> str | None:
    """Digest of what an item shows.

    Args:
        item: As a dataset gives it to its pipeline; of a folder of frames the first counts.
        by: ``'pixels'``, decoded (upright 8-bit RGB; of a video its bytes), or ``'file'``, the bytes of the file.

    Returns:
        None where there is nothing to read: a damaged file is left to whoever needs it.
    """
    if item['media'] == 'array':
        return pixel_digest(to_rgb(item['array'], item['path']))
    path = _picture_of(item)
    try:
        if path is None or by == 'file' or item['media'] == 'video':
            return None if path is None else file_digest(path)
        return pixel_digest(read_image(path))
    except UserError:
        return None


def size_of(item: dict[str, Any], by: str) -> int:
    """A number that two items of the same content share, and that costs no decoding; 0 where it cannot be told."""
    if item['media'] == 'array':
        return 3 * int(np.prod(item['array'].shape[:2]))
    path = _picture_of(item)
    try:
        if path is None or by == 'file' or item['media'] == 'video':
            return 0 if path is None else path.stat().st_size
    except OSError:
        return 0
    return picture_bytes(path)


def find_held_back(
    unlabelled: UnlabelledFaces, held_back: Iterable[dict[str, Any]], by: str
) -> list[tuple[int, str, str]]:
    """Find the unlabelled faces that are held back for validation or test.

    Only those of a size that a held-back one has are read whole.

    Args:
        unlabelled: The faces to look through.
        held_back: Items of the other parts.
        by: See :func:`content_of`.

    Returns:
        Index, path, and the path of the held-back face that shows the same.
    """
    digests: dict[str, str] = {}
    sizes: set[int] = set()
    for item in held_back:
        digest = content_of(item, by)
        if digest is not None:
            digests[digest] = item['path']
            sizes.add(size_of(item, by))
    found = []
    for i in range(len(unlabelled) if digests else 0):
        item = unlabelled.item(i)
        if size_of(item, by) in sizes and (same := digests.get(content_of(item, by) or '')) is not None:
            found.append((i, str(item['path']), same))
    return found


def _picture_of(item: dict[str, Any]) -> Path | None:
    path = Path(item['path'])
    if item['media'] != 'frames':
        return path
    frames = list_frames(path) if path.is_dir() else []
    return Path(frames[0]) if frames else None
