from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import face_trees as trees
import numpy as np
import pytest
from blob_faces import BlobDetector, frame, movie, picture

from bmoe_ground.errors import UserError
from face_aux.datasets import CelebDf, FaceForensics
from face_aux.detection import CropSettings
from face_aux.detection.cropping import crop_folder
from face_aux.detection.source import FaceSource
from face_aux.images import read_image
from face_aux.predictions import count_files
from face_aux.transforms import LoadFace

REPO = Path(__file__).resolve().parents[3]


def make_set(root: Path) -> Path:
    picture(root / 'a' / 'x.png', (20, 30, 40, 100), (100, 10, 20, 200))
    picture(root / 'nobody.png')
    (root / 'bad.jpg').write_bytes(b'x')
    (root / 'labels.csv').write_text('path,label\n')
    (root / 'readme.md').write_text('not copied')
    movie(root / 'a' / 'v.avi', [frame(((10 + t, 20, 30, 60 + 10 * t),)) for t in range(12)])
    return root


def test_names_stay_and_every_file_is_accounted_for(tmp_path: Path) -> None:
    root, out = make_set(tmp_path / 'in'), tmp_path / 'out'
    source = FaceSource(BlobDetector(), CropSettings(), max_frames=4)
    rows = crop_folder(source, root, out)
    assert count_files(rows) == {'ok': 2, 'no face': 1, 'unreadable': 1, 'skipped': 2}
    written = sorted(p.relative_to(out).as_posix() for p in out.rglob('*') if p.is_file())
    assert written == ['a/v/000001.png', 'a/v/000004.png', 'a/v/000007.png', 'a/v/000010.png', 'a/x.png',
                       'crops.csv', 'labels.csv']  # fmt: skip
    np.testing.assert_array_equal(read_image(out / 'a' / 'x.png'), np.full((40, 40, 3), 100, np.uint8))
    for t in (1, 10):
        crop = read_image(out / 'a/v' / f'{t:06d}.png')
        assert crop.shape == (30, 30, 3)
        assert crop[5:-5, 8:-8].mean() == pytest.approx(60 + 10 * t, abs=1)


def test_a_stopped_run_goes_on(tmp_path: Path) -> None:
    root, out = make_set(tmp_path / 'in'), tmp_path / 'out'
    source = FaceSource(BlobDetector(), CropSettings(), max_frames=4)
    crop_folder(source, root, out, size=16)
    before = (out / 'a' / 'x.png').stat().st_mtime_ns
    (out / 'a' / 'v').rename(out / 'a' / '.part-v')  # as a killed run leaves it
    (out / 'a' / '.part-v' / '000001.png').unlink()
    rows = crop_folder(source, root, out, size=16)
    assert (out / 'a' / 'x.png').stat().st_mtime_ns == before
    assert [(Path(r.file).name, r.frame) for r in rows if r.status == 'ok'] == [
        ('v.avi', 1), ('v.avi', 4), ('v.avi', 7), ('v.avi', 10), ('x.png', None)]  # fmt: skip
    with (out / 'crops.csv').open() as file:
        listed = list(csv.DictReader(file))
    assert [row['file'] for row in listed] == [row.file for row in rows]
    assert [row['x1'] for row in listed if row['file'].endswith('x.png')] == ['20.0']  # of the first run
    assert len(list((out / 'a' / 'v').iterdir())) == 4
    assert not (out / 'a' / '.part-v').exists()
    assert read_image(out / 'a/v/000001.png').shape == (16, 16, 3)


def test_folders_that_cannot_be(tmp_path: Path) -> None:
    source = FaceSource(BlobDetector(), CropSettings())
    with pytest.raises(UserError, match='no such folder'):
        crop_folder(source, tmp_path / 'none', tmp_path / 'out')
    root = make_set(tmp_path / 'in')
    with pytest.raises(UserError, match='lies inside'):
        crop_folder(source, root, root / 'out')
    with pytest.raises(UserError, match="faces='surest'"):
        crop_folder(FaceSource(BlobDetector(), CropSettings(), faces='all'), root, tmp_path / 'out')


def test_readers_take_the_result(tmp_path: Path) -> None:
    class Everything(BlobDetector):
        def detect(self, image: np.ndarray) -> list:
            return super().detect(np.full_like(image, 255))

    source = FaceSource(Everything(), CropSettings(), max_frames=3)
    crop_folder(source, trees.celebdf(tmp_path / 'c', people=2), tmp_path / 'cc')
    data = CelebDf(data_root=tmp_path / 'cc', media='frames', split='test', frames_per_video=2, pipeline=[LoadFace()])
    assert sorted({data[i]['video_id'] for i in range(len(data))}) == [
        'Celeb-real/id0_0000', 'Celeb-synthesis/id0_id1_0000', 'YouTube-real/00170']  # fmt: skip
    assert len(data) == 6
    crop_folder(source, trees.faceforensics(tmp_path / 'f', ['Deepfakes']), tmp_path / 'ff')
    forged = FaceForensics(data_root=tmp_path / 'ff', media='frames', methods=['Deepfakes'], split='val')
    assert [Path(forged[i]['path']).name for i in range(len(forged))] == ['020', '021', '020_021', '021_020']


def test_frames_beside_videos(tmp_path: Path) -> None:
    trees.faceforensics(tmp_path, ['Deepfakes'])
    for videos in tmp_path.rglob('videos'):
        for path in videos.iterdir():
            trees.image(videos.with_name('frames') / path.stem / '000.png')
    data = FaceForensics(data_root=tmp_path, media='frames', methods=['Deepfakes'], split='val')
    assert all('/frames/' in data[i]['path'] for i in range(4))


@pytest.mark.slow
def test_tool(tmp_path: Path) -> None:
    pytest.importorskip('mediapipe')
    from PIL import Image
    from skimage import data

    (tmp_path / 'in').mkdir()
    Image.fromarray(data.astronaut()).save(tmp_path / 'in' / 'astronaut.jpg')
    command = [sys.executable, 'tools/crop_faces.py', tmp_path / 'in', '--out', tmp_path / 'out', '--size', '64']
    result = subprocess.run(command, cwd=REPO, env={'PYTHONPATH': str(REPO)}, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert 'ok: 1' in result.stdout
    assert read_image(tmp_path / 'out' / 'astronaut.jpg').shape == (64, 64, 3)
    assert 'astronaut.jpg,image,ok' in (tmp_path / 'out' / 'crops.csv').read_text()
