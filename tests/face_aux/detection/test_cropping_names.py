"""Crops of files whose names would meet, or are longer or odder than usual."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from blob_faces import BlobDetector, frame, movie, picture
from PIL import Image, features

from bmoe_ground.media import GIF, IMAGE_SUFFIXES
from face_aux.detection import CropSettings
from face_aux.detection.cropping import FORMATS, LIST_NAME, crop_folder
from face_aux.detection.source import FaceSource
from face_aux.images import read_image
from face_aux.predictions import rows_of_csv

BLOB = (20, 30, 40, 100)


@pytest.fixture
def source() -> FaceSource:
    return FaceSource(BlobDetector(), CropSettings(), max_frames=2)


def film(path: Path, level: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return movie(path, [frame(((10, 20, 30, level),)) for _ in range(4)])


def test_videos_of_one_stem_and_a_folder_of_that_name(tmp_path: Path, source: FaceSource) -> None:
    root, out = tmp_path / 'in', tmp_path / 'out'
    film(root / 'c.avi', 60)
    film(root / 'c.mkv', 200)
    film(root / 'd.avi', 90)
    picture(root / 'd' / 'x.png', BLOB)
    film(root / 'e.avi', 90)
    for _ in range(2):  # and again: the names do not depend on what is done already
        rows = crop_folder(source, root, out)
        folders = sorted({p.parent.relative_to(out).as_posix() for p in out.rglob('*.png')})
        assert folders == ['c.avi', 'c.mkv', 'd', 'd.avi', 'e']
        assert {row.status for row in rows} == {'ok'}
        assert len(rows) == 9
    assert read_image(out / 'c.avi' / '000001.png').mean() < 100 < read_image(out / 'c.mkv' / '000001.png').mean()


def test_the_list_of_a_killed_run_is_made_good(tmp_path: Path, source: FaceSource) -> None:
    root, out = tmp_path / 'in', tmp_path / 'out'
    for name in 'abc':
        picture(root / f'{name}.png', BLOB)
    crop_folder(source, root, out)
    (out / LIST_NAME).unlink()
    (out / 'c.png').unlink()
    rows = crop_folder(source, root, out)
    assert [(Path(r.file).name, r.status, r.message) for r in rows] == [
        ('a.png', 'ok', 'cropped in an earlier run'),
        ('b.png', 'ok', 'cropped in an earlier run'),
        ('c.png', 'ok', ''),
    ]
    assert len(rows_of_csv(out / LIST_NAME)) == 3


def test_a_stopped_run_leaves_its_list(tmp_path: Path) -> None:
    root, out = tmp_path / 'in', tmp_path / 'out'
    for name in 'abc':
        picture(root / f'{name}.png', BLOB)

    class Stopped(BlobDetector):
        calls = 0

        def detect(self, image):  # type: ignore[no-untyped-def]
            self.calls += 1
            if self.calls == 3:
                raise KeyboardInterrupt
            return super().detect(image)

    with pytest.raises(KeyboardInterrupt):
        crop_folder(FaceSource(Stopped(), CropSettings()), root, out)
    assert [Path(row.file).name for row in rows_of_csv(out / LIST_NAME)] == ['a.png', 'b.png']


def test_names_that_are_long_or_no_utf8(tmp_path: Path, source: FaceSource) -> None:
    root, out = tmp_path / 'in', tmp_path / 'out'
    film(tmp_path / 'v.avi', 90)
    picture(tmp_path / 'p.png', BLOB)
    root.mkdir()
    names = ['n' * 251 + '.avi', '=1+1.avi']
    for name in names:
        shutil.copy(tmp_path / 'v.avi', root / name)
    for name in ('x\ny.png', os.fsdecode(b'\xff.png')):
        shutil.copy(tmp_path / 'p.png', root / name)
    for _ in range(2):
        rows = crop_folder(source, root, out)
        assert [(Path(r.file).name, r.frame) for r in rows if r.level == 'frame'] == [
            (name, number) for name in sorted(names) for number in (1, 3)]  # fmt: skip
        assert {row.status for row in rows} == {'ok'}
        assert len(rows) == 6
        assert not [p for p in out.iterdir() if p.name.startswith('.part-')]


@pytest.mark.parametrize('suffix', sorted({*IMAGE_SUFFIXES, GIF}))
def test_every_image_suffix_can_be_written(tmp_path: Path, source: FaceSource, suffix: str) -> None:
    if FORMATS[suffix] == 'AVIF' and not features.check('avif'):
        pytest.skip('this Pillow has no AVIF')
    pixels = Image.open(picture(tmp_path / 'a.png', (20, 30, 40, 180)))
    (tmp_path / 'in').mkdir()
    with (tmp_path / 'in' / f'a{suffix}').open('wb') as file:
        pixels.save(file, FORMATS[suffix])
    (row,) = crop_folder(source, tmp_path / 'in', tmp_path / 'out')
    assert row.status == 'ok'
    assert abs(read_image(tmp_path / 'out' / f'a{suffix}')[5:-5, 5:-5].mean() - 180) < 4
