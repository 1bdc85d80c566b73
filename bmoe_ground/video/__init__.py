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
    ImageFolderReader,
    choose_sequence,
    image_sequences,
    is_numbered_image,
    numbered_images,
)
from bmoe_ground.video.reader import FileReader, check_file

__all__ = [
    'FileReader',
    'Frame',
    'ImageFolderReader',
    'Step',
    'VideoError',
    'VideoReader',
    'check_file',
    'choose_sequence',
    'image_sequences',
    'is_numbered_image',
    'numbered_images',
    'open_capture',
    'open_video',
]


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
