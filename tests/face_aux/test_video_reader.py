from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from blob_faces import BlobDetector, frame
from video_files import damage_frames, encode, levels, write_video

from bmoe_ground.video import VideoError
from face_aux.detection import CropSettings
from face_aux.detection.source import FaceSource, Job
from face_aux.predictions import FAILURES, Prediction, count_files, file_status
from face_aux.video_reader import VideoReader
from face_aux.videos import frame_count, read_frames


def rows_of(path: Path, **options) -> list[Prediction]:
    source = FaceSource(BlobDetector(), CropSettings(), max_frames=0, **options)
    return [item.row if isinstance(item, Job) else item for item in source.jobs([(str(path), 'video')])]


def faces(path: Path, present: Sequence[bool]) -> Path:
    pictures = [frame(((10 + t % 5, 20, 30, 150),) if there else ()) for t, there in enumerate(present)]
    return write_video(path, fps=30, pictures=[image[..., ::-1] for image in pictures])


def test_times_are_the_container_s_own(tmp_path: Path) -> None:
    pytest.importorskip('av')
    times = [0, 1, 2, 3, 10, 11, 30, 60, 61, 100]
    reader = VideoReader(encode(tmp_path / 'v.mkv', 'libx264', times))
    assert reader.total == 10  # and not the 101 of duration times rate
    np.testing.assert_allclose([time for _, time, _ in reader.frames(range(10))], np.array(times) / 25, atol=1e-3)
    assert reader.problem is None
    assert [index for index, _, _ in reader.frames([2, 8])] == [2, 8]


def test_frames_without_a_face_are_said_to_have_none(tmp_path: Path) -> None:
    present = [True] * 20 + [False] * 20 + [True] * 20
    rows = rows_of(faces(tmp_path / 'v.avi', present))
    assert [row.status for row in rows] == ['ok' if there else 'no face' for there in present]
    assert all((row.box is not None) == (row.status == 'ok') for row in rows)
    once = [True] * 5 + [False] + [True] * 5
    assert [row.status for row in rows_of(faces(tmp_path / 'w.avi', once))].count('no face') == 1


def test_a_clip_is_used_when_most_of_it_shows_the_face(tmp_path: Path) -> None:
    present = [True] * 7 + [False] + [True] * 8 + [False] * 8 + [True] * 8
    rows = rows_of(faces(tmp_path / 'v.avi', present), clip_length=8)
    assert [(row.frame, row.status) for row in rows] == [(0, 'ok'), (8, 'ok'), (16, 'no face'), (24, 'ok')]


def test_a_video_that_breaks_off_says_how_many_frames_there_were(tmp_path: Path) -> None:
    path = faces(tmp_path / 'v.avi', [True] * 40)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    rows = rows_of(path)
    frames = [row for row in rows if row.level == 'frame']
    assert {row.status for row in frames} == {'ok'}
    assert (rows[-1].level, rows[-1].status) == ('video', 'partial')
    assert f'{len(frames)} of 40 frames could be decoded: ' in rows[-1].message
    assert 'cut off' in rows[-1].message
    assert file_status(rows) == {str(path): 'partial'}
    assert 'partial' in FAILURES
    assert count_files([*reversed(rows)]) == {'partial': 1}
    few = FaceSource(BlobDetector(), CropSettings(), max_frames=4)
    last = list(few.jobs([(str(path), 'video')]))[-1]
    assert isinstance(last, Prediction)
    assert 'of 40 frames are there: cut off' in last.message


def test_a_damaged_frame_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = damage_frames(faces(tmp_path / 'v.avi', [True] * 20), [7])
    rows = rows_of(path)
    assert [row.frame for row in rows[:-1]] == [t for t in range(20) if t != 7]
    assert rows[8].time == pytest.approx(9 / 30, abs=1e-3)
    assert rows[-1].message.startswith('19 of 20 frames could be decoded: frame 7 of 20')


def test_codecs_that_opencv_lacks_are_read_in_training_too(tmp_path: Path) -> None:
    pytest.importorskip('av')
    path = encode(tmp_path / 'v.mp4', 'libsvtav1')
    assert frame_count(path) == 20
    assert levels(read_frames(path, [0, 3, 11, 19, 25])) == [0, 3, 11, 19, 19]


def test_frames_by_number_in_a_damaged_file_are_the_last_good_ones(tmp_path: Path) -> None:
    path = damage_frames(write_video(tmp_path / 'v.avi', 20), [0, 1, 2])
    assert levels(read_frames(path, [0, 4])) == [3, 4]


@pytest.mark.parametrize('text', ['#EXTM3U\n{other}\n', "ffconcat version 1.0\nfile '{other}'\n"])
def test_playlists_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / 'x.mp4'
    path.write_text(text.format(other=write_video(tmp_path / 'other.mp4', 5)))
    for call in (VideoReader, frame_count, lambda file: read_frames(file, [0])):
        with pytest.raises(VideoError, match='never opened'):
            call(path)
    rows = rows_of(path)
    assert [row.status for row in rows] == ['unreadable']


def test_hidden_files_are_no_frames(tmp_path: Path) -> None:
    for t in range(3):
        cv2.imwrite(str(tmp_path / f'{t}.png'), np.full((9, 9, 3), 20 + 10 * t, np.uint8))
        (tmp_path / f'._{t}.png').write_bytes(b'junk')
    assert frame_count(tmp_path) == 3
    assert levels(read_frames(tmp_path, [0, 1, 2])) == [0, 1, 2]
