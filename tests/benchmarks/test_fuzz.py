from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from benchmarks.fuzz import READERS, try_bytes


@pytest.mark.parametrize('reader', READERS)
def test_bytes_are_read_or_refused(reader: str, tmp_path: Path) -> None:
    assert not try_bytes(reader, b'nothing of the kind', tmp_path / 'x')


def test_sound_bytes_are_read(tmp_path: Path) -> None:
    assert try_bytes('pickle', pickle.dumps({'a': [1]}), tmp_path / 'x')
    assert try_bytes('manifest', json.dumps({'videos': []}).encode(), tmp_path / 'x')
