"""What a container says of its pictures: their codec, and whether they lie in another file."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from bmoe_ground.video.containers import AVI, FLV, HEAD, MATROSKA, MP4, Container

ASF_SOUND = bytes.fromhex('409e69f84d5bcf11a8fd00805f5c442b')

CODECS = {
    'av01': 'AV1', 'V_AV1': 'AV1', 'vvc1': 'H.266/VVC', 'vvi1': 'H.266/VVC', 'V_MPEGI/ISO/VVC': 'H.266/VVC',
    'evc1': 'EVC', 'apv1': 'APV', 'avc1': 'H.264', 'avc3': 'H.264', 'V_MPEG4/ISO/AVC': 'H.264', 'hvc1': 'H.265',
    'hev1': 'H.265', 'V_MPEGH/ISO/HEVC': 'H.265', 'vp08': 'VP8', 'V_VP8': 'VP8', 'vp09': 'VP9', 'V_VP9': 'VP9',
    'mp4v': 'MPEG-4', 'mjpg': 'Motion JPEG',
}  # fmt: skip
"""Names of codecs by the codes that containers use."""
RARE = frozenset(('AV1', 'H.266/VVC', 'EVC', 'APV'))
"""Codecs that the FFmpeg inside OpenCV's wheels cannot decode."""


@dataclass(frozen=True)
class Stream:
    """What the container says of its video stream.

    Attributes:
        codec: Name or code of the codec, '' when unknown.
        external: The pictures lie in another file, which the container names.
        trimmed: An edit list leaves some of the pictures out.
    """

    codec: str = ''
    external: bool = False
    trimmed: bool = False


def video_stream(path: Path, container: Container) -> Stream:
    """The codec of a file, and whether its pictures lie in another one (QuickTime reference movies).

    Args:
        path: A video file.
        container: From :func:`sniff`.
    """
    with path.open('rb') as file:
        if container is MP4:
            found = _mp4_stream(file, path.stat().st_size)
            return replace(found, codec=CODECS.get(found.codec, found.codec))
        head = file.read(HEAD)
    if container is MATROSKA and (match := re.search(rb'V_[A-Z0-9/]{2,30}', head)):
        code = match[0].decode()
    elif container is AVI and (match := re.search(rb'strh.{4}vids(.{4})', head, re.DOTALL)):
        code = match[1].decode('latin-1').strip('\0 ')
    else:
        return Stream()
    return Stream(next((name for key, name in CODECS.items() if key.lower() == code.lower()), code))


def has_sound(path: Path, container: Container) -> bool:
    """Whether a Matroska, ASF or FLV file has a sound track, which may outlast the pictures."""
    with path.open('rb') as file:
        head = file.read(HEAD)
    if container is FLV:
        return len(head) > 4 and bool(head[4] & 4)
    return bool(re.search(rb'A_[A-Z0-9/]{2,}', head)) if container is MATROSKA else ASF_SOUND in head


def _mp4_stream(file: BinaryIO, size: int) -> Stream:
    """Code of the first video track, and whether any track or the whole movie is a reference."""
    codec, external, trimmed = '', False, False
    track, scale, shown = b'', 0, 0.0
    for kind, body, length in _mp4_boxes(file, 0, size, 0):
        if kind == b'rmra':
            external = True
        elif kind == b'hdlr' and not track:  # QuickTime has a second one, of the data, further in
            file.seek(body + 8)
            track = file.read(4)
        elif kind == b'dref' and track in (b'', b'vide'):
            external = external or _names_files(file, body, length)
        elif kind == b'stsd' and track == b'vide' and not codec:
            file.seek(body + 12)
            codec = file.read(4).decode('latin-1')
        elif kind == b'trak':
            track, shown = b'', 0.0
        elif kind == b'mvhd':
            scale = _duration(file, body)[0]
        elif kind == b'elst' and scale:
            shown = _shown(file, body, length) / scale
        elif kind == b'mdhd' and shown:
            media, duration = _duration(file, body)
            # Half a percent less is what rounding leaves; an edit list for the order of frames shows everything.
            trimmed = trimmed or (media > 0 and shown < 0.995 * duration / media and not codec)
    return Stream(codec, external, trimmed)


def _duration(file: BinaryIO, body: int) -> tuple[int, int]:
    """Time scale and duration of a movie or media header box."""
    file.seek(body)
    data = file.read(32).ljust(32, b'\0')
    if data[0] == 1:
        return struct.unpack('>IQ', data[20:32])
    return struct.unpack('>II', data[12:20])


def _shown(file: BinaryIO, body: int, length: int) -> int:
    """Sum of the edits that show something, in the movie's time scale."""
    file.seek(body)
    data = file.read(min(length, HEAD))
    layout = '>Qq4x' if data[:1] == b'\1' else '>Ii4x'
    size = struct.calcsize(layout)
    entries = (struct.unpack(layout, data[at : at + size]) for at in range(8, len(data) - size + 1, size))
    return sum(duration for duration, start in entries if start >= 0)


def _mp4_boxes(file: BinaryIO, start: int, end: int, depth: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, first byte and length of the body of every box on the way to the sample descriptions."""
    for _ in range(10_000):
        if start + 8 > end or depth > 8:
            return
        file.seek(start)
        header = file.read(16)
        if len(header) < 8:
            return
        length, kind = struct.unpack('>I4s', header[:8])
        skip = 8
        if length == 1 and len(header) == 16:
            length, skip = struct.unpack('>Q', header[8:])[0], 16
        elif length == 0:
            length = end - start
        if length < skip:
            return
        yield kind, start + skip, min(length, end - start) - skip
        if kind in (b'moov', b'trak', b'mdia', b'minf', b'dinf', b'stbl', b'rmra', b'edts'):
            yield from _mp4_boxes(file, start + skip, min(start + length, end), depth + 1)
        start += length


def _names_files(file: BinaryIO, body: int, length: int) -> bool:
    """Whether a data reference box has an entry that is not "in this same file" (flag 1)."""
    file.seek(body)
    data = file.read(min(length, HEAD))
    position = 8
    while position + 12 <= len(data):
        size = struct.unpack('>I', data[position : position + 4])[0]
        if not data[position + 11] & 1:
            return True
        position += max(size, 12)
    return False
