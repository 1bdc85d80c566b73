"""Every reader of a file that a stranger may have written, with its bytes and its fields changed: read, or UserError.

The readers of poses, tracks and manifests have ``tests/paths/test_mutations.py``; those of pickles, pictures, videos
and checkpoints ``tests/bmoe_ground/test_safe_pickle.py`` and ``tests/paths/test_hostile_files.py``. Values and texts of
every kind in the place of theirs are in ``tests/paths/test_any_content.py``.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from mutations import NESTED, ODD, hold, mutate_bytes, mutate_value
from readers import ARRAYS, TEXTS, VALUES, Read

from bmoe_ground.errors import UserError

COUNT = int(os.environ.get('MUTATIONS', '25'))


def held(path: Path, raw: bytes, read: Read, where: str) -> str:
    path.write_bytes(raw)
    return hold(lambda: read(path), UserError, where)


@pytest.mark.parametrize('kind', TEXTS)
def test_texts(tmp_path: Path, kind: str) -> None:
    name, text, read = TEXTS[kind]
    rng = np.random.default_rng(1)
    assert held(tmp_path / name, text.encode(), read, kind) == 'read'
    rows = [line.split(',') for line in text.split('\n')]
    for number in range(COUNT):
        held(tmp_path / name, mutate_bytes(text.encode(), rng), read, f'{kind} bytes {number}')
        cells = [row if isinstance(row, list) else [row] for row in mutate_value(rows, rng)]
        changed = '\n'.join(','.join(str(cell) for cell in row) for row in cells)
        held(tmp_path / name, changed.encode(errors='surrogatepass'), read, f'{kind} cells {number}')


@pytest.mark.parametrize('kind', VALUES)
def test_values(tmp_path: Path, kind: str) -> None:
    name, value, write, read = VALUES[kind]
    rng = np.random.default_rng(2)
    odd = [each for each in ODD if each is not NESTED or name != 'x.yaml']  # too deep for YAML's writer
    assert held(tmp_path / name, write(value), read, kind) == 'read'
    for number in range(COUNT):
        held(tmp_path / name, mutate_bytes(write(value), rng), read, f'{kind} bytes {number}')
        for _ in range(3):
            held(tmp_path / name, write(mutate_value(value, rng, odd)), read, f'{kind} fields {number}')


@pytest.mark.parametrize('kind', ARRAYS)
def test_arrays(tmp_path: Path, kind: str) -> None:
    array, read = ARRAYS[kind]
    rng = np.random.default_rng(3)
    odd = [array[..., :0], array * np.nan, array.astype(complex), array.astype(str), array > 0, np.array(5.0)]
    for number, given in enumerate([array, *odd]):
        buffer = io.BytesIO()
        np.save(buffer, given)
        raw = buffer.getvalue()
        assert held(tmp_path / 'x.npy', raw, read, f'{kind} {number}') == ('refused' if number else 'read')
        for _ in range(COUNT // 4):
            held(tmp_path / 'x.npy', mutate_bytes(raw, rng), read, f'{kind} {number}')
