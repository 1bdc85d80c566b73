"""What is an image and what is a video, by the name."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import Literal

# fmt: off
IMAGE_SUFFIXES = frozenset((
    '.avif', '.bmp', '.dib', '.heic', '.heif', '.hif', '.j2k', '.jfif', '.jp2', '.jpe', '.jpeg', '.jpg', '.pbm', '.pgm',
    '.png', '.pnm', '.ppm', '.tif', '.tiff', '.webp',
))
"""Still images. Pillow decodes all of them, HEIC with ``pi-heif``; OpenCV all but HEIC and, as it is built, AVIF."""

VIDEO_SUFFIXES = frozenset((
    '.3gp', '.asf', '.avi', '.flv', '.m2ts', '.m4v', '.mjpeg', '.mjpg', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg', '.mts',
    '.ogv', '.ts', '.vob', '.webm', '.wmv',
))
# fmt: on
"""Videos; :mod:`bmoe_ground.video` reads all of them."""

GIF = '.gif'
"""Both: in a folder of videos it is played (``pose_extract``), in a set of faces it is a picture (``face_aux``)."""

Media = Literal['image', 'video']


def suffix_of(name: str | os.PathLike[str]) -> str:
    """The suffix of a file's name in small letters; blanks and dots behind it do not count (``clip.MP4 `` is a video).

    Example:
        >>> suffix_of('clip.MP4. ')
        '.mp4'
    """
    return PurePath(os.fspath(name).rstrip('. \t\r\n')).suffix.lower()


def media_of(path: str | os.PathLike[str], gif: Media = 'image') -> Media | None:
    """Tell images from videos by the suffix, in capital letters or small ones.

    Args:
        path: A file; it need not be there.
        gif: What a GIF counts as.

    Returns:
        ``'image'``, ``'video'``, or None for another kind of file.

    Example:
        >>> media_of('a/B.JPG'), media_of('c.mp4'), media_of('d.txt'), media_of('e.gif', gif='video')
        ('image', 'video', None, 'video')
    """
    suffix = suffix_of(path)
    if suffix == GIF:
        return gif
    return 'image' if suffix in IMAGE_SUFFIXES else 'video' if suffix in VIDEO_SUFFIXES else None
