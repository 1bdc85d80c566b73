from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path

import pytest

from benchmarks.fuzz import READERS, keep, try_bytes

CORPORA = Path(__file__).resolve().parents[1] / 'data' / 'fuzz'


@pytest.mark.parametrize('reader', READERS)
def test_bytes_are_read_or_refused(reader: str, tmp_path: Path) -> None:
    assert not try_bytes(reader, b'nothing of the kind', tmp_path / 'x')


def test_sound_bytes_are_read(tmp_path: Path) -> None:
    assert try_bytes('pickle', pickle.dumps({'a': [1]}), tmp_path / 'x')
    assert try_bytes('manifest', json.dumps({'videos': []}).encode(), tmp_path / 'x')


@pytest.mark.parametrize('reader', READERS)
def test_what_fuzzing_found_is_read_or_refused(reader: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(CORPORA / f'{reader}.zip') as archive:
        ends = [try_bytes(reader, archive.read(name), tmp_path / 'x') for name in archive.namelist()]
    assert len(ends) > 20 and set(ends) == {False, True}


def test_files_that_lead_nowhere_new_are_not_kept(tmp_path: Path) -> None:
    contents = [b'nothing', b'no more', pickle.dumps([1]), pickle.dumps([2]), pickle.dumps({'a': [1]})]
    (tmp_path / 'corpus').mkdir()
    for number, content in enumerate(contents):
        (tmp_path / 'corpus' / str(number)).write_bytes(content)
    assert keep('pickle', [tmp_path / 'corpus'], tmp_path / 'kept.zip') == 3
    with zipfile.ZipFile(tmp_path / 'kept.zip') as archive:
        assert contents[4] in [archive.read(name) for name in archive.namelist()]
