"""Where live pictures come from: a camera, a file played at its own pace, a stream."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.native_output import native_stderr_silenced
from bmoe_ground.video.frames import MAX_PIXELS
from pose_extract.video import Frame, VideoError, open_video

SCHEMES = ('rtsp', 'rtsps', 'rtmp', 'rtp', 'srt', 'udp', 'tcp', 'http', 'https')
"""Addresses that are taken for a stream."""
TIMEOUT_MS = 10_000
"""Milliseconds that a stream may take to open, or to send its next frame."""
_ADDRESS = re.compile(r'([a-z]+)://', re.IGNORECASE)


class SourceError(UserError):
    """A source cannot be opened, or has broken off."""


@dataclass(frozen=True)
class Source:
    """Where frames come from.

    Attributes:
        name: As it is shown; of a stream without user name and password.
        frames: Opens it and gives its frames, their times in seconds from that moment on; raises :class:`SourceError`.
        ends: Whether its end is the end, as a file's; another that ends has broken off.
    """

    name: str
    frames: Callable[[], Iterator[Frame]]
    ends: bool = False


def source_of(text: str) -> Source:
    """The source that somebody named.

    Args:
        text: A camera's number, a file, or a stream's address. It comes from a command line, never from a file.

    Raises:
        UserError: It is neither.

    Example:
        >>> source_of('rtsp://me:secret@camera.local/1').name
        'rtsp://camera.local/1'
        >>> source_of('gone.mp4')
        Traceback (most recent call last):
        bmoe_ground.errors.UserError: gone.mp4: no such file; give a camera's number (0), a video file, or a stream ...
    """
    if text.isdecimal():
        return Source(f'camera {int(text)}', lambda: _captured(int(text), f'camera {int(text)}'))
    address = _ADDRESS.match(text)
    if address:
        if address[1].lower() not in SCHEMES:
            raise UserError(f'{text}: streams begin with {", ".join(f"{scheme}://" for scheme in SCHEMES)}')
        shown = re.sub(r'//[^/@]*@', '//', text)
        return Source(shown, lambda: _captured(text, shown))
    path = Path(text)
    if not path.exists():
        raise UserError(f"{text}: no such file; give a camera's number (0), a video file, or a stream (rtsp://...)")
    return Source(path.name, lambda: _played(path), ends=True)


def _played(path: Path) -> Iterator[Frame]:
    """A file at its own pace: a frame comes when its time has come, and late ones at once."""
    try:
        with open_video(path) as video:
            started: float | None = None
            for frame in video:
                started = time.monotonic() - frame.time if started is None else started
                time.sleep(max(0.0, started + frame.time - time.monotonic()))
                yield frame
    except VideoError as error:
        raise SourceError(str(error)) from error


def _captured(what: int | str, name: str) -> Iterator[Frame]:
    """A camera or a stream, by the clock."""
    with native_stderr_silenced():
        capture = _open(what)
    if not capture.isOpened():
        capture.release()
        raise SourceError(f'{name}: {_absent(what)}')
    started, index = time.monotonic(), 0
    with closing(_Release(capture)):
        while True:
            there, image = capture.read()
            if not there or image is None or not image.size:
                raise SourceError(f'{name}: {"no picture" if not index else "the picture has stopped"}')
            if image.shape[0] * image.shape[1] > MAX_PIXELS:
                raise SourceError(f'{name}: pictures of {image.shape[1]}x{image.shape[0]} are too large')
            yield Frame(index, time.monotonic() - started, _in_color(image))
            index += 1


def _open(what: int | str) -> cv2.VideoCapture:
    if isinstance(what, int):
        capture = cv2.VideoCapture(what)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # old pictures are of no use
        return capture
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, TIMEOUT_MS]
    return cv2.VideoCapture(what, cv2.CAP_FFMPEG, limits)


def _absent(what: int | str) -> str:
    if isinstance(what, int):
        return 'there is none, or another program uses it; close that program, or choose another number'
    return f'does not answer within {TIMEOUT_MS // 1000} s; is the address right, and the camera on?'


def _in_color(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image


class _Release:
    def __init__(self, capture: cv2.VideoCapture) -> None:
        self._capture = capture

    def close(self) -> None:
        self._capture.release()
