from __future__ import annotations

import struct
from pathlib import Path

import pytest
from video_files import edit_mp4, encode, write_video

from bmoe_ground.video import VideoError, open_video
from bmoe_ground.video.containers import MP4, sniff, whole
from bmoe_ground.video.streams import has_sound, video_stream


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A video that a hostile file names."""
    return write_video(tmp_path / 'other.mp4', 8)


HOSTILE = {
    'HLS': '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{other}\n#EXT-X-ENDLIST\n',
    'HLS with a mark': '\ufeff#EXTM3U\n#EXTINF:1,\n{other}\n',
    'ffconcat': "ffconcat version 1.0\nfile '{other}'\n",
    'DASH': '<?xml version="1.0"?><MPD><BaseURL>{other}</BaseURL></MPD>',
    'SDP': 'v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n',
    'ASX': '<asx version="3.0"><entry><ref href="{other}"/></entry></asx>',
    'ASF reference': '[Reference]\nRef1=http://127.0.0.1:9/x\n',
    'RTSP': 'RTSPtext\nrtsp://127.0.0.1:9/x\n',
    'address': 'http://127.0.0.1:9/x.mp4\n',
    'path': '{other}\n',
    'subtitles': '1\n00:00:00,000 --> 00:00:01,000\n{other}\n',
    'script': '#!/bin/sh\ncat {other}\n',
}


@pytest.mark.parametrize('suffix', ['.mp4', '.avi', '.mkv', '.ts', '.mpg', '.mjpeg'])
@pytest.mark.parametrize('kind', HOSTILE)
def test_what_names_other_files_is_refused(tmp_path: Path, other: Path, kind: str, suffix: str) -> None:
    path = tmp_path / f'x{suffix}'
    path.write_text(HOSTILE[kind].format(other=other), encoding='utf-8')
    assert sniff(path) is None
    with pytest.raises(VideoError, match='not a video') as caught:
        open_video(path)
    if kind in ('HLS', 'HLS with a mark', 'ffconcat', 'DASH', 'SDP', 'ASX', 'RTSP', 'address'):
        assert 'what a file names is never opened' in str(caught.value)


@pytest.mark.parametrize('kind', HOSTILE)
def test_pyav_is_held_to_the_container_too(tmp_path: Path, other: Path, kind: str) -> None:
    pytest.importorskip('av')
    from bmoe_ground.video.decoders import PyAVDecoder

    path = tmp_path / 'x.mp4'
    path.write_text(HOSTILE[kind].format(other=other), encoding='utf-8')
    with pytest.raises(OSError, match=r'x\.mp4'):
        PyAVDecoder(path, MP4)


def test_quicktime_reference_movies_are_refused(tmp_path: Path, other: Path) -> None:
    def elsewhere(_: bytes) -> bytes:
        address = f'file://{other}'.encode() + b'\0'
        entry = struct.pack('>I4sI', 12 + len(address), b'url ', 0) + address
        return struct.pack('>II', 0, 1) + entry

    path = tmp_path / 'reference.mov'
    path.write_bytes(edit_mp4(other.read_bytes(), {b'dref': elsewhere}))
    assert video_stream(path, MP4).external
    assert not video_stream(other, MP4).external
    with pytest.raises(VideoError, match='its pictures lie in another file'):
        open_video(path)
    rmra = struct.pack('>I4s', 16, b'rmda') + struct.pack('>I4s', 8, b'rdrf')
    rmra = struct.pack('>I4s', 8 + len(rmra), b'rmra') + rmra
    path.write_bytes(struct.pack('>I4s', 8 + len(rmra), b'moov') + rmra)
    with pytest.raises(VideoError, match='its pictures lie in another file'):
        open_video(path)


@pytest.mark.parametrize(
    'magic', [b'\xff\xd8\xff', b'\0\0\1\xba', b'\0\0\1\xb3', b'G' + b'x' * 187 + b'G' + b'x' * 187]
)
@pytest.mark.parametrize(
    'rest', ['<MPD profiles="dash:profile:isoff-on-demand">{other}</MPD>', 'v=0\nc=IN IP4 1.1.1.1']
)
def test_a_manifest_behind_a_few_bytes_of_video_is_none(tmp_path: Path, other: Path, magic: bytes, rest: str) -> None:
    path = tmp_path / 'x.mp4'
    path.write_bytes(magic)
    assert sniff(path) is not None
    path.write_bytes(magic + b'\n' + rest.format(other=other).encode() * 9)
    with pytest.raises(VideoError, match='not a video'):
        open_video(path)


def test_a_name_that_is_a_pattern_opens_no_other_file(tmp_path: Path) -> None:
    pytest.importorskip('av')
    for t in range(3):
        encode(tmp_path / f'{t:03d}.gif.avi', 'mpeg4', range(5)).rename(tmp_path / f'{t:03d}.gif')
    path = encode(tmp_path / 'own.avi', 'mpeg4', range(9)).rename(tmp_path / '%03d.gif')
    with open_video(path) as video:
        assert len(list(video)) == 9
    (tmp_path / '%03d.gif').write_bytes(b'GIF89a')
    with pytest.raises(VideoError):
        open_video(tmp_path / '%03d.gif')


@pytest.mark.parametrize(
    ('name', 'codec', 'container'),
    [
        ('a.mp4', 'libx264', None),
        ('a.mov', 'libx264', None),
        ('a.3gp', 'libx264', None),
        ('a.mkv', 'libx264', None),
        ('a.webm', 'libvpx-vp9', None),
        ('a.avi', 'mpeg4', None),
        ('a.wmv', 'wmv2', None),
        ('a.flv', 'flv', None),
        ('a.ts', 'mpeg2video', None),
        ('a.m2ts', 'mpeg2video', 'mpegts'),
        ('a.mpg', 'mpeg2video', 'vob'),
        ('es.mpg', 'mpeg1video', 'mpeg1video'),
    ],
)
def test_every_container_is_known_by_its_bytes_and_cut_ones_are_told(
    tmp_path: Path, name: str, codec: str, container: str | None
) -> None:
    pytest.importorskip('av')
    path = encode(tmp_path / name, codec, range(50), container=container)
    kind = sniff(path)
    assert kind is not None
    misnamed = path.rename(path.with_suffix('.mp4'))  # a wrong suffix is no obstacle
    with open_video(misnamed) as video:
        frames = list(video)
    assert len(frames) == 50
    assert video.problem is None
    assert whole(misnamed, kind)[0] in (True, None)
    tells = whole(misnamed, kind)[0]
    data = misnamed.read_bytes()
    misnamed.write_bytes(data[: len(data) * 7 // 10 + 1])
    if tells or path.suffix == '.ts':
        assert whole(misnamed, kind)[0] is False
        assert 'cut off' in whole(misnamed, kind)[1]


def test_sound_is_seen(tmp_path: Path) -> None:
    pytest.importorskip('av')
    for name, codec in (('a.mkv', 'libx264'), ('a.flv', 'flv'), ('a.wmv', 'wmv2')):
        for sound in (0, 1):
            path = encode(tmp_path / name, codec, sound=sound)
            kind = sniff(path)
            assert kind is not None
            assert has_sound(path, kind) == bool(sound)


@pytest.mark.parametrize(
    ('head', 'reason'), [(b'', '0 bytes'), (bytes(3000), 'zeros'), (b'hello world ' * 9, 'first bytes|begins as no')]
)
def test_other_bytes_are_no_video(tmp_path: Path, head: bytes, reason: str) -> None:
    path = tmp_path / 'x.mp4'
    path.write_bytes(head)
    with pytest.raises(VideoError, match=reason):
        open_video(path)
