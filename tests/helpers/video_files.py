"""Videos with something odd about them, made from small sound ones."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

PERIOD = 22  # frames until the brightnesses repeat
PARENTS = (b'moov', b'trak', b'mdia', b'minf', b'stbl', b'dinf', b'edts')


def level(t: int) -> int:
    """Brightness of frame ``t``, so that a test can tell which frame it got."""
    return 20 + 10 * (t % PERIOD)


def picture(t: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    return np.full((size[1], size[0], 3), level(t), np.uint8)


def write_video(path: Path, frames: int = 20, fps: float = 25, pictures: Iterable[np.ndarray] | None = None) -> Path:
    """By OpenCV: Motion JPEG in .avi and .mkv, MPEG-4 in .mp4; frame t has brightness ``level(t)``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [picture(t) for t in range(frames)] if pictures is None else list(pictures)
    code = 'mp4v' if path.suffix == '.mp4' else 'MJPG'
    plain = path.with_name(f'plain{path.suffix}')  # OpenCV's writer takes some characters for a pattern
    writer = cv2.VideoWriter(str(plain), cv2.VideoWriter.fourcc(*code), fps, images[0].shape[1::-1])
    assert writer.isOpened()
    for image in images:
        writer.write(image)
    writer.release()
    return plain.rename(path)


def levels(images: Iterable[np.ndarray]) -> list[int]:
    """Which frame each image is, by its brightness; from :data:`PERIOD` on they repeat."""
    return [round((float(image.mean()) - 20) / 10) for image in images]


def damage_frames(path: Path, numbers: Iterable[int]) -> Path:
    """Zero the coded pictures of some frames of a Motion JPEG AVI; sizes and index stay."""
    data = bytearray(path.read_bytes())
    places, position = [], data.index(b'movi') + 4
    while len(places) < 10_000 and data[position : position + 4] == b'00dc':
        size = struct.unpack('<I', data[position + 4 : position + 8])[0]
        places.append((position + 8, size))
        position += 8 + size + size % 2
    for number in numbers:
        start, size = places[number]
        data[start : start + size] = bytes(size)
    path.write_bytes(bytes(data))
    return path


def edit_mp4(data: bytes, edits: dict[bytes, Callable[[bytes], bytes]]) -> bytes:
    """Rewrite the payload of some boxes of an MP4 file whose index comes last, so that no offset changes."""
    out, position = b'', 0
    while position + 8 <= len(data):
        length, kind = struct.unpack('>I4s', data[position : position + 8])
        body = data[position + 8 : position + length]
        if kind in edits:
            body = edits[kind](body)
        elif kind in PARENTS:
            body = edit_mp4(body, edits)
        out += struct.pack('>I4s', len(body) + 8, kind) + body
        position += length
    return out


def encode(
    path: Path,
    codec: str,
    times: Iterable[int] = range(20),
    rate: int = 25,
    container: str | None = None,
    sound: int = 0,
) -> Path:
    """By PyAV: any codec and container, frames at given multiples of 1/rate seconds, and seconds of silence."""
    import av

    with av.open(str(path), 'w', format=container) as file:
        stream = file.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        voice = file.add_stream('aac', rate=8000) if sound else None
        for t, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(t), format='bgr24').reformat(format='yuv420p')
            frame.pts, frame.time_base = time, Fraction(1, rate)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
        for start in range(0, sound * 8000, 1024) if voice is not None else ():
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format='fltp', layout='mono')
            silence.sample_rate, silence.pts, silence.time_base = 8000, start, Fraction(1, 8000)
            file.mux(voice.encode(silence))
        if voice is not None:
            file.mux(voice.encode())
    return path
