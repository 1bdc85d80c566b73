"""HDF5 files of strangers: only what lies in the file itself, and no more of it than fits.

The format can name other files (external links, external storage, virtual data sets) and compute what it holds from a
few bytes; neither is followed. ``h5py`` is an optional dependency.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from pose_extract.convert.json_files import FAULTS

MAX_BYTES = 256 * 2**20
"""Of one data set."""


@contextmanager
def open_hdf5(path: Path) -> Iterator[Any]:
    """Open a file for reading.

    Yields:
        An ``h5py.File``.

    Raises:
        UserError: h5py is not installed, the file is none, or what is read of it inside the ``with`` is damaged. The
            message does not name the file.
    """
    try:
        import h5py
    except ImportError as error:
        raise UserError('HDF5 files need h5py: pip install h5py') from error
    if not path.is_file():
        raise UserError('not a file')
    try:
        with h5py.File(path, 'r', locking=False) as file:
            yield file
    except UserError:
        raise
    except (*FAULTS, RuntimeError) as error:  # HDF5 reads what it is asked for and finds damage only then
        raise UserError(f'not an HDF5 file of this kind, or a damaged one ({error!s:.100})') from error


def member(group: Any, name: str) -> Any:
    """A group or data set directly below ``group``; None where there is none.

    Raises:
        UserError: It lies in another file.
    """
    import h5py

    link = group.get(name, getlink=True)
    if link is None:
        return None
    if not isinstance(link, h5py.HardLink):
        raise UserError(f'{name}: a link to elsewhere, which is not followed')
    return group[name]


def read_array(group: Any, name: str) -> np.ndarray:
    """The numbers or texts of a data set.

    Raises:
        UserError: It is missing, lies in other files, is too large, or holds anything else.
    """
    import h5py

    found = member(group, name)
    if not isinstance(found, h5py.Dataset):
        raise UserError(f'{name}: missing')
    if found.is_virtual or found.external:
        raise UserError(f'{name}: lies in another file, which is not opened')
    size = prod(found.shape or (1,)) * found.dtype.itemsize
    if size > MAX_BYTES:
        raise UserError(f'{name}: {size / 2**20:.0f} MiB are more than {MAX_BYTES // 2**20} MiB')
    if found.dtype.hasobject:
        raise UserError(f'{name}: holds something else than numbers')
    return np.asarray(found[()])


def attribute(found: Any, name: str, most: int = 2**24) -> bytes:
    """A text attribute as bytes.

    Raises:
        UserError: It is missing, too long, or no text.
    """
    if name not in found.attrs:
        raise UserError(f'{name}: missing')
    value = found.attrs[name]
    value = value.encode() if isinstance(value, str) else value
    if not isinstance(value, bytes) or len(value) > most:
        raise UserError(f'{name}: expected a text, got {type(value).__name__}')
    return bytes(value)
