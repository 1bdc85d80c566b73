"""The one way in which this project reads a video: a file in a known container, or a folder of numbered images.

Example:
    >>> from bmoe_ground.video import open_video
    >>> with open_video('clip.mp4') as video:  # doctest: +SKIP
    ...     for frame in video:
    ...         print(frame.index, frame.time, frame.image.shape)
    ...     print(video.problem, video.notes)
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from bmoe_ground.video.decoders import open_capture
from bmoe_ground.video.frames import Frame, Step, VideoError, VideoReader
from bmoe_ground.video.images import (
    IMAGE_SUFFIXES,
    ImageFolderReader,
    choose_sequence,
    image_sequences,
    numbered_images,
)
from bmoe_ground.video.reader import FileReader, check_file

# fmt: off
VIDEO_SUFFIXES = frozenset((
    '.3gp', '.asf', '.avi', '.flv', '.gif', '.m2ts', '.m4v', '.mjpeg', '.mjpg', '.mkv', '.mov', '.mp4', '.mpeg',
    '.mpg', '.mts', '.ogv', '.ts', '.vob', '.webm', '.wmv',
))
# fmt: on

__all__ = [
    'IMAGE_SUFFIXES',
    'VIDEO_SUFFIXES',
    'FileReader',
    'Frame',
    'ImageFolderReader',
    'Step',
    'VideoError',
    'VideoReader',
    'check_file',
    'choose_sequence',
    'image_sequences',
    'numbered_images',
    'open_capture',
    'open_video',
    'suffix_of',
]


def suffix_of(name: str) -> str:
    """The suffix of a file name in lower case, blanks and dots behind it left out (``clip.MP4 `` is a video).

    Example:
        >>> suffix_of('clip.MP4. ')
        '.mp4'
    """
    return Path(name.rstrip('. \t\r\n')).suffix.lower()


def open_video(
    path: str | Path,
    start: float = 0.0,
    end: float | None = None,
    stride: int = 1,
    image_fps: float = 30.0,
    only: Collection[int] | None = None,
) -> FileReader | ImageFolderReader:
    """Open a video file, or a folder of numbered images as a video.

    No other file is ever opened and no network is used, whatever the file or its name says.

    Args:
        path: File or folder.
        start: First second to read.
        end: Second to stop before; None reads to the end.
        stride: Keep every ``stride``-th frame.
        image_fps: Frames per second of a folder of images, which carries no times of its own.
        only: Numbers of the frames to keep, None for all.

    Returns:
        A reader to iterate over once, also a context manager that releases the file.

    Raises:
        VideoError: The file is missing, empty, no video, or cannot be decoded at all.
        ValueError: start, end, stride or image_fps is out of range.
    """
    path = Path(path)
    if path.is_dir():
        return ImageFolderReader(path, start, end, stride, image_fps, only)
    return FileReader(path, start, end, stride, only)
