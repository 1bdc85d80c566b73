from __future__ import annotations

import os
from pathlib import Path

import pytest

from bmoe_ground.errors import UserError
from pose_extract.copies import Copies, folder_for_copies
from pose_extract.discovery import VideoItem
from pose_extract.stores import Store


@pytest.fixture(autouse=True)
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / 'tmp').mkdir()
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path / 'tmp'))
    return tmp_path / 'tmp'


def test_folders_of_the_dead_are_removed_and_those_of_the_living_are_not(top: Path) -> None:
    for name in ('bmoe-copies-dead', 'bmoe-copies-young', 'bmoe-copies-unlocked', 'of-others'):
        (top / name / 'video-1').mkdir(parents=True)
        (top / name / 'video-1/a.mp4').write_bytes(b'1')
        if name != 'bmoe-copies-unlocked':
            (top / name / 'lock').touch()
    with folder_for_copies() as living:
        for path in top.iterdir():
            if path.name != 'bmoe-copies-young':
                os.utime(path, (0, 0))
        with folder_for_copies() as folder:
            left = {path.name for path in top.iterdir()}
            kept = {'bmoe-copies-young', 'bmoe-copies-unlocked', 'of-others', living.name, folder.name}
            assert left == kept
    assert {path.name for path in top.iterdir()} == {'bmoe-copies-young', 'bmoe-copies-unlocked', 'of-others'}


def test_no_room_for_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path / 'missing'))
    with pytest.raises(UserError, match='missing: cannot be written: .*TMPDIR names another place'):
        folder_for_copies().__enter__()


def test_errors_name_the_video_by_its_url_and_the_copy_is_gone(tmp_path: Path) -> None:
    (tmp_path / 'a.mp4').write_bytes(b'123')
    copies = Copies(tmp_path / 'copies', Store(f'file://{tmp_path}'))
    item = VideoItem(Path('a.mp4'), 'a.mp4', 3, f'file://{tmp_path}/a.mp4', str(tmp_path / 'a.mp4'))
    for error, said in ((UserError, ''), (ValueError, 'ValueError: ')):
        with pytest.raises(UserError) as caught, copies.at_hand(item, tmp_path / 'out') as (near, out):
            assert (near.path.read_bytes(), out) == (b'123', tmp_path / 'out')
            raise error(f'{near.path}: is odd')
        assert str(caught.value) == f'{said}file://{tmp_path}/a.mp4: is odd'
        assert list((tmp_path / 'copies').iterdir()) == []
    with pytest.raises(ValueError, match='^something else$'), copies.at_hand(item, tmp_path / 'out'):
        raise ValueError('something else')
