"""Programs in Python as processes of their own that need not import torch and its like anew, seconds of CPU each.

multiprocessing's fork server imports :mod:`warm_libraries` once, and every program is a fork of it: its own process,
folder, environment, signals and exit code. Our packages are imported by the program itself. What an import must not
load, or in which order, is a matter for ``subprocess`` and a new interpreter.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path
from unittest import mock

REPO = Path(__file__).resolve().parents[2]
_HELPERS = Path(__file__).resolve().parent


class Program:
    """A running program, with the methods of :class:`subprocess.Popen` that tests use.

    Args:
        words: A script's path, or ``-c`` and code, and its arguments.
        cwd: The folder that it runs in.
        env: Environment variables beside those of this process and ``PYTHONPATH``, which is the repository.
        prepare: Called in the new process before the program runs; must be picklable.
    """

    def __init__(
        self,
        words: Sequence[object],
        cwd: Path = REPO,
        env: Mapping[str, str] | None = None,
        prepare: Callable[[], object] | None = None,
    ) -> None:
        self.args = [str(word) for word in words]
        self._said = [tempfile.NamedTemporaryFile('r') for _ in range(2)]  # noqa: SIM115  (closed by communicate)
        variables = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(REPO), **(env or {})}
        files = [file.name for file in self._said]
        self._process = _context().Process(target=_become, args=(self.args, str(cwd), variables, files, prepare))
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid
        atexit.register(self._process.kill)  # else multiprocessing waits for what a failed test has left

    @property
    def returncode(self) -> int | None:
        """The exit code, minus the signal's number where one ended it; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """:attr:`returncode`, under the name that :class:`subprocess.Popen` has for it."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; returns the exit code.

        Raises:
            subprocess.TimeoutExpired: It took longer than ``timeout`` seconds.
        """
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for the end; returns what was printed, and what was printed as errors."""
        self.wait(timeout)
        out, err = (Path(file.name).read_text() for file in self._said)
        return out, err

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()


def run(
    words: Sequence[object], cwd: Path = REPO, env: Mapping[str, str] | None = None, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; the arguments are those of :class:`Program`."""
    program = Program(words, cwd, env)
    out, err = program.communicate(timeout)
    return subprocess.CompletedProcess(program.args, program.wait(), out, err)


@cache
def _context() -> ForkServerContext:
    """A fork server that runs and has the libraries imported."""
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(['warm_libraries'])
    with mock.patch.dict(os.environ, PYTHONPATH=f'{REPO}{os.pathsep}{_HELPERS}', OMP_NUM_THREADS='1'):
        forkserver.ensure_running()
    return context


def _become(
    words: list[str],
    folder: str,
    variables: dict[str, str],
    said: list[str],
    prepare: Callable[[], object] | None,
) -> None:
    """In the new process: be what ``python *words`` would be."""
    for stream, name in enumerate(said, 1):
        file = os.open(name, os.O_WRONLY | os.O_APPEND)
        os.dup2(file, stream)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    multiprocessing.set_start_method(None, force=True)  # back to the system's own, as if nothing had chosen one
    if prepare is not None:
        prepare()
    ours = {str(REPO), str(_HELPERS), ''}
    code = words[0] == '-c'
    first = '' if code else os.path.dirname(os.path.abspath(words[0]))
    asked = [path for path in variables['PYTHONPATH'].split(os.pathsep) if path]
    sys.path[:] = [first, *asked, *(path for path in sys.path if path not in ours)]
    if code:
        sys.argv = ['-c', *words[2:]]
        exec(compile(words[1], '<string>', 'exec'), {'__name__': '__main__'})
    else:
        sys.argv = words
        runpy.run_path(words[0], run_name='__main__')
