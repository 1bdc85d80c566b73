from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from video_files import edit_mp4

from bmoe_ground.video import Frame, VideoError, numbered_images, open_video
from bmoe_ground.video.containers import sniff, whole


def read(path: Path, **options) -> list[Frame]:
    with open_video(path, **options) as video:
        return list(video)


def brightness(frames: list[Frame]) -> list[int]:
    return [round((float(frame.image.mean()) - 30) / 8) for frame in frames]


def test_frames_come_in_order_with_their_times(make_video: Callable[..., Path]) -> None:
    frames = read(make_video(frames=12, block=False))
    assert [frame.index for frame in frames] == list(range(12))
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(12) / 25, atol=1e-3)
    assert brightness(frames) == list(range(12))
    assert frames[0].image.shape == (48, 64, 3)


def test_times_of_a_variable_frame_rate_are_the_true_ones(make_video: Callable[..., Path]) -> None:
    path = make_video(frames=8, block=False)
    scale = []

    def timescale(body: bytes) -> bytes:
        scale.append(struct.unpack('>I', body[12:16])[0])
        return body

    edit_mp4(path.read_bytes(), {b'mdhd': timescale})
    lengths = [1, 1, 3, 1, 2, 5, 1, 1]  # in 25ths of a second
    table = struct.pack('>II', 0, len(lengths))
    table += b''.join(struct.pack('>II', 1, length * scale[0] // 25) for length in lengths)
    total = sum(lengths) * scale[0] // 25

    path.write_bytes(
        edit_mp4(
            path.read_bytes(),
            {
                b'stts': lambda _: table,
                b'mdhd': lambda body: body[:16] + struct.pack('>I', total) + body[20:],
                b'edts': lambda _: b'',
            },
        )
    )
    times = [frame.time for frame in read(path)]
    np.testing.assert_allclose(times, np.cumsum([0, *lengths[:-1]]) / 25, atol=2e-3)


def test_a_rotation_flag_is_obeyed(make_video: Callable[..., Path]) -> None:
    path = make_video(frames=3)
    upright = read(path)[0].image
    one = 1 << 16

    def turned(body: bytes) -> bytes:  # ISO 14496-12, tkhd version 0: the matrix is at byte 40
        return body[:40] + struct.pack('>9i', 0, one, 0, -one, 0, 0, 0, 0, 1 << 30) + body[76:]

    path.write_bytes(edit_mp4(path.read_bytes(), {b'tkhd': turned}))
    image = read(path)[0].image
    assert image.shape == (64, 48, 3)
    np.testing.assert_allclose(image.astype(int), cv2.rotate(upright, cv2.ROTATE_90_CLOCKWISE).astype(int), atol=3)


def test_start_end_and_stride_keep_the_frame_numbers(make_video: Callable[..., Path]) -> None:
    path = make_video(frames=21, block=False)
    frames = read(path, start=0.2, end=0.8, stride=4)
    assert [frame.index for frame in frames] == [5, 9, 13, 17]
    assert brightness(frames) == [5, 9, 13, 17]
    np.testing.assert_allclose([frame.time for frame in frames], np.array([5, 9, 13, 17]) / 25, atol=1e-3)


@pytest.mark.parametrize('options', [{'stride': 0}, {'start': -1}, {'start': 2, 'end': 2}])
def test_impossible_ranges_are_refused(make_video: Callable[..., Path], options: dict) -> None:
    with pytest.raises(ValueError, match='must'):
        open_video(make_video(), **options)


def test_a_video_that_breaks_off_keeps_what_was_read(make_video: Callable[..., Path]) -> None:
    path = make_video('clip.avi', frames=40)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with open_video(path) as video:
        frames = list(video)
    assert 10 < len(frames) < 40
    assert video.problem is not None
    assert f'breaks off after frame {len(frames)} of 40' in video.problem


def test_an_mp4_with_its_index_first_breaks_off_too(make_video: Callable[..., Path]) -> None:
    path = make_video(frames=60)
    data = path.read_bytes()
    parts, position = {}, 0
    while position < len(data):
        length, kind = struct.unpack('>I4s', data[position : position + 8])
        parts[kind] = data[position : position + length]
        position += length
    shift = len(parts[b'moov'])

    def moved(body: bytes) -> bytes:
        count = struct.unpack('>I', body[4:8])[0]
        offsets = struct.unpack(f'>{count}I', body[8:])
        return body[:8] + struct.pack(f'>{count}I', *(offset + shift for offset in offsets))

    first = b''.join(parts[kind] for kind in parts if kind not in (b'moov', b'mdat'))
    whole = first + edit_mp4(parts[b'moov'], {b'stco': moved}) + parts[b'mdat']
    path.write_bytes(whole)
    assert len(read(path)) == 60
    path.write_bytes(whole[: len(whole) - len(parts[b'mdat']) // 2])
    with open_video(path) as video:
        assert 10 < len(list(video)) < 60
    assert 'cut off' in str(video.problem)


def test_whole_videos_have_no_problem(make_video: Callable[..., Path]) -> None:
    for name, frames in (('one.mp4', 1), ('a.mp4', 30), ('a.avi', 30)):
        path = make_video(name, frames=frames)
        with open_video(path) as video:
            assert len(list(video)) == frames
        assert video.problem is None
        assert whole(path, sniff(path)) == (True, '')


@pytest.mark.parametrize(
    'name', ['with space.mp4', 'it\'s "quoted".mp4', 'Übung-动作.mp4', '%03d.mp4', '-dash.mp4', 'a:b.mp4']
)
def test_odd_names_are_just_names(make_video: Callable[..., Path], name: str) -> None:
    assert len(read(make_video(name, frames=4))) == 4


def test_odd_sizes(tmp_path: Path) -> None:
    for height, width in ((51, 97), (3, 17), (1, 1)):
        folder = write_images(tmp_path / f'{width}', ['f0.png', 'f1.png'], f0=(height, width, 3), f1=(height, width, 3))
        assert [frame.image.shape for frame in read(folder)] == [(height, width, 3)] * 2


def write_images(folder: Path, names: list[str], **shapes: tuple[int, ...]) -> Path:
    folder.mkdir()
    for number, name in enumerate(names):
        shape = shapes.get(Path(name).stem, (20, 30, 3))
        cv2.imwrite(str(folder / name), np.full(shape, 30 + 8 * number, np.uint8))
    return folder


def test_a_folder_of_numbered_images_is_a_video(tmp_path: Path) -> None:
    folder = write_images(tmp_path / 'images', ['f_9.png', 'f_10.png', 'f_11.png'])
    (folder / 'notes.txt').write_text('not a frame')
    (folder / 'cover.png').write_bytes(b'')
    frames = read(folder, image_fps=10)
    assert brightness(frames) == [0, 1, 2]
    assert [frame.time for frame in frames] == pytest.approx([0, 0.1, 0.2])
    assert [path.name for path in numbered_images(folder)] == ['f_9.png', 'f_10.png', 'f_11.png']


def test_grey_alpha_and_changing_sizes_become_one_size_in_bgr(tmp_path: Path) -> None:
    folder = write_images(
        tmp_path / 'images',
        ['f0.png', 'f1.png', 'f2.png', 'f3.png'],
        f1=(20, 30),
        f2=(20, 30, 4),
        f3=(40, 90, 3),
    )
    with open_video(folder) as video:
        frames = list(video)
    assert {frame.image.shape for frame in frames} == {(20, 30, 3)}
    assert brightness(frames) == [0, 1, 2, 3]
    assert video.notes == ['frame 3 is 90x40; scaled to 30x20']


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        (b'', '0 bytes'),
        (b'just text, for sure\n' * 20, 'not a video'),
        (b'\x00\x00\x00\x18ftypisom' + b'\x00' * 12, 'moov'),
        (os.urandom(2000), 'not a video'),
    ],
)
def test_what_is_no_video_is_an_error_with_its_name(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / 'broken.mp4'
    path.write_bytes(content)
    with pytest.raises(VideoError, match=f'broken.mp4.*{reason}'):
        open_video(path)
    with pytest.raises(VideoError, match='no such file'):
        open_video(tmp_path / 'missing.mp4')


def test_a_damaged_file_writes_nothing_to_the_screen(tmp_path: Path) -> None:
    (tmp_path / 'broken.mp4').write_bytes(b'\x00\x00\x00\x18ftypisom' + b'\x00' * 500)
    code = (
        'import sys; from bmoe_ground.video import open_video, VideoError\n'
        'try: open_video(sys.argv[1])\n'
        'except VideoError: print("refused")'
    )
    done = subprocess.run([sys.executable, '-c', code, str(tmp_path / 'broken.mp4')], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ('refused\n', '')
