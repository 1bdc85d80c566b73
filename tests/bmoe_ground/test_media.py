from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from bmoe_ground.errors import UserError
from bmoe_ground.media import GIF, IMAGE_SUFFIXES, VIDEO_SUFFIXES, VideoError, media_of, open_capture


def test_kinds() -> None:
    assert not IMAGE_SUFFIXES & VIDEO_SUFFIXES
    assert GIF not in IMAGE_SUFFIXES | VIDEO_SUFFIXES
    assert all(suffix == suffix.lower() and suffix.startswith('.') for suffix in IMAGE_SUFFIXES | VIDEO_SUFFIXES)
    assert media_of('x/A.JPEG') == 'image'
    assert media_of(Path('x.tar.MkV')) == 'video'
    assert (media_of('a.gif'), media_of('a.gif', gif='video')) == ('image', 'video')
    assert [media_of(name) for name in ('a.npz', 'mp4', '.mp4', '')] == [None] * 4


@pytest.mark.parametrize('suffix', sorted(IMAGE_SUFFIXES))
def test_both_decoders_know_every_image(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f'a{suffix}'
    grey = np.full((8, 8), 130, np.uint8)
    Image.fromarray(grey if suffix == '.pgm' else np.stack([grey] * 3, -1)).save(path)
    found = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert found.shape == (8, 8, 3)
    assert abs(int(found[4, 4, 0]) - 130) <= 2


def test_open(make_video: Callable[..., Path]) -> None:
    path = make_video('%03d.mp4', frames=7)
    capture = open_capture(path)
    count = 0
    while capture.grab():
        count += 1
    capture.release()
    assert count == 7


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        (b'', 'empty .0 bytes'),
        (b'just text, for sure\n' * 20, 'not a video'),
        (b'\x00\x00\x00\x18ftypisom' + b'\x00' * 12, 'cut off: the index'),
        (os.urandom(2000), 'not a video'),
    ],
)
def test_what_is_no_video_is_an_error_with_its_name(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / 'broken.mp4'
    path.write_bytes(content)
    with pytest.raises(VideoError, match=f'broken.mp4: .*{reason}'):
        open_capture(path)
    with pytest.raises(UserError, match='missing.mp4: no such file'):
        open_capture(tmp_path / 'missing.mp4')


def test_a_damaged_file_writes_nothing_to_the_screen(tmp_path: Path) -> None:
    (tmp_path / 'broken.mp4').write_bytes(b'\x00\x00\x00\x18ftypisom' + b'\x00' * 500)
    code = (
        'import sys; from bmoe_ground.media import open_capture, VideoError\n'
        'try: open_capture(sys.argv[1])\n'
        'except VideoError: print("refused")'
    )
    done = subprocess.run([sys.executable, '-c', code, str(tmp_path / 'broken.mp4')], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ('refused\n', '')
