"""Videos to be looked at: H.264 where PyAV is installed, which browsers and slides play; MPEG-4 by OpenCV elsewhere."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import cv2
import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.files import TEMPORARY_PREFIX

_CLOCK = 90_000  # ticks a second of the H.264 stream
_BT709 = 1


class Writer(Protocol):
    """What takes the pictures of a video, in order."""

    codec: str

    def write(self, image: np.ndarray) -> None:
        """Take the next picture, (height, width, 3) uint8 BGR."""

    def close(self) -> None:
        """Write what is still on its way."""


@contextmanager
def video_file(path: Path, size: tuple[int, int], frame_times: np.ndarray, h264_only: bool = False) -> Iterator[Writer]:
    """Write a video that takes its name only when it is whole.

    Args:
        path: The ``.mp4`` file, replaced if it exists.
        size: Width and height in pixels, both even.
        frame_times: (T,) seconds, one for each picture that will be written. H.264 keeps them, less the first; MPEG-4
            has their median rate.
        h264_only: Whether to refuse where H.264 cannot be written.

    Yields:
        The writer; its ``codec`` is ``h264`` or ``mpeg4``.

    Raises:
        UserError: The file cannot be written, or PyAV is missing and needed.
    """
    av = _pyav()
    if av is None and h264_only:
        raise UserError(f"{path}: H.264 needs PyAV: pip install 'bmoe-skel[video]'")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, suffix='.mp4', dir=path.parent)
    except OSError as error:
        raise UserError(f'{path}: cannot be written: {error.strerror or error}') from error
    os.close(handle)
    temporary = Path(name)
    try:
        writer: Writer = _Mpeg4(path, name, size, frame_times) if av is None else _H264(av, name, size, frame_times)
        try:
            yield writer
        finally:
            writer.close()
        temporary.chmod(0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise UserError(f'{path}: cannot be written: {error.strerror or error}') from error
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _pyav() -> ModuleType | None:
    """PyAV with an encoder for H.264, or None."""
    try:
        import av
    except ImportError:
        return None
    return av if 'libx264' in av.codecs_available else None


def frame_rate(frame_times: np.ndarray) -> float:
    """Frames a second by the median step, within 1..240; 30 where it cannot be told."""
    steps = np.diff(frame_times)
    step = float(np.median(steps)) if len(steps) else 0.0
    return float(np.clip(1 / step, 1, 240)) if step > 0 else 30.0


class _H264:
    codec = 'h264'

    def __init__(self, av: Any, name: str, size: tuple[int, int], frame_times: np.ndarray) -> None:
        rate = frame_rate(frame_times)
        ticks = np.round((frame_times - frame_times[0]) * _CLOCK).astype(np.int64)
        order = np.arange(len(ticks))
        self.ticks = np.maximum.accumulate(ticks - order) + order  # two frames of one time: a tick apart
        self.lengths = np.append(np.diff(self.ticks), round(_CLOCK / rate))
        self.av, self.count = av, 0
        self.container = av.open(name, 'w', format='mp4', options={'movflags': '+faststart'})
        stream = self.container.add_stream('libx264', rate=Fraction(rate).limit_denominator(1001))
        stream.width, stream.height = size
        stream.pix_fmt = 'yuv420p'
        stream.options = {
            'crf': '21',
            'preset': 'veryfast',
            'bf': '0',
        }  # in order: the last picture's length is the last packet's
        context = stream.codec_context
        context.time_base = Fraction(1, _CLOCK)
        context.gop_size = 50  # a jump in the player decodes two seconds at most
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = 1  # of television: 16..235
        self.stream = stream

    def write(self, image: np.ndarray) -> None:
        frame = self.av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format='bgr24')
        frame = frame.reformat(format='yuv420p', dst_colorspace='ITU709', dst_color_range='MPEG')
        frame.pts, frame.time_base = int(self.ticks[self.count]), Fraction(1, _CLOCK)
        frame.duration = int(self.lengths[self.count])
        self.count += 1
        self._mux(self.stream.encode(frame))

    def close(self) -> None:
        self._mux(self.stream.encode())
        self.container.close()

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            # the encoder gives every picture the length of the stream's rate
            moment = round(packet.pts * packet.time_base * _CLOCK)
            length = self.lengths[np.searchsorted(self.ticks, moment)]
            packet.duration = round(int(length) / _CLOCK / packet.time_base)
            self.container.mux(packet)


class _Mpeg4:
    codec = 'mpeg4'

    def __init__(self, path: Path, name: str, size: tuple[int, int], frame_times: np.ndarray) -> None:
        self.writer = cv2.VideoWriter(name, cv2.VideoWriter.fourcc(*'mp4v'), frame_rate(frame_times), size)
        if not self.writer.isOpened():
            raise UserError(f'{path}: this OpenCV cannot write MP4 videos')

    def write(self, image: np.ndarray) -> None:
        self.writer.write(image)

    def close(self) -> None:
        self.writer.release()
