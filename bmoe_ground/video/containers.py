"""What a video file is, told from its own bytes: its container, and whether it is whole.

A name proves nothing: a playlist called ``x.mp4`` makes FFmpeg open whatever the playlist names. So only files whose
first bytes are those of a known container are given to a decoder, and the decoder is told which one it is.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MP4_BOXES = frozenset(
    (b'ftyp', b'moov', b'mdat', b'free', b'skip', b'wide', b'pnot', b'styp', b'sidx', b'moof', b'uuid')
)
ASF_HEADER = bytes.fromhex('3026b2758e66cf11a6d900aa0062ce6c')
ASF_FILE = bytes.fromhex('a1dcab8c47a9cf118ee400c00c205365')
SEGMENT = b'\x18\x53\x80\x67'
HEAD = 64 * 1024
PROBED = 1 << 20
HIDDEN = (b'<mpd', b'\nc=in ')  # a DASH manifest or a session description behind a few bytes of video
HALF_PACKET = 'cut off: its last packet is incomplete'

# What text files that name other files begin with; FFmpeg would open what they name.
REFERENCES = {
    b'#extm3u': 'a playlist (HLS)',
    b'ffconcat': 'a list of files to join (ffconcat)',
    b'<?xml': 'an XML file (a DASH manifest, a playlist)',
    b'<mpd': 'a DASH manifest',
    b'<asx': 'a playlist (ASX)',
    b'<smil': 'a playlist (SMIL)',
    b'[reference]': 'a playlist (ASF reference)',
    b'[playlist]': 'a playlist',
    b'v=0': 'a session description (SDP)',
    b'rtsptext': 'a reference to a stream (RTSP)',
    b'rtsp://': 'a reference to a stream (RTSP)',
    b'http': 'a web address',
}


@dataclass(frozen=True)
class Container:
    """A kind of container.

    Attributes:
        name: As people call it.
        formats: FFmpeg's names of the demuxers that may read it, separated by commas.
    """

    name: str
    formats: str


MP4 = Container('MP4/QuickTime', 'mov')
MATROSKA = Container('Matroska/WebM', 'matroska')
AVI = Container('AVI', 'avi')
ASF = Container('ASF/WMV', 'asf')
FLV = Container('Flash', 'flv')
OGG = Container('Ogg', 'ogg')
GIF = Container('GIF', 'gif')
PROGRAM = Container('MPEG program stream', 'mpeg')
ELEMENTARY = Container('MPEG video', 'mpegvideo')
TRANSPORT = Container('MPEG transport stream', 'mpegts')
JPEGS = Container('Motion JPEG', 'mjpeg')
_MAGIC = ((b'\x1a\x45\xdf\xa3', MATROSKA), (ASF_HEADER, ASF), (b'FLV\x01', FLV), (b'OggS', OGG), (b'GIF8', GIF),
          (b'\0\0\1\xba', PROGRAM), (b'\0\0\1\xb3', ELEMENTARY), (b'\xff\xd8\xff', JPEGS))  # fmt: skip


def sniff(path: Path) -> Container | None:
    r"""The container of a file by its first bytes, None when it is none that is read.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile(suffix='.mp4') as file:
        ...     _ = file.write(b'#EXTM3U\n/etc/passwd\n')
        ...     file.flush()
        ...     print(sniff(Path(file.name)))
        None
    """
    with path.open('rb') as file:
        head = file.read(2048)
    if head[4:8] in MP4_BOXES:
        return MP4
    if head[:4] == b'RIFF' and head[8:12] == b'AVI ':
        return AVI
    found = next((container for magic, container in _MAGIC if head.startswith(magic)), None)
    found = found or (TRANSPORT if _is_transport_stream(head) else None)
    # FFmpeg looks for manifests anywhere in what it probes, and believes them more than these formats' few sure bytes.
    return None if found in (JPEGS, PROGRAM, ELEMENTARY, TRANSPORT) and _hides_reference(path) else found


def _hides_reference(path: Path) -> bool:
    with path.open('rb') as file:
        data = file.read(PROBED).lower()
    return any(mark in data for mark in HIDDEN)


def _is_transport_stream(head: bytes) -> bool:
    """Sync bytes at the distance of a packet; a recording may begin anywhere in one."""
    for packet, first in ((188, 0), (192, 4), (204, 0)):
        if len(head) >= first + 2 * packet and set(head[first::packet][:5]) == {0x47}:
            return True
    return any(len(head) >= start + 5 * 188 and set(head[start::188][:5]) == {0x47} for start in range(1, 188))


def not_a_container(path: Path) -> str:
    """Why :func:`sniff` found nothing, for people."""
    with path.open('rb') as file:
        head = file.read(64)
    text = head.removeprefix(b'\xef\xbb\xbf').replace(b'\0', b'').lstrip(b'\xff\xfe \t\r\n').lower()
    for start, kind in REFERENCES.items():
        if text.startswith(start):
            return f'not a video but {kind}; what a file names is never opened. Give the videos themselves'
    if not any(head):
        return 'damaged: it begins with zeros, not with a video container'
    return (
        'not a video, or damaged: its first bytes are those of no container (MP4, MKV, AVI, WMV, FLV, OGG, MPEG, GIF)'
    )


def whole(path: Path, container: Container) -> tuple[bool | None, str]:
    """Whether the file is as long as its container announces.

    MP4 and QuickTime (ISO 14496-12 boxes), AVI (RIFF), Matroska (EBML), ASF and FLV announce sizes; a part that
    reaches beyond the end of the file, or an MP4 without its index, was cut off.

    Args:
        path: A video file.
        container: From :func:`sniff`.

    Returns:
        True (whole), False (cut off or damaged) or None (this container cannot tell), and the reason when False.
    """
    size = path.stat().st_size
    with path.open('rb') as file:
        if container is MP4:
            reason = _mp4_broken_off(file, size)
        elif container is AVI:
            reason = _avi_broken_off(file, size)
        elif container in (MATROSKA, ASF):
            announced = (_matroska_size if container is MATROSKA else _asf_size)(file.read(HEAD))
            if announced is None:
                return None, ''
            reason = _short(size, announced) if announced > size else ''
        elif container is FLV:
            return _flv_whole(file, size)
        elif container is TRANSPORT:
            return (None, '') if any(size % length == 0 for length in (188, 192, 204)) else (False, HALF_PACKET)
        else:
            return None, ''
    return not reason, reason


def _mp4_broken_off(file: BinaryIO, size: int) -> str:
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
    return '' if b'moov' in seen else 'cut off: the index (moov box) is missing'


def _avi_broken_off(file: BinaryIO, size: int) -> str:
    position = 0
    while position + 12 <= size:
        file.seek(position)
        kind, length = struct.unpack('<4sI', file.read(8))
        if kind != b'RIFF' or not length:  # rests behind the video, or a size that was never filled in
            return ''
        position += 8 + length + length % 2
        if position - length % 2 > size:
            return _short(size, position)
    return ''


def _matroska_size(head: bytes) -> int | None:
    place = head.find(SEGMENT)
    if place < 0 or place + 12 > len(head):
        return None
    first = head[place + 4]
    length = 9 - first.bit_length()
    value = int.from_bytes(head[place + 4 : place + 4 + length], 'big') & ((1 << 7 * length) - 1)
    if length > 8 or value == (1 << 7 * length) - 1:  # "unknown", as live recordings write it
        return None
    return place + 4 + length + value


def _asf_size(head: bytes) -> int | None:
    place = head.find(ASF_FILE)
    if place < 0 or place + 48 > len(head):
        return None
    return int(struct.unpack('<Q', head[place + 40 : place + 48])[0]) or None


def _flv_whole(file: BinaryIO, size: int) -> tuple[bool | None, str]:
    """The file ends with the size of its last tag, which that tag must have."""
    file.seek(max(0, size - 4))
    last = int.from_bytes(file.read(4), 'big')
    if 11 <= last <= size - 4:
        file.seek(size - 4 - last)
        header = file.read(4)
        if header[:1] in (b'\x08', b'\x09', b'\x12') and int.from_bytes(header[1:4], 'big') == last - 11:
            return True, ''
    return False, 'cut off: its last tag is incomplete'


def _short(size: int, announced: int) -> str:
    return f'cut off: {size} bytes of {announced} announced'
