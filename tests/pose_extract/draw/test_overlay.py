from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from bmoe_ground.errors import UserError
from pose_extract.draw.figure import figure
from pose_extract.draw.overlay import LookSettings, look
from pose_extract.skeletons import get_skeleton
from pose_extract.tracks import PoseTracks, save_tracks

REPO = Path(__file__).parents[3]
SIZE = (240, 320)


def walking(frames: int = 20, persons: int = 2, **extras: np.ndarray) -> PoseTracks:
    points = figure(get_skeleton('halpe26')) * 80 + [60, 140]
    drift = np.arange(frames)[None, :, None, None] * [4.0, 0.0]
    keypoints = points + drift + np.arange(persons)[:, None, None, None] * [80.0, 5.0]
    scores = np.full(keypoints.shape[:3], 0.9)
    scores[:, 5:8] = 0.4
    boxes = np.concatenate([keypoints.min(2), keypoints.max(2)], -1)
    if persons > 1:
        keypoints[1, :6], scores[1, :6], boxes[1, :6] = np.nan, 0, np.nan
    return PoseTracks(keypoints, scores, boxes, np.arange(frames) / 25, SIZE, 'halpe26', {}, extras)


def write_video(path: Path, frames: int = 20, size: tuple[int, int] = SIZE) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 25, size[::-1])
    for t in range(frames):
        writer.write(np.full((*size, 3), 10 * t, np.uint8))
    writer.release()


def read_video(path: Path) -> tuple[np.ndarray, float]:
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (found := capture.read())[0]:
        frames.append(found[1])
    return np.array(frames), capture.get(cv2.CAP_PROP_FPS)


def show(tmp_path: Path, tracks: PoseTracks, video: Path | None, settings: LookSettings | None = None) -> None:
    look(tracks, video, tmp_path / 'out' / 'o.mp4', tmp_path / 'out' / 'o.png', 'title', settings or LookSettings())


def test_every_frame_is_drawn_over_its_own_picture(tmp_path: Path) -> None:
    write_video(tmp_path / 'v.avi')
    show(tmp_path, walking(), tmp_path / 'v.avi')
    frames, fps = read_video(tmp_path / 'out' / 'o.mp4')
    assert frames.shape == (20, 240, 320, 3)
    assert fps == pytest.approx(25)
    np.testing.assert_allclose(frames[:, :8, -8:].mean((1, 2, 3)), 10 * np.arange(20), atol=6)
    sheet = cv2.imread(str(tmp_path / 'out' / 'o.png'))
    assert sheet.shape[1] == 1300
    assert sorted(file.name for file in (tmp_path / 'out').iterdir()) == ['o.mp4', 'o.png']


def test_tracks_of_a_part_of_the_video_use_their_own_frames(tmp_path: Path) -> None:
    write_video(tmp_path / 'v.avi')
    show(tmp_path, walking(4, frame_indices=np.array([3, 7, 11, 15])), tmp_path / 'v.avi')
    frames, _ = read_video(tmp_path / 'out' / 'o.mp4')
    np.testing.assert_allclose(frames[:, :8, -8:].mean((1, 2, 3)), [30, 70, 110, 150], atol=6)


def test_without_the_video(tmp_path: Path) -> None:
    show(tmp_path, walking(3), None, LookSettings(max_size=160))
    frames, _ = read_video(tmp_path / 'out' / 'o.mp4')
    assert frames.shape == (3, 120, 160, 3)
    odd = walking(3)
    odd.image_size = (241, 321)  # encoders want even sides
    show(tmp_path, odd, None)
    assert read_video(tmp_path / 'out' / 'o.mp4')[0].shape == (3, 240, 320, 3)


@pytest.mark.parametrize(('frames', 'persons'), [(1, 1), (2, 0), (30, 1)])
def test_short_and_empty_tracks(tmp_path: Path, frames: int, persons: int) -> None:
    show(tmp_path, walking(frames, persons), None)
    assert len(read_video(tmp_path / 'out' / 'o.mp4')[0]) == frames


def test_interpolated_frames_on_the_sheet(tmp_path: Path) -> None:
    show(tmp_path, walking(), None)
    plain = cv2.imread(str(tmp_path / 'out' / 'o.png'))
    mask = np.zeros((2, 20, 26), bool)
    mask[:, 10:] = True
    show(tmp_path, walking(interpolated=mask), None)
    marked = cv2.imread(str(tmp_path / 'out' / 'o.png'))
    assert plain[-60:].sum() > marked[-60:].sum()


def test_another_video_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    write_video(tmp_path / 'short.avi', frames=5)
    write_video(tmp_path / 'small.avi', size=(100, 100))
    (tmp_path / 'text.avi').write_text('hello')
    for name, message in (
        ('short', 'ends before frame 19'),
        ('small', '100 x 100'),
        ('text', 'text.avi'),
        ('no', 'no.avi'),
    ):
        with pytest.raises(UserError, match=message):
            show(tmp_path, walking(), tmp_path / f'{name}.avi')
        assert not (tmp_path / 'out').exists() or list((tmp_path / 'out').iterdir()) == []
    (tmp_path / 'file').write_text('x')
    with pytest.raises(UserError, match='cannot be written'):
        look(walking(), None, tmp_path / 'file' / 'o.mp4', tmp_path / 'o.png', 't', LookSettings())
    with pytest.raises(UserError, match='pictures'):
        LookSettings(pictures=0)


def test_the_tool(tmp_path: Path) -> None:
    save_tracks(tmp_path / "it's.mp4.npz", walking())
    write_video(tmp_path / 'v.avi')
    tool = [sys.executable, str(REPO / 'tools' / 'show_poses.py'), "it's.mp4.npz"]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {'PYTHONPATH': str(REPO)}
        return subprocess.run(
            [*tool, *arguments], capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
        )

    done = run('v.avi', '--pictures', '4', '--min-score', '0.5', '--no-boxes')
    assert (done.returncode, done.stdout.split()) == (0, ["look/it's.mp4", "look/it's.png"]), done.stderr
    done = run('none.avi')
    assert done.returncode == 2
    assert done.stderr.startswith('error: ')
