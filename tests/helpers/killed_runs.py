"""Trainings as processes of their own, small enough to be killed often, and what they must leave behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from warm_programs import Program

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


def wait_for(condition: Callable[[], object], process: Program, seconds: float = 60) -> None:
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
    out, err = process.communicate(timeout=120)
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
