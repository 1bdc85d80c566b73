"""Which image formats are read, told by a file's first bytes, and what is said of the others."""

from __future__ import annotations

import importlib
import os
import re
from enum import Enum


class Content(Enum):
    """What a file's first bytes say it is; the value is Pillow's name of the format."""

    JPEG = 'JPEG'
    PNG = 'PNG'
    GIF = 'GIF'
    WEBP = 'WEBP'
    BMP = 'BMP'
    TIFF = 'TIFF'
    PNM = 'PPM'
    AVIF = 'AVIF'
    HEIF = 'HEIF'
    JPEG2000 = 'JPEG2000'
    OTHER = ''


READ = tuple(content.value for content in Content if content is not Content.OTHER)
"""The formats that are opened. Pillow knows more, some of which start other programs: EPS runs Ghostscript."""

NOT_READ = {
    '.jxl': 'JPEG XL is not read; save it as JPEG or PNG',
    '.psd': 'Photoshop files are not read; save it as JPEG or PNG',
    '.svg': 'drawings (SVG) are not read; save it as PNG',
    **dict.fromkeys(
        ('.3fr', '.arw', '.cr2', '.cr3', '.dng', '.nef', '.nrw', '.orf', '.pef', '.raf', '.raw', '.rw2', '.srw'),
        'raw data of a camera are not read; develop it to JPEG, PNG or TIFF',
    ),
}
"""Suffixes of pictures that people have beside the others. Some raw files hold a tiny preview as a TIFF, which would
be taken for the photograph."""

_MAGIC = (
    (b'\xff\xd8\xff', Content.JPEG),
    (b'\x89PNG\r\n\x1a\n', Content.PNG),
    (b'GIF87a', Content.GIF),
    (b'GIF89a', Content.GIF),
    (b'BM', Content.BMP),
    (b'II*\x00', Content.TIFF),
    (b'MM\x00*', Content.TIFF),
    (b'II+\x00', Content.TIFF),
    (b'MM\x00+', Content.TIFF),
    (b'\x00\x00\x00\x0cjP  \r\n\x87\n', Content.JPEG2000),
    (b'\xff\x4f\xff\x51', Content.JPEG2000),
)
_AVIF_BRANDS = (b'avif', b'avis')
_HEIF_BRANDS = (b'heic', b'heix', b'hevc', b'hevx', b'heim', b'heis', b'hevm', b'hevs', b'mif1', b'msf1')

_OTHERS = (
    (re.compile(rb'%!PS|\xc5\xd0\xd3\xc6'), 'a PostScript program, which is not run'),
    (re.compile(rb'%PDF'), 'a PDF'),
    (re.compile(rb'\xd7\xcd\xc6\x9a|\x01\x00\x09\x00|\x01\x00\x00\x00.{36} EMF', re.S), 'a Windows metafile'),
    (re.compile(rb'\s*(<\?xml[^>]*>\s*)?(<!(--|doctype svg)[^>]*>\s*)*<svg', re.I), 'a drawing (SVG)'),
    (re.compile(rb'\s*(<!--.*?-->\s*)?<(!doctype html|html|head|body)', re.S | re.I), 'a web page; download it again'),
    (re.compile(rb'version https://git-lfs'), "a Git LFS pointer; fetch the file itself with 'git lfs pull'"),
    (re.compile(rb'8BPS'), 'a Photoshop file'),
    (re.compile(rb'\xff\x0a|\x00\x00\x00\x0cJXL '), 'JPEG XL, which is not read; save it as JPEG or PNG'),
    (re.compile(rb'\x1aE\xdf\xa3|RIFF.{4}AVI |.{4}ftyp', re.S), 'a video; give it the suffix of one'),
    (re.compile(rb'PK\x03\x04|\x1f\x8b|Rar!|7z\xbc\xaf'), 'an archive; unpack it'),
    (re.compile(rb'\x00+\Z'), 'nothing but zeros; the download or copy broke off'),
)


def content_of(head: bytes) -> Content:
    """What a file is.

    Args:
        head: Its first bytes, at least 32 where it has so many.

    Example:
        >>> content_of(b'GIF89a...'), content_of(b'%!PS-Adobe-3.0 EPSF-3.0')
        (<Content.GIF: 'GIF'>, <Content.OTHER: ''>)
    """
    for magic, content in _MAGIC:
        if head.startswith(magic):
            return content
    if head[:4] == b'RIFF' and head[8:12] == b'WEBP':
        return Content.WEBP
    if re.match(rb'P[1-6][\s#]', head):
        return Content.PNM
    if head[4:8] == b'ftyp':
        size = int.from_bytes(head[:4], 'big')
        brands = [head[8:12], *(head[i : i + 4] for i in range(16, min(size, len(head)), 4))]
        if any(brand in _AVIF_BRANDS for brand in brands):
            return Content.AVIF
        if any(brand in _HEIF_BRANDS for brand in brands):
            return Content.HEIF
    return Content.OTHER


def why_not_read(name: str, head: bytes, content: Content) -> str | None:
    """Why a file is not opened; None where it is.

    Args:
        name: Of the file.
        head: Its first bytes.
        content: What they say.
    """
    if not head:
        return 'empty file'
    suffix = os.path.splitext(name)[1].lower()
    if content is Content.TIFF and suffix in NOT_READ:
        return NOT_READ[suffix]
    if content is not Content.OTHER:
        return None
    for pattern, what in _OTHERS:
        if pattern.match(head):
            return f'not an image that is read, but {what}'
    return NOT_READ.get(suffix) or f'not an image of a format that is read ({", ".join(READ)})'


def register_heif() -> bool:
    """Make Pillow read HEIC with ``pi_heif`` (decoders only) or ``pillow_heif``; False where neither is installed."""
    for name in ('pi_heif', 'pillow_heif'):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        module.register_heif_opener(thumbnails=False)
        return True
    return False


def webp_size(head: bytes) -> tuple[int, int] | None:
    """Width and height of a WebP by its header; None where it has none that is known.

    Args:
        head: The first 30 bytes or more.
    """
    kind = head[12:16]
    if kind == b'VP8X' and len(head) >= 30:
        return 1 + int.from_bytes(head[24:27], 'little'), 1 + int.from_bytes(head[27:30], 'little')
    if kind == b'VP8L' and len(head) >= 25:
        bits = int.from_bytes(head[21:25], 'little')
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b'VP8 ' and len(head) >= 30:
        return int.from_bytes(head[26:28], 'little') & 0x3FFF, int.from_bytes(head[28:30], 'little') & 0x3FFF
    return None
