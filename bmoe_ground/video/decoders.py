"""Two libraries that decode a video file, behind one small interface: OpenCV first, PyAV for what OpenCV lacks.

Both are FFmpeg inside, and FFmpeg opens whatever a file or a name tells it to. So both get only files that
:func:`bmoe_ground.video.containers.sniff` knows, by an absolute path in which nothing is a pattern or a protocol. (From
a local file FFmpeg follows no network protocol by itself.) PyAV is told the one demuxer and protocol to use besides.
"""

from __future__ import annotations

import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

# Read by OpenCV when its FFmpeg backend first opens a file: the reason of a failure belongs into the report, once.
os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')

import cv2
import numpy as np

from bmoe_ground.video.containers import Container

TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
PATTERN = frozenset('%*?[]{}')  # FFmpeg takes a name with them for that of many images
END_OF_TRIES = 1000
"""Attempts in a row without a frame after which a stream counts as ended; one at its true end costs microseconds."""

# newer releases have it in a module of its own
(cv2.setLogLevel if hasattr(cv2, 'setLogLevel') else cv2.utils.logging.setLogLevel)(0)  # type: ignore[attr-defined]


class Decoder(ABC):
    """One pass over the frames of a file.

    Attributes:
        library: Which library decodes, with its version.
        announced: Number of frames that the container announces (or that follow from its duration); 0 when unknown.
        fps: Its nominal frame rate, 25 when it does not say.
        ended: No further step can succeed.
    """

    library: str
    announced: int = 0
    fps: float = 25.0
    ended: bool = False

    @abstractmethod
    def step(self) -> bool:
        """Decode the next frame; False when this attempt gave none (damage, or the end)."""

    @abstractmethod
    def time(self) -> float:
        """Presentation time of the current frame in seconds, by the container's own clock."""

    @abstractmethod
    def image(self) -> np.ndarray | None:
        """Upright pixels of the current frame, (height, width, 3) uint8 BGR; None when they cannot be had."""

    @abstractmethod
    def packets(self) -> tuple[list[float], int]:
        """Go through the coded frames once, decoding nothing.

        Returns:
            Rising times in seconds of those that are shown, decodable or not; and how many there are in all, with
            those that an edit list hides.
        """

    @abstractmethod
    def close(self) -> None:
        """Release the file."""


class OpenCVDecoder(Decoder):
    """OpenCV's FFmpeg.

    Raises:
        OSError: OpenCV cannot open it.
    """

    def __init__(self, path: Path) -> None:
        self.library = f'OpenCV {cv2.__version__}'
        self._path = path
        self._capture = open_capture(path)
        if not self._capture.isOpened():
            raise OSError(f'{path}: OpenCV cannot open it')
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.announced = int(count) if 0 < count < 1e9 else 0
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 0 < fps <= 1000 else 25.0
        # Whether OpenCV turns the frames upright by itself differs between its versions, so it never does here.
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        self._turn = TURNS.get(round(self._capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360)

    def step(self) -> bool:
        """See :meth:`Decoder.step`."""
        return self._capture.grab()

    def time(self) -> float:
        """See :meth:`Decoder.time`."""
        return self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000

    def image(self) -> np.ndarray | None:
        """See :meth:`Decoder.image`."""
        try:
            ok, image = self._capture.retrieve()
        except cv2.error:
            return None
        if not ok or self._turn is None:
            return image if ok else None
        return cv2.rotate(image, self._turn)

    def packets(self) -> tuple[list[float], int]:
        """See :meth:`Decoder.packets`."""
        capture = open_capture(self._path, [cv2.CAP_PROP_FORMAT, -1])
        times, total, failed = set(), 0, 0
        while failed < 2:  # what is left out by an edit list has the time of the first frame, and falls together
            if capture.grab():
                total += 1
                times.add(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
                failed = 0
            else:
                failed += 1
        capture.release()
        return sorted(times), total

    def close(self) -> None:
        """See :meth:`Decoder.close`."""
        self._capture.release()


class PyAVDecoder(Decoder):
    """PyAV (https://pyav.basswood-io.com, BSD), whose wheels carry an FFmpeg with more codecs.

    Raises:
        ImportError: PyAV is not installed.
        OSError: PyAV cannot open it, or lacks the codec too.
    """

    def __init__(self, path: Path, container: Container) -> None:
        import av

        self.library = f'PyAV {av.__version__}'
        self._path, self._container = path, container
        self._errors = (av.FFmpegError, ValueError, EOFError, LookupError)
        try:
            self._file = self._open()
            if not self._file.streams.video:
                raise OSError(f'{path}: no video stream in it')
            stream = self._file.streams.video[0]
            if stream.codec_context is None:
                raise OSError(f'{path}: PyAV has no decoder for its codec')
            stream.thread_type = 'AUTO'
        except self._errors as error:
            raise OSError(f'{path}: PyAV cannot open it ({error})') from error
        rate = float(stream.average_rate or 0)
        self.fps = rate if 0 < rate <= 1000 else 25.0
        self.announced = stream.frames or round((self._file.duration or 0) / 1e6 * self.fps)
        self._packets = self._file.demux(stream)
        self._waiting: list[Any] = []
        self._current: Any = None

    def _open(self) -> Any:
        import av

        with plain_path(self._path) as path:
            return av.open(f'file:{path}', format=self._container.formats, options={'protocol_whitelist': 'file'})

    def step(self) -> bool:
        """See :meth:`Decoder.step`."""
        while not self._waiting:
            try:
                packet = next(self._packets)
            except (StopIteration, *self._errors):
                self.ended = True
                return False
            try:
                self._waiting = packet.decode()
            except self._errors:
                return False
        self._current = self._waiting.pop(0)
        return True

    def time(self) -> float:
        """See :meth:`Decoder.time`."""
        return float(self._current.time or 0.0)

    def image(self) -> np.ndarray | None:
        """See :meth:`Decoder.image`."""
        try:
            image = self._current.to_ndarray(format='bgr24')
        except self._errors:
            return None
        turn = TURNS.get(-round(getattr(self._current, 'rotation', 0)) % 360)
        return image if turn is None else cv2.rotate(image, turn)

    def packets(self) -> tuple[list[float], int]:
        """See :meth:`Decoder.packets`."""
        times, total = set(), 0
        with self._open() as file, suppress(*self._errors):
            for packet in file.demux(file.streams.video[0]):
                total += packet.size > 0
                if packet.size and packet.pts is not None and not packet.is_discard:
                    times.add(float(packet.pts * packet.time_base))
        return sorted(times), total

    def close(self) -> None:
        """See :meth:`Decoder.close`."""
        self._file.close()


def open_capture(path: Path, parameters: list[int] | None = None) -> cv2.VideoCapture:
    """OpenCV's own capture of a local file, which reads that file and nothing else.

    Args:
        path: A file that :func:`bmoe_ground.video.check_file` let through.
        parameters: Properties for OpenCV, a flat list of keys and values.

    Returns:
        A capture, to be asked ``isOpened()``.
    """
    with plain_path(path) as name:
        try:
            return cv2.VideoCapture(name, cv2.CAP_FFMPEG, parameters or [])
        except (cv2.error, UnicodeError):
            return cv2.VideoCapture()


@contextmanager
def plain_path(path: Path) -> Iterator[str]:
    """The absolute path of a file as FFmpeg can take it: where it is not UTF-8, or a pattern, that of a link to it."""
    name = os.path.abspath(path)
    if PATTERN & set(name) or not name.isascii() and not _is_utf8(name):
        with tempfile.TemporaryDirectory() as folder:
            link = os.path.join(folder, 'video')
            os.symlink(name, link)
            yield link
        return
    yield name


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
