from __future__ import annotations

import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from video_files import PERIOD, damage_frames, edit_mp4, encode, levels, write_video

from bmoe_ground.video import VideoError, VideoReader, open_video
from bmoe_ground.video.reader import FileReader


def read(path: Path, **options) -> tuple[VideoReader, list]:
    with open_video(path, **options) as video:
        return video, list(video)


@pytest.mark.parametrize(
    'damaged', [[7], [0], [19], [0, 1, 2], [17, 18, 19], [3, 9, 10, 11], list(range(1, 20)), list(range(19))]
)
@pytest.mark.parametrize('suffix', ['.avi'])
def test_damaged_frames_keep_their_place_wherever_they_are(tmp_path: Path, damaged: list[int], suffix: str) -> None:
    path = damage_frames(write_video(tmp_path / f'v{suffix}', 20), damaged)
    video, frames = read(path)
    good = [t for t in range(20) if t not in damaged]
    assert [frame.index for frame in frames] == good
    assert levels(frame.image for frame in frames) == good
    np.testing.assert_allclose([frame.time for frame in frames], np.array(good) / 25, atol=1e-3)
    assert [step.index for step in video.lost] == damaged
    np.testing.assert_allclose([step.time for step in video.lost], np.array(damaged) / 25, atol=1e-3)
    assert video.frames_read == 20
    assert video.problem is not None
    assert f'{damaged[0]}' in video.problem
    assert 'cannot be decoded' in video.problem


def test_steps_give_the_whole_time_axis_and_stride_counts_damaged_frames(tmp_path: Path) -> None:
    path = damage_frames(write_video(tmp_path / 'v.avi', 20), [4, 5])
    with open_video(path, start=0.08, end=0.6, stride=2) as video:
        steps = list(video.steps())
    assert [step.index for step in steps] == [2, 4, 6, 8, 10, 12, 14]
    assert [step.image is None for step in steps] == [False, True, False, False, False, False, False]


def test_only_the_wanted_frames_are_given(tmp_path: Path) -> None:
    path = damage_frames(write_video(tmp_path / 'v.avi', 20), [4])
    video, frames = read(path, only=[3, 4, 5, 11])
    assert [frame.index for frame in frames] == [3, 5, 11] == levels(frame.image for frame in frames)
    assert [step.index for step in video.lost] == [4]


def test_a_file_of_which_nothing_decodes_is_damaged(tmp_path: Path) -> None:
    path = damage_frames(write_video(tmp_path / 'v.avi', 20), range(20))
    with pytest.raises(VideoError, match=r'v.avi: .*damaged: .*can decode .* of its 20 frames'):
        open_video(path)


def test_the_three_ways_to_be_short_are_told_apart(tmp_path: Path) -> None:
    cut = write_video(tmp_path / 'cut.avi', 40)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size * 6 // 10])
    video, frames = read(cut)
    assert video.problem is not None
    assert f'breaks off after frame {len(frames)} of 40 announced (cut off: ' in video.problem
    video, _ = read(damage_frames(write_video(tmp_path / 'bad.avi', 40), [3]))
    assert video.problem == 'frame 3 of 40 cannot be decoded and is empty'
    short = write_video(tmp_path / 'short.avi', 20)
    data = short.read_bytes()  # the counts in the main and in the stream header
    place = data.index(b'avih') + 8 + 16
    data = data[:place] + struct.pack('<I', 40) + data[place + 4 :]
    place = data.index(b'strh') + 8 + 32
    short.write_bytes(data[:place] + struct.pack('<I', 40) + data[place + 4 :])
    video, frames = read(short)
    assert len(frames) == 20
    assert video.problem is None
    assert video.notes == [
        'shows 20 frames where its header announces 40: trimmed without encoding it anew, or a header that is wrong; '
        'nothing of it is missing'
    ]


def with_edit_list(data: bytes, start: int, length: float) -> bytes:
    """Show an MP4's media from a frame (of 25 a second) on, for some seconds."""
    scales: dict[str, int] = {}

    def keep(name: str):
        def look(body: bytes) -> bytes:
            scales[name] = struct.unpack('>I', body[12:16])[0]
            return body

        return look

    edit_mp4(data, {b'mvhd': keep('movie'), b'mdhd': keep('media')})
    entry = struct.pack('>IIIiI', 0, 1, round(length * scales['movie']), round(start * scales['media'] / 25), 1 << 16)
    edits = struct.pack('>I4s', len(entry) + 8, b'elst') + entry
    return edit_mp4(
        edit_mp4(data, {b'edts': lambda _: b''}),
        {b'trak': lambda body: body[: 8 + 84] + struct.pack('>I4s', len(edits) + 8, b'edts') + edits + body[92:]},
    )


@pytest.mark.parametrize(('start', 'shown'), [(12, 24), (0, 20), (12, 12)])
def test_a_clip_trimmed_by_its_edit_list_is_whole(tmp_path: Path, start: int, shown: int) -> None:
    path = write_video(tmp_path / 'v.mp4', 36)
    path.write_bytes(with_edit_list(path.read_bytes(), start, shown / 25))
    video, frames = read(path)
    assert video.problem is None
    assert len(frames) == pytest.approx(shown, abs=1)  # whether the frame at the very end is shown, FFmpeg decides
    assert levels(frame.image for frame in frames) == [(start + t) % PERIOD for t in range(len(frames))]
    assert not video.lost


def test_times_of_a_variable_rate_are_the_container_s_and_nothing_is_missing(tmp_path: Path) -> None:
    pytest.importorskip('av')
    times = [0, 1, 2, 3, 10, 11, 30, 60, 61, 100]
    path = encode(tmp_path / 'v.mkv', 'libx264', times)
    video, frames = read(path)
    np.testing.assert_allclose([frame.time for frame in frames], np.array(times) / 25, atol=1e-3)
    assert (video.problem, video.lost) == (None, [])
    assert isinstance(video, FileReader)
    assert video.count() == 10


def test_sound_that_outlasts_the_pictures_is_no_break(tmp_path: Path) -> None:
    pytest.importorskip('av')
    video, frames = read(encode(tmp_path / 'v.mkv', 'libx264', range(20), sound=4))
    assert len(frames) == 20
    assert video.problem is None
    assert 'its pictures end after 0.80 s' in video.notes[0]
    silent = encode(tmp_path / 's.mkv', 'libx264', range(60))
    silent.write_bytes(silent.read_bytes()[: silent.stat().st_size // 2])
    assert 'breaks off' in str(read(silent)[0].problem)


@pytest.mark.parametrize('name', ['a.mp4', 'a.mkv', 'a.webm'])
def test_av1_is_read_by_pyav(tmp_path: Path, name: str) -> None:
    pytest.importorskip('av')
    video, frames = read(encode(tmp_path / name, 'libsvtav1'))
    assert levels(frame.image for frame in frames) == list(range(20))
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(20) / 25, atol=1e-3)
    assert video.problem is None
    assert video.library.startswith('PyAV ') or video.library.startswith('OpenCV ')  # whichever has the codec


@pytest.mark.parametrize('name', ['a.mp4', 'a.mkv'])
def test_without_pyav_the_codec_and_the_way_out_are_named(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip('av')
    path = encode(tmp_path / name, 'libsvtav1')
    monkeypatch.setitem(sys.modules, 'av', None)
    try:
        with open_video(path) as video:
            assert video.library.startswith('OpenCV')
    except VideoError as error:
        assert 'no decoder for its codec AV1' in str(error)
        assert 'pip install av' in str(error)
        assert 'damaged' not in str(error)
        assert '\n' not in str(error)


def test_odd_names_are_read(tmp_path: Path) -> None:
    import os

    plain = write_video(tmp_path / 'plain name.mp4', 5).read_bytes()
    for name in (b'\xff\xfe bytes.mp4', b'a\nb.mp4', b'%03d.mp4', b'http:.mp4', b'concat:x.mp4', b'x' * 251 + b'.mp4'):
        path = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))
        path.write_bytes(plain)
        assert len(read(path)[1]) == 5


def test_a_relative_path_below_a_folder_called_like_a_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_video(tmp_path / 'http:' / 'host' / 'v.mp4', 4)
    monkeypatch.chdir(tmp_path)
    assert len(read(Path('http:/host/v.mp4'))[1]) == 4


SOUND: list[tuple[str, str, str | None]] = [
    ('a.mp4', 'libx264', None), ('a.mkv', 'libx264', None), ('a.webm', 'libvpx-vp9', None), ('a.avi', 'mpeg4', None),
    ('a.ts', 'libx264', None), ('a.flv', 'flv', None), ('a.wmv', 'wmv2', None), ('a.mpg', 'mpeg2video', 'vob'),
    ('av1.mp4', 'libsvtav1', None),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(('name', 'codec', 'container'), SOUND)
def test_mutations_end_in_frames_or_in_the_documented_error(
    tmp_path: Path, name: str, codec: str, container: str | None
) -> None:
    pytest.importorskip('av')
    path = encode(tmp_path / name, codec, range(40), container=container)
    data = np.frombuffer(path.read_bytes(), np.uint8)
    random = np.random.default_rng(0)
    for _ in range(40):
        mutant = data.copy()
        first, length = int(random.integers(len(data))), int(random.integers(1, len(data) // 8))
        match random.integers(4):
            case 0:
                mutant = mutant[:first]
            case 1:
                mutant[random.integers(0, len(data), 20)] = random.integers(0, 256, 20)
            case 2:
                mutant[first : first + length] = 0
            case _:
                mutant = np.delete(mutant, slice(first, first + length))
        path.write_bytes(mutant.tobytes())
        try:
            video, frames = read(path)
        except VideoError as error:
            assert str(path) in str(error)
            continue
        assert (np.diff([frame.time for frame in frames]) > 0).all()
        assert len(frames) + len(video.lost) == video.frames_read < 200
        assert isinstance(video, FileReader)
        assert video.count() >= 0
