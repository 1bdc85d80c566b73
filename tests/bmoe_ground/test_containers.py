from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from bmoe_ground.containers import broken_off


@pytest.mark.parametrize('name', ['a.mp4', 'a.avi'])
def test_a_file_that_loses_its_end_is_told_from_a_whole_one(make_video: Callable[..., Path], name: str) -> None:
    path = make_video(name, frames=30)
    assert broken_off(path) is None
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    assert 'cut off' in str(broken_off(path))


def test_boxes_by_hand(tmp_path: Path) -> None:
    path = tmp_path / 'x.mp4'
    head = struct.pack('>I4s', 16, b'ftyp') + b'isom' + bytes(4)
    path.write_bytes(head)
    assert broken_off(path) == 'cut off: the index (moov box) is missing'
    path.write_bytes(head + struct.pack('>I4s', 108, b'moov') + bytes(40))
    assert broken_off(path) == 'cut off: 64 bytes of 124 announced'
    path.write_bytes(head + struct.pack('>I4s', 8, b'moov'))
    assert broken_off(path) is None
    path.write_bytes(head + struct.pack('>I4s', 3, b'free') + bytes(8))
    assert broken_off(path) == 'damaged at byte 16'
    path.write_bytes(b'something else')
    assert broken_off(path) is None
