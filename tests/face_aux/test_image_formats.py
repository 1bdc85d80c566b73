from __future__ import annotations

import base64
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from face_aux.image_formats import Content, content_of, webp_size
from face_aux.images import UnreadableImageError, read_image

# 64 x 48 pixels of (200, 40, 40), written by pillow-heif 1.8.1: the project's own reader has no encoder.
HEIC = base64.b64decode(
    'AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAA'
    'AAAERAAAEAAQAAAAABoQABAAAAAAAAAB0AAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA/WlwcnAA'
    'AADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkA'
    'AAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAA'
    'AAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBpeGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAAC'
    'VtZGF0AAAAGSgBrxOA9SeBP//YlR/+3Pnh93Z1+efLU8A='
)
POSTSCRIPT = b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(ran) (w) file closefile showpage\n'


def grey(level: int = 90) -> Image.Image:
    return Image.new('RGB', (40, 30), (level, level, level))


@pytest.mark.parametrize(
    'suffix', ['jpg', 'jpe', 'jfif', 'png', 'gif', 'webp', 'bmp', 'dib', 'tif', 'ppm', 'pnm', 'jp2']
)
def test_the_content_says_what_a_file_is(tmp_path: Path, suffix: str) -> None:
    kind = {'jpe': 'JPEG', 'jfif': 'JPEG', 'pnm': 'PPM', 'dib': 'BMP', 'jp2': 'JPEG2000', 'tif': 'TIFF'}.get(suffix)
    path = tmp_path / f'a.{suffix}'
    grey().save(path, kind)
    head = path.read_bytes()
    assert content_of(head) is not Content.OTHER
    for name in (path, path.rename(tmp_path / 'really.jpg')):
        if name.is_file():
            np.testing.assert_allclose(read_image(name), 90, atol=1)


@pytest.mark.skipif(not features.check('avif'), reason='this Pillow has no AVIF')
def test_avif(tmp_path: Path) -> None:
    grey().save(tmp_path / 'a.avif')
    assert content_of((tmp_path / 'a.avif').read_bytes()) is Content.AVIF
    np.testing.assert_allclose(read_image(tmp_path / 'a.avif'), 90, atol=2)


def test_heic(tmp_path: Path) -> None:
    pytest.importorskip('pi_heif')
    (tmp_path / 'IMG_0001.HEIC').write_bytes(HEIC)
    pixels = read_image(tmp_path / 'IMG_0001.HEIC')
    assert pixels.shape == (48, 64, 3)
    np.testing.assert_allclose(pixels.mean(axis=(0, 1)), (200, 40, 40), atol=4)


def test_without_a_decoder_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('face_aux.images.register_heif', lambda: False)
    (tmp_path / 'a.heic').write_bytes(HEIC)
    with pytest.raises(UnreadableImageError, match=r'a.heic: a HEIC photograph; .* pip install pi-heif'):
        read_image(tmp_path / 'a.heic')
    monkeypatch.setattr('face_aux.images.features.check', lambda name: False)
    (tmp_path / 'a.avif').write_bytes(b'\0\0\0\x1cftypavif' + bytes(20))
    with pytest.raises(UnreadableImageError, match=r'a.avif: an AVIF image; .*pip install "pillow>=11.3"'):
        read_image(tmp_path / 'a.avif')


OTHERS = {
    'PostScript': POSTSCRIPT,
    'PostScript program': b'\xc5\xd0\xd3\xc6' + bytes(28) + POSTSCRIPT,
    'a PDF': b'%PDF-1.7 ...',
    'Windows metafile': b'\xd7\xcd\xc6\x9a' + bytes(40),
    'drawing': b'<?xml version="1.0"?>\n<!-- x -->\n<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/>',
    'a web page': b'\n<!DOCTYPE html><html><body>404</body></html>',
    'git lfs pull': b'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n',
    'Photoshop': b'8BPS\0\1',
    'JPEG XL': b'\xff\x0a\xfa\x7f',
    'a video': b'\0\0\0\x18ftypisom' + bytes(12),
    'an archive': b'PK\3\4' + bytes(20),
    'nothing but zeros': bytes(500),
    r'not an image of a format that is read \(JPEG, ': b'hello',
    'empty file': b'',
}


@pytest.mark.parametrize('reason', OTHERS)
def test_other_files_named_jpg_are_told_and_never_opened(
    tmp_path: Path, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started(*args: object, **kwargs: object) -> None:
        raise RuntimeError(f'opened: {args}')

    monkeypatch.setattr('PIL.Image.open', started)
    monkeypatch.setattr('subprocess.Popen', started)
    (tmp_path / 'a.jpg').write_bytes(OTHERS[reason])
    with pytest.raises(UnreadableImageError, match=rf'a.jpg: .*{reason}'):
        read_image(tmp_path / 'a.jpg')


def test_no_program_is_started_for_what_hides_behind_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An EPS after the header of a BMP, a name with a suffix that Pillow has a plugin for: the content decides."""
    (tmp_path / 'bin').mkdir()
    fake = tmp_path / 'bin' / 'gs'
    fake.write_text(f'#!/bin/sh\ntouch {tmp_path}/ran\n')
    fake.chmod(0o755)
    monkeypatch.setenv('PATH', f'{tmp_path}/bin{os.pathsep}{os.environ["PATH"]}')
    (tmp_path / 'a.eps').write_bytes(POSTSCRIPT)
    (tmp_path / 'b.bmp').write_bytes(b'BM' + POSTSCRIPT)
    for name in ('a.eps', 'b.bmp'):
        with pytest.raises(UnreadableImageError):
            read_image(tmp_path / name)
    assert not (tmp_path / 'ran').exists()


def test_raw_photographs_are_not_taken_for_their_preview(tmp_path: Path) -> None:
    grey().save(tmp_path / 'a.tif')
    (tmp_path / 'a.tif').rename(tmp_path / 'IMG_1.NEF')
    with pytest.raises(UnreadableImageError, match=r'IMG_1.NEF: raw data of a camera are not read; develop it'):
        read_image(tmp_path / 'IMG_1.NEF')


@pytest.mark.parametrize('options', [{}, {'lossless': True}, {'save_all': True, 'append_images': [grey(200)]}])
def test_webp_size(tmp_path: Path, options: dict) -> None:
    grey().save(tmp_path / 'a.webp', **options)
    assert webp_size((tmp_path / 'a.webp').read_bytes()[:64]) == (40, 30)
