"""Processes that work for this one: spoken with over a pipe, and gone when this one is, whatever ended it."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.process import parent_process
from multiprocessing.reduction import ForkingPickler
from typing import Any

from bmoe_ground.import_cures import defer_sharding

ALONE = 1
"""What a process exits with that was left alone."""


def start_worker(serve: Callable[..., None], *arguments: Any) -> tuple[SpawnProcess, Connection]:
    """Start a process of its own interpreter.

    It ends with this process at the latest, also when this one is killed, and in the middle of a computation: a thread
    of it waits for that alone. What it was writing with :func:`bmoe_ground.files.atomic_write` is then not there.

    Args:
        serve: What it does: a function of a module, called with its end of the pipe and the arguments.
        *arguments: Picklable.

    Returns:
        The process, and this end of the pipe.

    Example:
        >>> process, connection = start_worker(serve, task)  # doctest: +SKIP
        >>> connection.recv()  # doctest: +SKIP
        'ready'
    """
    context = multiprocessing.get_context('spawn')
    ours, theirs = context.Pipe()
    process = context.Process(target=_Work(serve, theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    return process, ours


class _Work:
    """A call that the new process unpacks only when it is guarded: that imports the caller's packages, for seconds."""

    def __init__(self, *call: Any) -> None:
        self._call = call

    def __getstate__(self) -> bytes:
        return bytes(ForkingPickler.dumps(self._call))

    def __setstate__(self, state: bytes) -> None:
        self._state = state

    def __call__(self) -> None:
        threading.Thread(target=_end_with_parent, name='end with parent', daemon=True).start()
        defer_sharding()
        serve, *arguments = pickle.loads(self._state)  # noqa: S301 - from the parent, over multiprocessing's own pipe
        serve(*arguments)


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None  # noqa: S101 - only ever run in a process that was started
    parent.join()
    os._exit(ALONE)  # the thread that works may not listen for long
