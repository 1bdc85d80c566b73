"""Worker processes of a parent that talks with them, and of one that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from killed_runs import assert_no_orphans

from bmoe_ground.files import TEMPORARY_PREFIX
from bmoe_ground.worker_process import start_worker

REPO = Path(__file__).resolve().parents[2]
PARENT = """
import sys
import time
from bmoe_ground.worker_process import start_worker
if __name__ == '__main__':
    from work import serve
    process, connection = start_worker(serve, *sys.argv[1:])
    print(process.pid, flush=True)
    sys.stdin.read()
"""
WRITES = """
from bmoe_ground.files import atomic_write
def serve(connection, path):
    with atomic_write(path) as file:
        file.write(b'half'); file.flush()
        while True:
            pass
"""
IMPORTS = """
import multiprocessing, sys
from pathlib import Path
if multiprocessing.parent_process():
    Path(sys.argv[1]).touch()
    while True:
        pass
def serve(connection, path): pass
"""


def add(connection: Connection, more: int) -> None:
    while (number := connection.recv()) is not None:
        connection.send(number + more)


def test_it_talks_and_ends_when_told() -> None:
    process, connection = start_worker(add, 40)
    connection.send(2)
    assert connection.recv() == 42
    assert process.daemon and process.is_alive()
    connection.send(None)
    process.join(60)
    assert process.exitcode == 0
    with pytest.raises(EOFError):
        connection.recv()


@contextmanager
def parent_of(work: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A parent and its worker, which does what ``work`` says; both are ended afterwards."""
    (folder / 'work.py').write_text(work)
    (folder / 'parent.py').write_text(PARENT)
    parent = subprocess.Popen(
        [sys.executable, str(folder / 'parent.py'), str(folder / 'file')],
        env={**os.environ, 'PYTHONPATH': str(REPO)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    with parent:
        try:
            assert parent.stdout is not None
            yield parent, int(parent.stdout.readline())
        finally:
            with suppress(ProcessLookupError):
                os.killpg(parent.pid, signal.SIGKILL)


def wait_for(folder: Path, pattern: str) -> Path:
    until = time.monotonic() + 60
    while not (found := list(folder.glob(pattern))):
        assert time.monotonic() < until
        time.sleep(0.02)
    return found[0]


@pytest.mark.parametrize(('work', 'sign'), [(WRITES, f'{TEMPORARY_PREFIX}*'), (IMPORTS, 'file')])
def test_a_killed_parent_takes_it_along_whatever_it_is_at(tmp_path: Path, work: str, sign: str) -> None:
    with parent_of(work, tmp_path) as (parent, worker):
        wait_for(tmp_path, sign)
        parent.kill()
        parent.wait(30)
        assert_no_orphans([worker], 60)
    assert (tmp_path / 'file').exists() == (sign == 'file')  # what was half written has not got its name


def test_a_parent_that_ends_in_order_takes_it_along(tmp_path: Path) -> None:
    with parent_of(WRITES, tmp_path) as (parent, worker):
        wait_for(tmp_path, f'{TEMPORARY_PREFIX}*')
        parent.communicate(timeout=60)
        assert parent.returncode == 0
        assert_no_orphans([worker], 60)
