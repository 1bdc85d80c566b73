"""What is an image and what is a video, by the name, and the one way in which a video file is opened."""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Literal

from bmoe_ground.containers import broken_off
from bmoe_ground.errors import UserError

if TYPE_CHECKING:
    import cv2

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
"""Videos; OpenCV's FFmpeg decodes all of them."""

GIF = '.gif'
"""Both: in a folder of videos it is played (``pose_extract``), in a set of faces it is a picture (``face_aux``)."""

Media = Literal['image', 'video']


class VideoError(UserError):
    """One video cannot be read; the message names the file and the reason."""


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
    suffix = PurePath(path).suffix.lower()
    if suffix == GIF:
        return gif
    return 'image' if suffix in IMAGE_SUFFIXES else 'video' if suffix in VIDEO_SUFFIXES else None


def silence_opencv() -> None:
    """Keep OpenCV and its FFmpeg from writing to the screen: the reason of a failure belongs into the error, once."""
    os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')  # read when the FFmpeg backend first opens a file
    import cv2

    # newer releases have it in a module of its own
    (cv2.setLogLevel if hasattr(cv2, 'setLogLevel') else cv2.utils.logging.setLogLevel)(0)  # type: ignore[attr-defined]


def open_capture(path: str | os.PathLike[str]) -> cv2.VideoCapture:
    """Open a video file with OpenCV's FFmpeg.

    Args:
        path: The file.

    Returns:
        The capture, at its first frame, with OpenCV's own settings; the caller releases it.

    Raises:
        VideoError: The file is missing, empty, cut off, or no video.
    """
    import cv2  # the ground is imported by what needs no OpenCV too

    silence_opencv()
    path = Path(path)
    if not path.is_file():
        raise VideoError(f'{path}: no such file')
    if path.stat().st_size == 0:
        raise VideoError(f'{path}: the file is empty (0 bytes)')
    try:
        # An absolute path, so that no name is taken for one of FFmpeg's protocols.
        capture = cv2.VideoCapture(os.path.abspath(path), cv2.CAP_FFMPEG)
    except (cv2.error, UnicodeError) as error:
        raise VideoError(f'{path}: OpenCV cannot open it ({error}); a name that is not UTF-8?') from error
    if not capture.isOpened():
        capture.release()
        reason = broken_off(path) or 'not a video that OpenCV can read (damaged, cut off, or another kind of file)'
        raise VideoError(f'{path}: {reason}')
    return capture
