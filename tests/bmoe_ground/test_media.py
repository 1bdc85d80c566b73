from __future__ import annotations

from pathlib import Path

from bmoe_ground.media import GIF, IMAGE_SUFFIXES, VIDEO_SUFFIXES, media_of, suffix_of


def test_kinds() -> None:
    assert not IMAGE_SUFFIXES & VIDEO_SUFFIXES
    assert GIF not in IMAGE_SUFFIXES | VIDEO_SUFFIXES
    assert all(suffix == suffix.lower() and suffix.startswith('.') for suffix in IMAGE_SUFFIXES | VIDEO_SUFFIXES)
    assert media_of('x/A.JPEG') == 'image'
    assert media_of(Path('x.tar.MkV')) == 'video'
    assert (media_of('a.gif'), media_of('a.gif', gif='video')) == ('image', 'video')
    assert [media_of(name) for name in ('a.npz', 'mp4', '.mp4', '')] == [None] * 4


def test_blanks_and_dots_behind_the_suffix_do_not_count() -> None:
    assert [media_of(name) for name in ('clip.MP4. ', 'a.jpg\n', 'b. ')] == ['video', 'image', None]
    assert suffix_of(Path('x/clip.MOV ')) == '.mov'
