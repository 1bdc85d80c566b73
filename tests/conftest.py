"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]


@pytest.fixture(scope='session')
def shared_data() -> Path:
    """The folder of real data beside the repository; a test that asks for it is skipped where it is absent."""
    folder = Path(os.environ.get('SHARED_DATA', REPO.parent / 'shared' / 'data'))
    if not folder.is_dir():
        pytest.skip(f'real data not found: {folder} (set SHARED_DATA to its folder)')
    return folder
