"""The inputs on which the face module once failed, where the folder of cases is at hand."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from face_aux.datasets import CsvFaces, FolderFaces
from face_aux.detection import CropSettings, build_detector
from face_aux.detection.source import FaceSource, Job, find_inputs
from face_aux.detection.turns import find_upright
from face_aux.images import UnreadableImageError, read_image
from face_aux.labels import RAFDB_EMOTION

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def cases() -> Path:
    folder = Path(os.environ.get('SHARED_CASES', REPO.parent / 'shared' / 'cases'))
    if not folder.is_dir():
        pytest.skip(f'the folder of cases is not here: {folder} (set SHARED_CASES to it)')
    return folder


@pytest.mark.parametrize(('name', 'count'), [('group_48.jpg', 48), ('mixed.jpg', 6)])
@pytest.mark.parametrize('turn', range(4))
def test_everybody_is_found(cases: Path, name: str, count: int, turn: int) -> None:
    pytest.importorskip('mediapipe')
    image = np.ascontiguousarray(np.rot90(read_image(cases / 'faces' / name), -turn))
    found = find_upright(image, build_detector('mediapipe').detect)
    assert len(found) == count
    assert {face.turn for face in found} == {turn}


def test_formats_of_phones_and_the_web(cases: Path) -> None:
    pytest.importorskip('pi_heif')
    pytest.importorskip('mediapipe')
    source = FaceSource(build_detector('mediapipe'), CropSettings())
    items = list(source.jobs(find_inputs([cases / 'faces' / 'formats'])))
    rows = [item.row if isinstance(item, Job) else item for item in items]
    names = {Path(row.file).name for row in rows}
    assert names == {'avif.avif', 'clip.ts', 'clip.wmv', 'iphone.heic', 'jpe.jpe', 'windows.jfif'}
    assert {row.status for row in rows if Path(row.file).stem != 'clip'} == {'ok'}
    assert {row.status for row in rows} <= {'ok', 'no face'}


def test_codes_one_to_seven(cases: Path, tmp_path: Path) -> None:
    root = tmp_path / 'codes'
    shutil.copytree(cases / 'faces' / 'codes_1_to_7', root)
    names = list(RAFDB_EMOTION)
    for data in (FolderFaces(data_root=root, classes=names),
                 CsvFaces(data_root=root, path_column='image', labels={'label': names})):  # fmt: skip
        assert [data[i]['gt']['label'] for i in range(len(data))] == list(range(7))


def test_a_program_named_jpg(cases: Path) -> None:
    with pytest.raises(UnreadableImageError, match='a PostScript program, which is not run'):
        read_image(cases / 'hostile' / 'eps_named.jpg')
