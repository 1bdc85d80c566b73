from __future__ import annotations

from pathlib import Path

import pytest

from bmoe_ground.errors import UserError
from bmoe_ground.folders import walk_files


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('')
    return path


def names(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in walk_files(root)]


def test_links_are_followed_once_and_never_in_circles(tmp_path: Path) -> None:
    root = tmp_path / 'root'
    touch(root / 'm' / 'a.jpg')
    touch(tmp_path / 'outside' / 'deep' / 'b.jpg')
    (root / 'a_link').symlink_to(root / 'm')  # what truly lies here comes first
    (root / 'x').symlink_to(tmp_path / 'outside')
    (root / 'y').symlink_to(tmp_path / 'outside' / 'deep')
    (tmp_path / 'outside' / 'back').symlink_to(tmp_path / 'outside')
    (root / 'm' / 'up').symlink_to(root)
    assert names(root) == ['m/a.jpg', 'x/deep/b.jpg']
    (tmp_path / 'door').symlink_to(root)
    assert names(tmp_path / 'door') == ['m/a.jpg', 'x/deep/b.jpg']
    assert names(root / 'm') == ['a.jpg']  # its link upwards would bring in the other folders


def test_hidden_files_and_folders_of_programs_do_not_count(tmp_path: Path) -> None:
    for name in ('.DS_Store', '._a.jpg', '.git/a.jpg', '__MACOSX/a.jpg', 'b/a.jpg'):
        touch(tmp_path / name)
    (tmp_path / 'gone.jpg').symlink_to(tmp_path / 'nowhere')
    assert names(tmp_path) == ['b/a.jpg', 'gone.jpg']


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='none: no such folder'):
        walk_files(tmp_path / 'none')
