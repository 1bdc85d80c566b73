from __future__ import annotations

import os
import resource
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.lib import format as npy

from bmoe_ground.errors import UserError
from bmoe_ground.npz import MAX_ENTRIES, load_npy, load_npz


def header(text: str) -> bytes:
    """An array's header with whatever text."""
    raw = text.encode()
    return b'\x93NUMPY\x01\x00' + len(raw).to_bytes(2, 'little') + raw


def write(path: Path, entries: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, 'w', kind) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def test_arrays_come_back(tmp_path: Path) -> None:
    arrays = {'a': np.arange(6).reshape(2, 3), 'b': np.asfortranarray(np.ones((3, 2), np.float16)), 'c': np.array('ü')}
    np.savez_compressed(tmp_path / 'x.npz', **arrays)
    loaded = load_npz(tmp_path / 'x.npz')
    assert loaded.keys() == arrays.keys()
    for key, array in arrays.items():
        np.testing.assert_array_equal(loaded[key], array)
        assert loaded[key].dtype == array.dtype


@pytest.mark.parametrize(
    'text',
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), ",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n'''",  # numpy's tokenizer runs out of text
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (" + '9' * 400 + ',), }',
        "{'descr': " + '[' * 900 + ']' * 900 + '}',
        '(' * 9000,
        '\x00',
        'x.y',
        '',
    ],
)
def test_odd_headers(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / 'odd.npz', {'a.npy': header(text) + b'\0' * 4})
    with pytest.raises(UserError, match=r'odd\.npz'):
        load_npz(path)


def bomb(path: Path, size: int) -> None:
    """An array of ``size`` zeros in a thousandth of that."""
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive, archive.open('a.npy', 'w') as file:
        npy.write_array_header_1_0(file, {'descr': '|u1', 'fortran_order': False, 'shape': (size,)})
        for _ in range(size // 2**20):
            file.write(bytes(2**20))


def test_bombs_are_refused_before_they_unpack(tmp_path: Path) -> None:
    bomb(tmp_path / 'bomb.npz', 400 * 2**20)
    assert (tmp_path / 'bomb.npz').stat().st_size < 2**20
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(UserError, match=r'bomb\.npz: would unpack to 0\.4 GiB'):
        load_npz(tmp_path / 'bomb.npz')
    assert time.monotonic() - started < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024  # KiB


def test_many_small_parts_count_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('bmoe_ground.npz._ROOM', 10_000)
    monkeypatch.setattr('bmoe_ground.npz._RATIO', 1)
    np.savez_compressed(tmp_path / 'x.npz', **{f'a{i}': np.zeros(1000, np.uint8) for i in range(30)})
    with pytest.raises(UserError, match='would unpack'):
        load_npz(tmp_path / 'x.npz')


def test_other_entries_and_files(tmp_path: Path) -> None:
    good = header("{'descr': '|u1', 'fortran_order': False, 'shape': (0,), }")
    for entries in ({'readme.txt': b''}, {f'{i}.npy': good for i in range(MAX_ENTRIES + 1)}):
        with pytest.raises(UserError, match=r'x\.npz'):
            load_npz(write(tmp_path / 'x.npz', entries))
    for name, raw in {'empty': b'', 'text': b'hello', 'npy': good, 'zip': b'PK\x05\x06' + bytes(18)[:3]}.items():
        (tmp_path / name).write_bytes(raw)
        with pytest.raises(UserError, match=name):
            load_npz(tmp_path / name)
    with pytest.raises(UserError, match='no such file'):
        load_npz(tmp_path / 'none.npz')
    os.mkfifo(tmp_path / 'pipe.npz')
    for path in (tmp_path, tmp_path / 'pipe.npz'):
        with pytest.raises(UserError, match='cannot be read'):
            load_npz(path)


def test_a_check_speaks_in_the_file_s_name(tmp_path: Path) -> None:
    np.savez(tmp_path / 'x.npz', a=np.ones(3))

    def check(headers: dict) -> None:
        assert headers == {'a': ((3,), np.dtype('f8'))}
        raise ValueError('b: missing')

    with pytest.raises(UserError, match=r'x\.npz: b: missing'):
        load_npz(tmp_path / 'x.npz', check=check)


def test_encrypted_and_unknown_compression(tmp_path: Path) -> None:
    np.savez(tmp_path / 'x.npz', a=np.ones(3))
    raw = bytearray((tmp_path / 'x.npz').read_bytes())
    central = raw.rindex(b'PK\x01\x02')
    for offset, value in ((8, 1), (10, 99)):  # flags of the entry; its method
        changed = bytearray(raw)
        changed[central + offset] = value
        (tmp_path / 'y.npz').write_bytes(changed)
        with pytest.raises(UserError, match=r'y\.npz'):
            load_npz(tmp_path / 'y.npz')


def test_one_array(tmp_path: Path) -> None:
    array = np.arange(6.0).reshape(2, 3)
    np.save(tmp_path / 'x.npy', array)
    np.testing.assert_array_equal(load_npy(tmp_path / 'x.npy'), array)
    np.savez(tmp_path / 'several.npy.npz', a=array)
    np.save(tmp_path / 'objects.npy', np.array([{}], object), allow_pickle=True)
    huge = header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }") + bytes(64)
    files = {
        'huge': huge,
        'token': header("{'descr': '''"),
        'empty': b'',
        'cut': (tmp_path / 'x.npy').read_bytes()[:-1],
    }
    for name, raw in files.items():
        (tmp_path / f'{name}.npy').write_bytes(raw)
    for name in ('several.npy.npz', 'objects.npy', 'none.npy', *(f'{name}.npy' for name in files)):
        with pytest.raises(UserError, match=name):
            load_npy(tmp_path / name)
