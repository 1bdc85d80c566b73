"""Cameras, files and streams by name; what is not there is said with the way out."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from pose_fixtures import VideoMaker

from bmoe_app.live import sources
from bmoe_app.live.sources import SourceError, source_of
from bmoe_ground.errors import UserError


class Camera:
    """In the place of OpenCV's: gives three pictures, then none."""

    def __init__(self, opened: bool = True, pictures: int = 3) -> None:
        self.opened, self.left, self.released = opened, pictures, False

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.opened

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.left -= 1
        return (True, np.zeros((4, 6), np.uint8)) if self.left >= 0 else (False, None)

    def release(self) -> None:
        self.released = True


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('gone.mp4', 'no such file; give a camera'),
        ('-1', 'no such file'),
        ('file:///etc/passwd', 'streams begin with'),
        ('concat://a|b', 'streams begin with'),
    ],
)
def test_what_is_no_source_is_refused(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        source_of(text)


def test_a_password_is_not_shown() -> None:
    assert source_of('rtsp://me:secret@camera.local/1').name == 'rtsp://camera.local/1'


def test_a_file_comes_at_its_own_pace_and_ends(make_video: VideoMaker) -> None:
    source = source_of(str(make_video(frames=6)))
    began = time.monotonic()
    frames = list(source.frames())
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4, 5] and source.ends
    assert time.monotonic() - began >= frames[-1].time == pytest.approx(0.2)


def test_a_file_that_is_no_video_says_so(tmp_path: Path) -> None:
    (tmp_path / 'a.mp4').write_text('nothing')
    with pytest.raises(SourceError, match=r'a\.mp4'):
        list(source_of(str(tmp_path / 'a.mp4')).frames())


def test_a_camera_that_goes_away_or_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = Camera()
    monkeypatch.setattr(sources, '_open', lambda what: camera)
    frames = source_of('2').frames()
    assert [next(frames).image.shape for _ in range(3)] == [(4, 6, 3)] * 3
    with pytest.raises(SourceError, match='camera 2: the picture has stopped'):
        next(frames)
    assert camera.released
    monkeypatch.setattr(sources, '_open', lambda what: Camera(opened=False))
    with pytest.raises(SourceError, match='camera 2: there is none, or another program uses it'):
        next(source_of('2').frames())
    with pytest.raises(SourceError, match='does not answer within 10 s'):
        next(source_of('rtsp://camera.local/1').frames())
