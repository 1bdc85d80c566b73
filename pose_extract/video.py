"""Frames of a video, as the whole project reads them; the reader itself is :mod:`bmoe_ground.video`."""

from bmoe_ground.video import (
    IMAGE_SUFFIXES,
    VIDEO_SUFFIXES,
    Frame,
    Step,
    VideoError,
    VideoReader,
    numbered_images,
    open_video,
    suffix_of,
)

__all__ = [
    'IMAGE_SUFFIXES',
    'VIDEO_SUFFIXES',
    'Frame',
    'Step',
    'VideoError',
    'VideoReader',
    'numbered_images',
    'open_video',
    'suffix_of',
]
