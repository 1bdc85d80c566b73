"""The folder that a training works in: one run at a time, nothing overwritten unasked, and what to go on from."""

from __future__ import annotations

import errno
import logging
import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.runner import Runner

from bmoe_ground.errors import UserError
from bmoe_ground.files import TEMPORARY_PREFIX
from mm_runtime.best import BEST
from mm_runtime.checkpoint import load_checkpoint
from mm_runtime.whole_checkpoints import LAST

try:
    import fcntl
except ImportError:  # Windows has no such locks: there a second run is not noticed
    fcntl = None  # type: ignore[assignment]

LOCK = '.training.lock'
_NUMBERED = re.compile(r'(epoch|iter)_(\d+)\.pth')
# what a resumed run needs beside its weights
_STATE = ('meta', 'message_hub', 'optimizer')
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)


@contextmanager
def own_folder(folder: Path) -> Iterator[None]:
    """Work in a folder alone, and clear away the halves of files that a killed run left in it.

    The lock is the process's own, not shared with data loader workers: it ends with the process, however that ends,
    even while its workers live on for some seconds.

    Args:
        folder: The work folder.

    Yields:
        Nothing.

    Raises:
        UserError: Another training works in it, or nothing can be written to it.
    """
    if not is_main_process():
        yield
        return
    path = folder / LOCK
    handle = _lock(path)
    try:
        for leftover in folder.glob(f'{TEMPORARY_PREFIX}*'):
            leftover.unlink(missing_ok=True)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def _lock(path: Path) -> int:
    """Open and lock a file; one that its last holder has deleted meanwhile is opened anew."""
    while True:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise UserError(f'{path.parent}: cannot be written: {error.strerror}') from error
        try:
            if fcntl is not None:
                fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(os.fstat(handle), path.stat()):
                os.ftruncate(handle, 0)
                os.write(handle, f'process {os.getpid()} on {socket.gethostname()}'.encode())
                return handle
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                holder = os.read(handle, 200).decode(errors='replace') or 'another process'
                os.close(handle)
                raise UserError(
                    f'{path.parent}: another training works in this folder ({holder}); wait for it, or name another '
                    'folder with --work-dir'
                ) from error
            if error.errno in _NO_ROOM:
                os.close(handle)
                raise UserError(f'{path.parent}: cannot be written: {error.strerror}') from error
            print(f'{path.parent}: no locks on this file system; a second training here is not noticed', flush=True)
            return handle
        os.close(handle)


def numbered_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints that a training can go on from, newest first, by the number in their names.

    Args:
        folder: The work folder.

    Returns:
        Paths of ``epoch_N.pth`` and ``iter_N.pth``; empty where there are none or no such folder.
    """
    found = [path for path in folder.glob('*.pth') if _NUMBERED.fullmatch(path.name)]
    return sorted(found, key=lambda path: int(path.stem.rpartition('_')[2]), reverse=True)


def find_resume(resume: str | None, folder: Path, overwrite: bool) -> tuple[str, dict[str, Any]] | None:
    """Choose what a training goes on from.

    Args:
        resume: None for nothing, 'auto' for the newest checkpoint of the folder that can be loaded, or a file.
        folder: The work folder.
        overwrite: Whether earlier checkpoints in the folder may be lost.

    Returns:
        The checkpoint's path and content; None where training starts anew.

    Raises:
        UserError: The file is missing, damaged, or holds no state of a training; or checkpoints in the folder would be
            lost though the user did not say so.
    """
    numbered = numbered_checkpoints(folder)
    present = [*numbered, *folder.glob('best_*.pth'), *folder.glob(BEST)]
    ways = 'start anew with --overwrite, or name another folder with --work-dir'
    if resume is None:
        if present and not overwrite:
            raise UserError(
                f'{folder} holds checkpoints of an earlier training ({present[0].name}): go on with --resume, {ways}'
            )
        return None
    if resume != 'auto':
        if not Path(resume).is_file():
            raise UserError(f'--resume: checkpoint not found: {resume}')
        checkpoint = _load_state(Path(resume))
        later = [path.name for path in numbered if int(path.stem.rpartition('_')[2]) > _reached(checkpoint, path)]
        if later and not overwrite:
            raise UserError(
                f'--resume {resume}: {folder} holds later checkpoints ({later[0]}), which this would replace: '
                'go on from the newest with --resume auto, replace them with --overwrite, or name another folder with '
                '--work-dir'
            )
        return resume, checkpoint
    for path in numbered:
        try:
            return str(path), _load_state(path)
        except UserError as error:
            if is_main_process():
                print(f'--resume auto: skipped: {error}', file=sys.stderr, flush=True)
    if present and not overwrite:
        raise UserError(f'--resume auto: none of the checkpoints in {folder} can be gone on from: {ways}')
    if is_main_process():
        print(f'--resume auto: no checkpoint in {folder}, training starts anew')
    return None


def _load_state(path: Path) -> dict[str, Any]:
    checkpoint = load_checkpoint(path)
    missing = [key for key in _STATE if not isinstance(checkpoint.get(key), dict)]
    missing += [f'meta.{key}' for key in ('epoch', 'iter') if not isinstance(checkpoint['meta'].get(key), int)]
    if missing:
        raise UserError(f'checkpoint {path} holds no state of a training to go on from: no {", ".join(missing)}')
    return checkpoint


def _reached(checkpoint: dict[str, Any], path: Path) -> int:
    return int(checkpoint['meta']['epoch' if path.name.startswith('epoch') else 'iter'])


def remove_checkpoints(folder: Path, after: dict[str, Any] | None) -> None:
    """Remove an earlier training's checkpoints, which a later ``--resume auto`` would take for this one's.

    ``best.pth`` stays until the first validation replaces it.

    Args:
        folder: The work folder.
        after: The checkpoint that the training goes on from: only those that lie after it go. None: all go.
    """
    if not is_main_process():
        return
    for path in numbered_checkpoints(folder):
        if after is None or int(path.stem.rpartition('_')[2]) > _reached(after, path):
            path.unlink(missing_ok=True)
    if after is None:
        for path in [*folder.glob('best_*.pth'), folder / LAST]:
            path.unlink(missing_ok=True)


@contextmanager
def said_when_full(folder: Path) -> Iterator[None]:
    """Turn a full disk or a folder that cannot be written into an error of one line.

    Args:
        folder: The work folder, for the error.

    Yields:
        Nothing.

    Raises:
        UserError: Something could not be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        place = error.filename or folder
        raise UserError(f'{place}: cannot be written: {error.strerror}; checkpoints saved before are whole') from error


def stop_when_log_is_full(runner: Runner) -> None:
    """Let the log file end the run where it cannot be written, instead of a traceback for each line.

    Args:
        runner: The runner that trains.
    """
    for handler in runner.logger.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handleError = _raise_again  # type: ignore[method-assign]


def _raise_again(record: logging.LogRecord) -> None:
    error = sys.exc_info()[1]
    if error is not None:
        raise error
