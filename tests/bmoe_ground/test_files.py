from __future__ import annotations

import os
from pathlib import Path

import pytest

from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write, file_digest, remove_remains


def test_makes_folders_and_writes(tmp_path: Path) -> None:
    path = tmp_path / 'a' / 'b.bin'
    with atomic_write(path) as file:
        file.write(b'abc')
        assert not path.exists()
    assert path.read_bytes() == b'abc'
    assert list(path.parent.iterdir()) == [path]


def test_mode_follows_the_umask(tmp_path: Path) -> None:
    previous = os.umask(0o027)
    try:
        with atomic_write(tmp_path / 'f') as file:
            file.write(b'x')
    finally:
        os.umask(previous)
    assert (tmp_path / 'f').stat().st_mode & 0o777 == 0o640


def test_an_error_inside_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / 'f'
    path.write_bytes(b'old')
    with pytest.raises(RuntimeError, match='stop'), atomic_write(path) as file:
        file.write(b'new')
        raise RuntimeError('stop')
    assert path.read_bytes() == b'old'
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_the_way_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / 'f').mkdir()
    with pytest.raises(UserError, match='cannot be written'), atomic_write(tmp_path / 'f') as file:
        file.write(b'x')
    assert list(tmp_path.iterdir()) == [tmp_path / 'f']


def test_a_file_as_folder_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / 'f').write_bytes(b'')
    with pytest.raises(UserError, match='cannot be written'), atomic_write(tmp_path / 'f' / 'g') as file:
        file.write(b'x')


def test_file_digest(tmp_path: Path) -> None:
    (tmp_path / 'abc').write_bytes(b'abc')
    assert (
        file_digest(tmp_path / 'abc') == 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    )  # FIPS 180-2
    with pytest.raises(UserError, match='gone: cannot be read'):
        file_digest(tmp_path / 'gone')


def test_remains_of_killed_processes_go_once_nobody_can_be_writing_them(tmp_path: Path) -> None:
    (tmp_path / 'a/b').mkdir(parents=True)
    old, young, other = (tmp_path / name for name in ('a/b/.part-old', 'a/.part-young', 'a/notes.txt'))
    for path in (old, young, other):
        path.write_text('x')
    for path in (old, other):
        os.utime(path, (0, 0))
    remove_remains(tmp_path)
    assert [path.exists() for path in (old, young, other)] == [False, True, True]
