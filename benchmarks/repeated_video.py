"""A video of any length out of a short one, as input for benchmarks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.video import Frame, open_video
from pose_extract.draw.video_file import frame_rate, video_file


class Written(NamedTuple):
    """What was written.

    Attributes:
        frames: How many.
        seconds: Its length.
        size: (width, height) in pixels.
    """

    frames: int
    seconds: float
    size: tuple[int, int]


def write_repeated(video: Path, out: Path, frames: int | None = None, seconds: float | None = None) -> Written:
    """Write the frames of a video, from the beginning again when it ends, at its rate.

    Args:
        video: The video; it is decoded again for each repetition, so that memory stays flat.
        out: The ``.mp4`` file.
        frames: How many to write; or
        seconds: how long it becomes.

    Returns:
        What was written. Of odd sizes the last column or row is left out, as H.264 wants it.

    Raises:
        UserError: The video cannot be read, the file cannot be written, or it would have no frame.
        ValueError: Not one of ``frames`` and ``seconds`` is given.
    """
    if (frames is None) == (seconds is None):
        raise ValueError('give frames or seconds')
    with open_video(video) as reader:
        first = [(frame.time, frame.image.shape) for frame in reader]
    if not first:
        raise UserError(f'{video}: no frame of it can be read')
    rate = frame_rate(np.array([time for time, _ in first]))
    wanted = round(seconds * rate) if seconds is not None else frames
    if wanted is None or wanted < 1:
        raise UserError(f'{video}: {wanted} frames are wanted of it; it must be 1 at least')
    height, width = (side // 2 * 2 for side in first[0][1][:2])
    with video_file(out, (width, height), np.arange(wanted) / rate) as file:
        for frame in islice(_again_and_again(video), wanted):
            file.write(frame.image[:height, :width])
    return Written(wanted, wanted / rate, (width, height))


def _again_and_again(video: Path) -> Iterator[Frame]:
    for _ in count():
        with open_video(video) as reader:
            yield from reader
