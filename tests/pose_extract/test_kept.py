"""Tracks that are there already: taken without a backend, and left to the job where anything differs."""

from __future__ import annotations

from pathlib import Path

import pytest
from pose_fixtures import VideoMaker

from pose_extract import estimators
from pose_extract.discovery import VideoItem, find_videos
from pose_extract.job import run_job
from pose_extract.kept import kept_tracks
from pose_extract.settings import ExtractSettings
from pose_extract.tracks import load_tracks, save_tracks

SETTINGS = ExtractSettings(backend='mediapipe')


@pytest.fixture
def item(make_video: VideoMaker, tmp_path: Path, block_backend: type) -> VideoItem:
    make_video('videos/a.mp4')
    run_job(tmp_path / 'videos', tmp_path / 'poses', SETTINGS, jobs=0, show_progress=False)
    return find_videos(tmp_path / 'videos', tmp_path / 'poses')[0]


def test_kept_tracks_need_no_backend(item: VideoItem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(estimators.BACKENDS, 'mediapipe', 'not.there:AtAll')
    tracks = kept_tracks(item, tmp_path / 'poses', SETTINGS)
    assert tracks is not None
    assert tracks.num_frames == 12


@pytest.mark.parametrize(
    'changed', [{'max_persons': 2}, {'start': 0.1}, {'backend': 'mmpose'}, {'save_rgb': 32}, {'smooth': 'savgol'}]
)
def test_other_settings_are_left_to_the_job(item: VideoItem, tmp_path: Path, changed: dict[str, object]) -> None:
    settings = ExtractSettings(**{'backend': 'mediapipe', **changed})  # type: ignore[arg-type]
    assert kept_tracks(item, tmp_path / 'poses', settings) is None


def test_what_does_not_decide_the_result_may_differ(item: VideoItem, tmp_path: Path) -> None:
    assert kept_tracks(item, tmp_path / 'poses', ExtractSettings(backend='mediapipe', batch=3)) is not None


def test_another_video_or_version_or_a_damaged_file_is_left_to_the_job(item: VideoItem, tmp_path: Path) -> None:
    poses = tmp_path / 'poses'
    assert kept_tracks(VideoItem(item.path, item.name, item.size + 1), poses, SETTINGS) is None
    assert kept_tracks(VideoItem(item.path, 'b.mp4', item.size), poses, SETTINGS) is None
    boxes = tmp_path / 'boxes.csv'
    boxes.touch()
    assert kept_tracks(item, poses, ExtractSettings(backend='mediapipe', boxes=str(boxes))) is None

    made = load_tracks(poses / item.track)
    for key, value in (('versions', {'numpy': '0.1'}), ('versions', {'no-such-package': '1'}), ('asked', None)):
        made.provenance[key], before = value, made.provenance[key]
        save_tracks(poses / item.track, made)
        assert kept_tracks(item, poses, SETTINGS) is None
        made.provenance[key] = before
    (poses / item.track).write_bytes(b'nothing')
    assert kept_tracks(item, poses, SETTINGS) is None
