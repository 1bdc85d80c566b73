"""Bombs are refused by their headers; a damaged file raises the documented error, whatever the decoder raises."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from face_aux.images import UnreadableImageError, picture_bytes, read_image

REPO = Path(__file__).resolve().parents[2]
IN_A_GIGABYTE = """
import resource, sys
from face_aux.images import read_image
limit = 2**30 + int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
try:
    print(read_image(sys.argv[1]).shape)
except ValueError as error:
    print(error)
"""


def png(width: int, height: int, rows: int = 0) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    pack = zlib.compressobj(1)
    pixels = b''.join(pack.compress(bytes(1 + 3 * width)) for _ in range(rows)) + pack.flush()
    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', pixels) + chunk(b'IEND', b'')


def tiff(**tags: tuple[int, int, int]) -> bytes:
    """Little-endian TIFF of one IFD; tags as type, count, value or offset."""
    entries = b''.join(struct.pack('<HHII', int(tag[1:]), *entry) for tag, entry in sorted(tags.items()))
    return b'II*\0' + struct.pack('<IH', 8, len(tags)) + entries + bytes(4)


def black(kind: str, **options: object) -> bytes:
    """A picture of the largest size that WebP has, a few kB long."""
    buffer = io.BytesIO()
    Image.new('L', (16383, 16383)).save(buffer, kind, **options)
    return buffer.getvalue()


def jpeg() -> bytes:
    """A small picture whose header says another size."""
    small = io.BytesIO()
    Image.new('L', (64, 64)).save(small, 'JPEG')
    data = bytearray(small.getvalue())
    frame = data.index(b'\xff\xc0')
    data[frame + 5 : frame + 9] = struct.pack('>HH', 65500, 65500)
    return bytes(data)


BOMBS: dict[str, Callable[[], bytes]] = {
    'png': lambda: png(30_000, 30_000, 2000),
    'webp': lambda: black('webp', lossless=True, method=0),
    'gif': lambda: black('gif'),
    'jpg': jpeg,
    'ppm': lambda: b'P6\n60000 60000\n255\n' + bytes(100),
    'bmp': lambda: b'BM' + struct.pack('<IHHIIiiHHIIiiII', 54, 0, 0, 54, 40, 60000, 60000, 1, 24, 0, 0, 0, 0, 0, 0),
    'tif': lambda: tiff(t256=(4, 1, 60000), t257=(4, 1, 60000), t258=(3, 1, 8), t259=(3, 1, 1), t262=(3, 1, 1),
                        t273=(4, 1, 8), t277=(3, 1, 1), t278=(4, 1, 60000), t279=(4, 1, 2**32 - 1)),
}  # fmt: skip


@pytest.mark.parametrize('kind', BOMBS)
def test_bombs_are_refused_within_a_gigabyte_and_ten_seconds(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f'a.{kind}'
    path.write_bytes(BOMBS[kind]())
    command = [sys.executable, '-c', IN_A_GIGABYTE, path]
    result = subprocess.run(command, cwd=REPO, env={'PYTHONPATH': str(REPO), 'OMP_NUM_THREADS': '1'},
                            capture_output=True, text=True, timeout=120)  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert 'reduce it first' in result.stdout


def test_a_large_picture_is_read_in_strips_to_the_digit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (60, 50, 4), dtype=np.uint8), 'RGBA').save(tmp_path / 'a.png')
    Image.fromarray(rng.integers(0, 40000, (60, 50)).astype(np.int32)).save(tmp_path / 'b.tif')
    whole = [read_image(tmp_path / name) for name in ('a.png', 'b.tif')]
    monkeypatch.setattr('face_aux.images.STRIP_PIXELS', 350)
    for name, expected in zip(('a.png', 'b.tif'), whole, strict=True):
        np.testing.assert_array_equal(read_image(tmp_path / name), expected)


@pytest.mark.parametrize('orientation', range(1, 9))
def test_orientations_are_those_of_pillow(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / 'a.png', exif=exif)
    with Image.open(tmp_path / 'a.png') as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(read_image(tmp_path / 'a.png'), expected)


def test_endless_progressive_scans_are_refused(tmp_path: Path) -> None:
    Image.new('RGB', (6000, 6000)).save(tmp_path / 'a.jpg', progressive=True)
    assert read_image(tmp_path / 'a.jpg', max_side=100).shape == (100, 100, 3)
    data = (tmp_path / 'a.jpg').read_bytes()
    last = data.rindex(b'\xff\xda')
    (tmp_path / 'a.jpg').write_bytes(data[:last] + data[last:-2] * 100 + data[-2:])
    with pytest.raises(UnreadableImageError, match=r'a.jpg: a progressive JPEG of 6000x6000 pixels in 1\d\d scans'):
        read_image(tmp_path / 'a.jpg')


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'GIF', 'WEBP', 'TIFF', 'BMP', 'PPM', 'AVIF', 'JPEG2000'])
def test_mutations_raise_nothing_but_the_documented_error(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(0)
    buffer = io.BytesIO()
    exif = {'exif': Image.Exif().tobytes()} if kind in ('JPEG', 'PNG', 'WEBP', 'TIFF') else {}
    Image.fromarray(rng.integers(0, 256, (40, 30, 3), dtype=np.uint8)).save(buffer, kind, **exif)
    data = np.frombuffer(buffer.getvalue(), np.uint8)
    outcomes = set()
    for trial in range(300):
        changed = data.copy()
        end = 200 if trial % 2 else len(data)  # every second one in the header
        places = rng.integers(0, min(end, len(data)), rng.integers(1, 9))
        changed[places] = rng.integers(0, 256, len(places))
        path = tmp_path / 'a.bin'
        path.write_bytes(changed.tobytes()[: rng.integers(1, len(data)) if trial % 5 == 0 else None])
        assert picture_bytes(path) >= 0
        try:
            assert read_image(path).dtype == np.uint8
            outcomes.add('read')
        except UnreadableImageError as error:
            assert str(error).startswith(f'{path}: ')
            outcomes.add('refused')
    assert 'refused' in outcomes
    assert kind == 'PNG' or 'read' in outcomes  # its chunks have check sums
