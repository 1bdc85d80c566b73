"""Runs as processes of their own, small enough to be killed often, and what they must leave behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from warm_programs import Program

REPO = Path(__file__).resolve().parents[2]
ENDS = {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 143, signal.SIGINT: 130}
"""Signals that end a run, and what a training exits with."""
# slows chosen moments down, so that a kill meets them
_SLOW = """
import sys, time, os, mm_runtime.whole_checkpoints as whole, bmoe_ground.files as files
{patch}
from bmoe_app.cli import main
main(['train', *sys.argv[1:]])
"""


def start(arguments: Sequence[object], patch: str = '', prepare: Callable[[], object] | None = None) -> Program:
    """Start a training.

    Args:
        arguments: Those of ``bmoe train``.
        patch: Python lines that run first, with ``whole`` and ``files`` imported.
        prepare: Called in the process before anything else; must be picklable.

    Returns:
        The process.
    """
    return Program(['-c', _SLOW.format(patch=patch), *arguments], prepare=prepare)


def wait_for(condition: Callable[[], object], process: Program, seconds: float = 300) -> None:
    """Wait until something is so while a process runs.

    Raises:
        AssertionError: The process ended before, or it took too long.
    """
    until = time.monotonic() + seconds
    while not condition():
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f'did not get there: exit {process.returncode}\n{out[-2000:]}\n{err[-4000:]}')
        time.sleep(0.02)


def finish(arguments: Sequence[object], code: int = 0, prepare: Callable[[], object] | None = None) -> tuple[str, str]:
    """Run a training to its end; returns its output and errors."""
    process = start(arguments, prepare=prepare)
    out, err = process.communicate(timeout=300)
    assert process.returncode == code, f'exit {process.returncode}\n{out[-2000:]}\n{err[-4000:]}'
    return out, err


def same_weights(one: Path, two: Path) -> bool:
    """Whether two checkpoints hold the same weights, averaged weights and optimizer state, bit for bit."""
    a, b = (torch.load(path, map_location='cpu', weights_only=True) for path in (one, two))
    for part in ('state_dict', 'ema_state_dict'):
        if (part in a) != (part in b):
            return False
        if part in a and (
            a[part].keys() != b[part].keys() or any(not torch.equal(a[part][k], b[part][k]) for k in a[part])
        ):
            return False
    states = [checkpoint.get('optimizer', {}).get('state', {}) for checkpoint in (a, b)]
    return states[0].keys() == states[1].keys() and all(
        torch.equal(states[0][i][key], states[1][i][key]) for i in states[0] for key in states[0][i]
    )


def files_of(folder: Path) -> list[str]:
    """The names that lie in a work folder, without the folders of logs, one a run."""
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def warm_up() -> None:
    """Import what trainings and tests import late, so that forks do not each do it again."""
    import matplotlib.figure
    from mmengine.utils.dl_utils import collect_env

    collect_env()  # imports torchvision
    matplotlib.figure.Figure().savefig(os.devnull, format='png')


def fork(main: Callable[[], int | None], log: Path) -> int:
    """Run something in a fork of this process, which has everything imported, so that a kill meets the work itself.

    Returns:
        The fork's process number.
    """
    child = os.fork()
    if child:
        return child
    code = 1
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts tests behind itself has it ignored
    try:
        with log.open('a') as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        code = main() or 0
    except SystemExit as error:
        code = int(error.code or 0)
    except KeyboardInterrupt:  # before a training has its handlers, or after
        code = 130
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(code)


def code_of(child: int) -> int:
    """Wait for a fork; its exit code."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def workers_of(process: int) -> list[int]:
    """The worker processes of a process that runs."""
    listed = subprocess.run(['pgrep', '-P', str(process)], capture_output=True, text=True, check=False).stdout
    found = []
    for child in map(int, listed.split()):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if b'spawn_main' in Path(f'/proc/{child}/cmdline').read_bytes():
                found.append(child)
    return found


def gone(process: int) -> bool:
    """Whether a process has ended."""
    try:
        return 'Z' in Path(f'/proc/{process}/stat').read_text().rpartition(')')[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True


def assert_no_orphans(workers: list[int], seconds: float = 5) -> None:
    """Wait for the workers of a process that has ended."""
    until = time.monotonic() + seconds
    while not all(map(gone, workers)):
        assert time.monotonic() < until, workers
        time.sleep(0.02)
