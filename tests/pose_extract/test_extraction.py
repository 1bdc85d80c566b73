"""One video in, tracks out: the function at the door, against what a job writes for the same video."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pose_fixtures import VideoMaker

import pose_extract
from bmoe_ground.errors import UserError
from pose_extract.job import run_job
from pose_extract.settings import ExtractSettings
from pose_extract.tracks import load_tracks
from pose_extract.video import VideoError

pytestmark = pytest.mark.usefixtures('block_backend')


def test_it_gives_what_a_job_writes(make_video: VideoMaker, tmp_path: Path) -> None:
    clip = make_video('clip.mp4')
    tracks = pose_extract.extract(clip, backend='mediapipe', stride=2, max_persons=1)
    run_job(clip, tmp_path / 'out', ExtractSettings(backend='mediapipe', stride=2, max_persons=1), jobs=0)
    written = load_tracks(tmp_path / 'out' / 'clip.mp4.npz')
    for name in ('keypoints', 'scores', 'boxes', 'frame_times'):
        np.testing.assert_array_equal(getattr(tracks, name), getattr(written, name))
    assert tracks.provenance == written.provenance
    assert tracks.num_frames == 6


def test_what_the_video_lacks_is_said(make_video: VideoMaker) -> None:
    with pytest.warns(UserWarning, match='nobody: nobody is seen in any of 12 frames'):
        tracks = pose_extract.extract(make_video('empty.mp4', block=False), backend='mediapipe')
    assert tracks.num_persons == 0
    assert tracks.provenance['status'] == 'nobody'


def test_boxes_are_those_of_the_video(make_video: VideoMaker, tmp_path: Path) -> None:
    clip = make_video('clip.mp4')
    (tmp_path / 'boxes.csv').write_text('video,frame,x1,y1,x2,y2\nother.mp4,0,1,1,20,20\n')
    with pytest.raises(UserError, match=r'holds no boxes for clip\.mp4'):
        pose_extract.extract(clip, backend='mediapipe', boxes=str(tmp_path / 'boxes.csv'))


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({'max_person': 1}, r"unknown setting 'max_person'; did you mean 'max_persons'\? \(known: backend, model, "),
        ({'xyz': 1}, r"unknown setting 'xyz' \(known: "),
        ({'stride': 0}, 'stride must be at least 1, got 0'),
        ({'save_rgb': 64}, 'save_rgb=64: crops are stored beside a track file'),
        ({'backend': 'openpose'}, "unknown backend 'openpose'; choose from mediapipe, mmpose"),
    ],
)
def test_wrong_settings_are_named(settings: dict, message: str, make_video: VideoMaker) -> None:
    with pytest.raises(UserError, match=message):
        pose_extract.extract(make_video(), **{'backend': 'mediapipe', **settings})


def test_a_missing_video_is_named(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r'none\.mp4'):
        pose_extract.extract(tmp_path / 'none.mp4', backend='mediapipe')
