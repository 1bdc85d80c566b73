"""The shared inputs on which an earlier version failed; the suite's own tests make others of the same kinds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bmoe_ground.video import open_video
from face_aux.detection import CropSettings, build_detector
from face_aux.detection.source import FaceSource, Job
from face_aux.video_reader import VideoReader
from pose_extract.boxes import read_boxes
from pose_extract.discovery import find_videos


@pytest.fixture
def cases(shared_data: Path) -> Path:
    folder = shared_data.parent / 'cases'
    if not folder.is_dir():
        pytest.skip(f'shared cases not found: {folder}')
    return folder


def read(path: Path):
    with open_video(path) as video:
        return video, list(video)


def test_videos(cases: Path) -> None:
    pytest.importorskip('av')
    video, frames = read(cases / 'video/av1.mp4')
    assert (len(frames), video.problem) == (45, None)
    video, frames = read(cases / 'video/cutcopy.mp4')
    assert (len(frames), video.problem) == (30, None)
    video, frames = read(cases / 'video/mj_badframe.avi')
    assert (video.frames_read, [step.index for step in video.lost]) == (45, [19])
    video, frames = read(cases / 'video/vfr.mkv')
    assert (frames[59].time, video.problem) == (pytest.approx(6.8), None)
    assert [time for *_, time, _ in VideoReader(cases / 'video/vfr.mkv').frames([59])] == [pytest.approx(6.8)]


@pytest.mark.parametrize(
    ('folder', 'count'), [('rawframes', 8), ('macos', 8), ('flat', 8), ('winnames', 8), ('gap', 6)]
)
def test_folders_of_images(cases: Path, tmp_path: Path, folder: str, count: int) -> None:
    (item,) = find_videos(cases / 'images' / folder, tmp_path)
    video, frames = read(item.path)
    assert (len(frames), video.problem) == (count, None)
    numbers = [0, 1, 4, 5, 6, 7] if folder == 'gap' else range(8)
    np.testing.assert_allclose([frame.time for frame in frames], np.array(numbers) / 30)
    assert bool(video.notes) == (folder in ('gap', 'rawframes'))


def test_boxes_saved_by_a_spreadsheet(cases: Path) -> None:
    assert len(read_boxes(cases / 'boxes/bx_bom.csv')['a.mp4'](1)) == 1


def test_faces(cases: Path) -> None:
    pytest.importorskip('mediapipe')
    source = FaceSource(build_detector('mediapipe'), CropSettings(), max_frames=0)

    def rows(name: str) -> list:
        items = source.jobs([(str(cases / 'video' / name), 'video')])
        return [item.row if isinstance(item, Job) else item for item in items]

    status = [row.status for row in rows('faceless_middle.mp4')]
    assert len(status) == 60
    assert status.count('no face') >= 20
    assert 'no face' in status[20:40]
    cut = rows('cut_half.mp4')
    assert len([row for row in cut if row.level == 'frame']) >= 39
    assert cut[-1].status == 'partial'
    assert f'{len(cut) - 1} of 90 frames' in cut[-1].message
