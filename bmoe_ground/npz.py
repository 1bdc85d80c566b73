"""Numpy archives (``.npz``) of strangers: judged by their headers before anything is unpacked, and never unpickled."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from bmoe_ground.errors import UserError

MAX_BYTES = 8 * 2**30
"""Archives that unpack to more than this are refused."""
MAX_ENTRIES = 1000
"""Arrays in one archive."""
_ROOM = 256 * 2**20  # bytes that any archive may unpack to
_RATIO = 200  # times its own size that a larger one may: the tracks of people who are mostly absent pack that well

Headers = dict[str, tuple[tuple[int, ...], np.dtype]]
"""Shape and dtype of every array of an archive."""


def load_npz(
    path: str | os.PathLike[str],
    what: str = 'a numpy archive',
    check: Callable[[Headers], None] | None = None,
) -> dict[str, np.ndarray]:
    """Read all arrays of an ``.npz`` file.

    Sizes are compared with the bytes that are there, with each other and with the size of the file from the headers
    alone, so that a damaged or hostile file ends as an error and not as a full memory.

    Args:
        path: The file.
        what: What it should be, for the error: ``'a track file'``.
        check: Called with the headers before anything is unpacked; raises a ValueError for what is not wanted.

    Returns:
        The arrays by name.

    Raises:
        UserError: The file is missing, damaged, too large once unpacked, or not wanted; the message names it.

    Example:
        >>> sorted(load_npz('poses/nod/a.mp4.npz'))[:2]  # doctest: +SKIP
        ['boxes', 'frame_times']
    """
    path = Path(path)
    try:
        if path.exists() and not path.is_file():  # a pipe or a device would never end
            raise UserError(f'{path}: cannot be read: not a file')
        with zipfile.ZipFile(path) as archive:
            headers = _read_headers(path, archive)
            try:
                if check is not None:
                    check(headers)
            except ValueError as error:
                raise UserError(f'{path}: {error}') from error
            return {key: _read_array(path, archive, key) for key in headers}
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f'{path}: cannot be read: no such file') from error
    except OSError as error:
        raise UserError(f'{path}: cannot be read: {error.strerror or error}') from error
    except Exception as error:  # zipfile and struct have many words for one thing, and they change with the version
        raise UserError(f'{path}: not {what}, or a damaged one ({type(error).__name__}: {error})') from error


def load_npy(path: str | os.PathLike[str]) -> np.ndarray:
    """Read one array from an ``.npy`` file, whose header has to fit the bytes that follow.

    Args:
        path: The file.

    Raises:
        UserError: The file is missing, damaged, or holds objects or several arrays; the message names it.
    """
    path = Path(path)
    try:
        if path.exists() and not path.is_file():
            raise UserError(f'{path}: cannot be read: not a file')
        size = path.stat().st_size
        with path.open('rb') as file:
            shape, dtype = _read_header(file)
            if prod(shape) * dtype.itemsize != size - file.tell() or any(side < 0 for side in shape):
                raise ValueError(f'shape {shape} of {dtype} does not match the bytes that follow')
            file.seek(0)
            return npy.read_array(file, allow_pickle=False)
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f'{path}: cannot be read: no such file') from error
    except OSError as error:
        raise UserError(f'{path}: cannot be read: {error.strerror or error}') from error
    except Exception as error:  # see _read_header
        raise UserError(f'{path}: not a readable .npy file: {type(error).__name__}: {error!s:.200}') from error


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and dtype; to numpy a header is Python source, and ast, tokenize and zlib each fail in their own way."""
    version = npy.read_magic(file)
    shape, _, dtype = (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(file)
    if dtype.hasobject:
        raise ValueError('holds pickled objects, which are never loaded')
    return shape, dtype


def _read_headers(path: Path, archive: zipfile.ZipFile) -> Headers:
    """Shape and dtype of every array in the file, checked against the bytes that are there for it."""
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise UserError(f'{path}: holds {len(entries)} entries, more than {MAX_ENTRIES}')
    total, limit = sum(info.file_size for info in entries), min(MAX_BYTES, max(_ROOM, _RATIO * path.stat().st_size))
    if total > limit:
        raise UserError(f'{path}: would unpack to {total / 2**30:.1f} GiB, more than {limit / 2**30:.2g} GiB')
    headers: Headers = {}
    for info in entries:
        key = info.filename.removesuffix('.npy')
        if key in headers or key == info.filename:
            raise UserError(f'{path}: {key[:60]}: expected arrays, each once, found this entry')
        with archive.open(info) as file:
            try:
                shape, dtype = _read_header(file)
            except Exception as error:  # see there
                raise UserError(f'{path}: {key}: not a numpy array: {type(error).__name__}: {error!s:.200}') from error
            start = file.tell()
        if any(side < 0 for side in shape) or prod(shape) * dtype.itemsize != info.file_size - start:
            raise UserError(f'{path}: {key}: damaged: shape {shape} of {dtype} does not match the bytes that follow')
        headers[key] = (shape, dtype)
    return headers


def _read_array(path: Path, archive: zipfile.ZipFile, key: str) -> np.ndarray:
    with archive.open(f'{key}.npy') as file:
        try:
            return npy.read_array(file, allow_pickle=False)
        except Exception as error:  # as in the header, and lack of memory
            raise UserError(f'{path}: {key}: damaged: {error!s:.200}') from error
