from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from face_aux.images import UnreadableImageError, read_image

GRADIENT = np.tile(np.arange(64, dtype=np.uint8) * 4, (48, 1))
COLOURS = np.stack([GRADIENT, GRADIENT[:, ::-1], np.full_like(GRADIENT, 77)], axis=2)


def test_grey_and_16_bit_and_float(tmp_path: Path) -> None:
    expected = np.repeat(GRADIENT[..., None], 3, axis=2)
    cv2.imwrite(str(tmp_path / '8.png'), GRADIENT)
    cv2.imwrite(str(tmp_path / '16.png'), GRADIENT.astype(np.uint16) * 257)
    Image.fromarray(GRADIENT.astype(np.float32) / 255).save(tmp_path / 'f.tif')
    Image.fromarray(GRADIENT.astype(np.int32) * 257).save(tmp_path / 'i.tif')
    Image.fromarray(GRADIENT > 100).save(tmp_path / '1.png')
    for name in ('8.png', '16.png', 'f.tif', 'i.tif'):
        np.testing.assert_array_equal(read_image(tmp_path / name), expected, err_msg=name)
    assert set(np.unique(read_image(tmp_path / '1.png'))) == {0, 255}


def test_16_bit_colour(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / '16.png'), COLOURS[..., ::-1].astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_image(tmp_path / '16.png'), COLOURS)


def test_cmyk_transparent_and_palette(tmp_path: Path) -> None:
    Image.fromarray(COLOURS).convert('CMYK').save(tmp_path / 'c.jpg', quality=98)
    assert np.abs(read_image(tmp_path / 'c.jpg').astype(int) - COLOURS).mean() < 4
    alpha = np.dstack([COLOURS, np.where(GRADIENT > 100, 255, 0).astype(np.uint8)])
    Image.fromarray(alpha).save(tmp_path / 'a.png')
    read = read_image(tmp_path / 'a.png')
    assert (read[GRADIENT <= 100] == 255).all()
    np.testing.assert_array_equal(read[GRADIENT > 100], COLOURS[GRADIENT > 100])
    palette = Image.fromarray(COLOURS).quantize(16)
    palette.save(tmp_path / 'p.gif')
    np.testing.assert_array_equal(read_image(tmp_path / 'p.gif'), np.asarray(palette.convert('RGB')))


@pytest.mark.parametrize('orientation', range(1, 9))
def test_exif_rotation(tmp_path: Path, orientation: int) -> None:
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:10, :15] = 255  # the top left quarter is white
    undo = [
        lambda p: p,
        lambda p: p[:, ::-1],
        lambda p: p[::-1, ::-1],
        lambda p: p[::-1],
        lambda p: p.transpose(1, 0, 2),
        lambda p: np.rot90(p, 1),
        lambda p: p.transpose(1, 0, 2)[::-1, ::-1],
        lambda p: np.rot90(p, -1),
    ]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(undo[orientation - 1](pixels))
    Image.fromarray(stored).save(tmp_path / 'x.png', exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / 'x.png'), pixels)


def test_tiny_and_huge(tmp_path: Path) -> None:
    Image.new('RGB', (1, 1), 'red').save(tmp_path / 't.png')
    assert read_image(tmp_path / 't.png').tolist() == [[[255, 0, 0]]]
    Image.new('L', (9000, 4000), 90).save(tmp_path / 'h.jpg')
    assert read_image(tmp_path / 'h.jpg', max_side=900).shape == (400, 900, 3)
    Image.new('1', (14_000, 13_500)).save(tmp_path / 'z.png')
    with pytest.raises(UnreadableImageError, match=r'z.png: (more pixels than are read|14000x13500)'):
        read_image(tmp_path / 'z.png')


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    (tmp_path / 'text.jpg').write_text('hello')
    (tmp_path / 'empty.jpg').write_bytes(b'')
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(tmp_path / 'ok.jpg')
    data = (tmp_path / 'ok.jpg').read_bytes()
    (tmp_path / 'cut.jpg').write_bytes(data[: len(data) // 2])
    cases = {'text.jpg': 'not an image', 'empty.jpg': 'empty file', 'cut.jpg': 'damaged', 'gone.jpg': 'no such file'}
    for name, reason in cases.items():
        with pytest.raises(UnreadableImageError, match=f'{name}: {reason}'):
            read_image(tmp_path / name)
