"""Fixtures shared by all tests."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mmengine.registry import DefaultScope

pytest_plugins = ['own_layout', 'pose_fixtures']
REPO = Path(__file__).resolve().parents[1]


@pytest.fixture(scope='session')
def shared_data() -> Path:
    """The folder of real data beside the repository; a test that asks for it is skipped where it is absent."""
    folder = Path(os.environ.get('SHARED_DATA', REPO.parent / 'shared' / 'data'))
    if not folder.is_dir():
        pytest.skip(f'real data not found: {folder} (set SHARED_DATA to its folder)')
    return folder


Once = Callable[[str, Callable[[Path], object]], Path]
"""Name and maker of a folder -> the folder."""


@pytest.fixture(scope='session')
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Make a folder once for all processes that share the suite: what takes long to make, and no test changes."""
    mine = tmp_path_factory.getbasetemp()
    shared = (mine.parent if 'PYTEST_XDIST_WORKER' in os.environ else mine) / 'once'
    shared.mkdir(exist_ok=True)

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = shared / name, shared / f'{name}.done'
        with (shared / f'{name}.lock').open('w') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # who comes while it is made waits
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of a maker that failed
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(autouse=True)
def own_scope() -> Iterator[None]:
    """A command that a test runs in this process sets mmengine's default scope: it is not left to other tests."""
    before = dict(DefaultScope._instance_dict)
    yield
    DefaultScope._instance_dict.clear()
    DefaultScope._instance_dict.update(before)
