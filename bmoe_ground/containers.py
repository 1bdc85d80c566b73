"""Whether a video file was cut off, told from the sizes its own container announces."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

MP4_BOXES = frozenset((b'ftyp', b'moov', b'mdat', b'free', b'skip', b'wide', b'pnot', b'styp', b'sidx', b'moof'))


def broken_off(path: Path) -> str | None:
    """Say why the container is incomplete, None when nothing shows that it is.

    MP4/MOV (ISO 14496-12 boxes) and AVI (RIFF) announce the size of each part; a part that reaches beyond the end
    of the file, or an MP4 without its index, was cut off. Other containers are not examined.

    Args:
        path: A video file.
    """
    size = path.stat().st_size
    with path.open('rb') as file:
        head = file.read(12)
        file.seek(0)
        if head[4:8] in MP4_BOXES:
            return _mp4_broken_off(file, size)
        if head[:4] == b'RIFF' and head[8:12] == b'AVI ':
            announced = struct.unpack('<I', head[4:8])[0] + 8
            return _short(size, announced) if announced > size else None
    return None


def _mp4_broken_off(file: BinaryIO, size: int) -> str | None:
    position, seen = 0, set()
    while position + 8 <= size:
        file.seek(position)
        header = file.read(16)
        length, kind = struct.unpack('>I4s', header[:8])
        if length == 1 and len(header) == 16:
            length = struct.unpack('>Q', header[8:])[0]
        elif length == 0:
            length = size - position
        if length < 8:
            return f'damaged at byte {position}'
        seen.add(kind)
        position += length
        if position > size:
            return _short(size, position)
    return None if b'moov' in seen else 'cut off: the index (moov box) is missing'


def _short(size: int, announced: int) -> str:
    return f'cut off: {size} bytes of {announced} announced'
