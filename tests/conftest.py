"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
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


@pytest.fixture(autouse=True)
def own_scope() -> Iterator[None]:
    """A command that a test runs in this process sets mmengine's default scope: it is not left to other tests."""
    before = dict(DefaultScope._instance_dict)
    yield
    DefaultScope._instance_dict.clear()
    DefaultScope._instance_dict.update(before)
