"""Frames of a video, as the whole project reads them; the reader itself is :mod:`bmoe_ground.video`."""

from bmoe_ground.video import (
    Frame,
    Step,
    VideoError,
    VideoReader,
    numbered_images,
    open_video,
)

__all__ = [
    'Frame',
    'Step',
    'VideoError',
    'VideoReader',
    'numbered_images',
    'open_video',
]
