"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from bmoe_ground.errors import UserError

TEMPORARY_PREFIX = '.part-'
REMAINS_AFTER = 3600.0
"""Seconds after which nobody is writing a temporary file any more."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""What a disk says that takes nothing more: it holds for every file."""


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Write a file so that a reader, or a run killed at any moment, never leaves half of one under its name.

    The bytes go to a temporary file in the same folder, reach the disk, and only then take the name. A file that
    stands there already stays as it was until that moment, and for good when the writing fails.

    Args:
        path: The file to write. Missing folders above it are made.

    Yields:
        A binary file object open for writing (seekable).

    Raises:
        UserError: The file cannot be written: no permission, a full disk, a folder of that name.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, dir=target.parent)
    except OSError as error:
        raise UserError(f'{target}: cannot be written: {error.strerror or error}') from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, 'wb') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, target)
    except OSError as error:
        raise UserError(f'{target}: cannot be written: {error.strerror or error}') from error
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
    _sync_folder(target.parent)


def _umask() -> int:
    """The process's file mode mask; mkstemp ignores it, a plain open would not."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Bring the new name itself to the disk, where the system can (Windows cannot open a folder)."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_remains(folder: Path) -> None:
    """Remove what processes that were killed had half written, old enough that nobody is writing it still.

    Args:
        folder: Searched with all folders below it.
    """
    for path in folder.rglob(f'{TEMPORARY_PREFIX}*'):
        with suppress(OSError):  # gone meanwhile, or not ours to remove
            if time.time() - path.stat().st_mtime > REMAINS_AFTER:
                path.unlink()


def file_digest(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file, in hexadecimal.

    Raises:
        UserError: The file cannot be read.
    """
    try:
        with Path(path).open('rb') as file:
            return hashlib.file_digest(file, 'sha256').hexdigest()
    except OSError as error:
        raise UserError(f'{path}: cannot be read: {error.strerror or error}') from error
