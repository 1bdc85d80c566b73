"""What may be asked about: videos, tracks and pickles, alone and in folders."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from pose_fixtures import VideoMaker
from skeleton_clips import write_tracks

from bmoe_app.answer.infer import notes_of
from bmoe_app.answer.inputs import Extraction, Input, Reading, find_inputs
from bmoe_ground.errors import UserError
from pose_extract import estimators
from pose_extract.settings import ExtractSettings

SETTINGS = ExtractSettings(backend='mediapipe')
READING = Reading()


def ask(source: Path, out: Path, reading: Reading = READING, videos: Path | None = None) -> list[Input]:
    return find_inputs(source, out, Extraction(out / 'poses', SETTINGS, 0, show_progress=False), reading, videos)


@pytest.mark.usefixtures('block_backend')
def test_videos_are_extracted_once(make_video: VideoMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_video('videos/nod/a.mp4')
    make_video('videos/b.avi', frames=5)
    out = tmp_path / 'videos' / 'answers'  # below the videos, as where somebody asks about '.'
    inputs = ask(tmp_path / 'videos', out)
    assert [(one.name, one.load().num_frames) for one in inputs] == [('b.avi', 5), ('nod/a.mp4', 12)]
    assert [one.video for one in inputs] == [tmp_path / 'videos/b.avi', tmp_path / 'videos/nod/a.mp4']
    make_video('videos/answers/overlay.mp4')  # an answer is nothing to ask about

    monkeypatch.setitem(estimators.BACKENDS, 'mediapipe', 'not.there:AtAll')  # nobody asks for it again
    assert [one.name for one in ask(tmp_path / 'videos', out)] == ['b.avi', 'nod/a.mp4']
    (single,) = ask(out / 'poses' / 'nod' / 'a.mp4.npz', out)
    assert (single.name, single.video) == ('a.mp4', None)
    assert [one.name for one in ask(out / 'poses', out)] == ['b.avi', 'nod/a.mp4']


@pytest.mark.usefixtures('block_backend')
def test_a_new_video_beside_known_ones_and_a_bad_one(make_video: VideoMaker, tmp_path: Path) -> None:
    make_video('videos/a.mp4')
    ask(tmp_path / 'videos', tmp_path / 'out')
    (tmp_path / 'videos' / 'bad.mp4').write_text('no video\n' * 50)
    make_video('videos/c.mp4', block=False)
    a, bad, c = ask(tmp_path / 'videos', tmp_path / 'out')
    assert (a.load().num_persons, c.load().num_persons) == (1, 0)
    with pytest.raises(UserError, match=r'bad\.mp4.*not a video'):
        bad.load()


def test_tracks_find_their_videos(tmp_path: Path, make_video: VideoMaker) -> None:
    poses = write_tracks(tmp_path / 'poses', 1)
    make_video('videos/head/head_00.mp4')
    names = ['arms/arms_00.mp4', 'head/head_00.mp4', 'legs/legs_00.mp4']
    inputs = ask(poses, tmp_path / 'out', videos=tmp_path / 'videos')
    assert [one.name for one in inputs] == names
    assert [one.video for one in inputs] == [None, tmp_path / 'videos' / names[1], None]
    assert [one.file for one in inputs] == [poses / f'{name}.npz' for name in names]
    (one,) = ask(poses / 'head' / 'head_00.mp4.npz', tmp_path, videos=tmp_path / 'videos/head/head_00.mp4')
    assert one.video == tmp_path / 'videos/head/head_00.mp4'


def write_pickle(path: Path) -> Path:
    keypoint = np.random.default_rng(0).uniform(1, 90, (1, 20, 17, 2)).astype(np.float32)
    good = {'frame_dir': 'nod/a', 'label': 0, 'keypoint': keypoint, 'total_frames': 20, 'img_shape': (100, 100)}
    depth = {**good, 'frame_dir': 'b', 'keypoint': np.random.default_rng(0).normal(0, 1, (1, 20, 17, 3))}
    path.write_bytes(pickle.dumps([good, depth, {**good, 'frame_dir': '../out'}]))
    return path


def test_a_pickle_is_a_clip_each_and_bad_ones_fail_alone(tmp_path: Path) -> None:
    inputs = {one.name: one for one in ask(write_pickle(tmp_path / 'c.pkl'), tmp_path, Reading(fps=25))}
    assert set(inputs) == {'nod/a', 'b', '../out'}
    tracks = inputs['nod/a'].load()
    assert (tracks.skeleton, tracks.num_frames) == ('coco17', 20)
    assert notes_of(tracks)[-1] == 'no times of frames: taken as 25 a second'
    assert tracks.image_size == (100, 100)
    with pytest.raises(UserError, match='expected shape'):
        inputs['b'].load()
    with pytest.raises(UserError, match='relative path'):
        inputs['../out'].load()


def test_frames_without_a_size_hold_all_keypoints(tmp_path: Path) -> None:
    keypoint = np.array([[3.0, 40.0], [99.5, 7.0], [0.0, 0.0]] + [[5.0, 5.0]] * 14)[None, None]
    clips = [{'frame_dir': name, 'label': 0, 'keypoint': keypoint * scale} for name, scale in (('a', 1), ('empty', 0))]
    (tmp_path / 'c.pkl').write_bytes(pickle.dumps(clips))
    a, empty = (one.load() for one in ask(tmp_path / 'c.pkl', tmp_path))
    assert (a.image_size, empty.image_size) == ((40, 100), (1, 1))
    assert notes_of(a)[0] == 'no size of frames: taken as 100x40, which holds all keypoints'
    (given,) = [one.load() for one in ask(tmp_path / 'c.pkl', tmp_path, Reading(image_size=(9, 9))) if one.name == 'a']
    assert given.image_size == (9, 9)


def test_what_is_none_of_these_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='no such file or folder'):
        ask(tmp_path / 'none', tmp_path)
    with pytest.raises(UserError, match='--videos .*none: no such file or folder'):
        ask(tmp_path, tmp_path, videos=tmp_path / 'none')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match=r'empty: neither videos \(.*mp4.*\) nor track files'):
        ask(tmp_path / 'empty', tmp_path)
    (tmp_path / 'note.txt').touch()
    with pytest.raises(UserError, match=r'note\.txt: not a video .* track file .* pickle'):
        ask(tmp_path / 'note.txt', tmp_path)


@pytest.mark.usefixtures('block_backend')
def test_several_ranks_are_sent_to_the_extraction(
    make_video: VideoMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('RANK', '0')
    monkeypatch.setenv('WORLD_SIZE', '2')
    with pytest.raises(UserError, match='one process answers'):
        ask(make_video('a.mp4'), tmp_path / 'out')
