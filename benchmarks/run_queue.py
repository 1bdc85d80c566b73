"""A queue of commands, such as trainings of half an hour: each is run once, several at a time, whatever is killed.

The list is YAML, ``name: command``; a command is a text or a list, and is run without a shell::

    nwucla_full_0: python tools/cross_validate.py nwucla.pkl --protocol own --seeds 0 --out runs/nwucla
    nwucla_ctrgcn_0: [python, tools/cross_validate.py, nwucla.pkl, --config, benchmarks/configs/peers.py, ...]

In the folder of the queue a command has a log, and when it ended well ``NAME.done``, else ``NAME.failed``, written
whole. Each is watched by a process of its own, which holds a lock that the command inherits: a queue that is killed
leaves its commands to end, and the next one counts those that still run. A command that was killed itself is started
again, twice at most, so that it should go on where it was (``--resume auto``, ``cross_validate``).
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from bmoe_ground.texts import NO_VALUE

_NAME = re.compile(r'[\w.-]+')
_MOST_KILLS = 3  # a command that needs more memory than there is would be started for ever
_PAUSE = 0.1  # seconds between two looks
_THREADS = ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS')
STATES = ('done', 'failed', 'running', 'left')


def read_jobs(path: Path) -> dict[str, list[str]]:
    """Read the list of commands.

    Args:
        path: YAML of ``name: command``.

    Returns:
        Name to the command's words.

    Raises:
        UserError: The file is missing or something else.
    """
    try:
        given = yaml.safe_load(path.read_text())
    except (OSError, RecursionError, yaml.YAMLError, *NO_VALUE) as error:
        raise UserError(f'{path} cannot be read: {" ".join(str(error).split()) or type(error).__name__}') from error
    if not isinstance(given, Mapping) or not given:
        raise UserError(f'{path}: expected lines "name: command"')
    jobs = {}
    for name, command in given.items():
        try:
            words = shlex.split(command) if isinstance(command, str) else command
        except ValueError as error:
            raise UserError(f'{path}: {name}: {error}, in {command!r:.80}') from error
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise UserError(f'{path}: name {name!r:.80}: expected letters, digits, dots and dashes')
        if not isinstance(words, list) or not words or not all(isinstance(word, (str, int, float)) for word in words):
            raise UserError(f'{path}: {name}: expected a command, got {command!r:.80}')
        jobs[name] = [str(word) for word in words]
    return jobs


def state_of(folder: Path, name: str, command: list[str]) -> str:
    """Tell what became of a command: one of :data:`STATES`.

    Raises:
        UserError: One of that name was done, but another one.
    """
    for state in ('done', 'failed'):
        record = folder / f'{name}.{state}'
        if record.is_file():
            was = _command_of(record)
            if was == command:
                return state
            raise UserError(f'{record}: another command had this name: {shlex.join(was)}; choose another name')
    with _lock(folder, name) as mine:
        return 'left' if mine is not None else 'running'


def _command_of(record: Path) -> list[str]:
    try:
        said = json.loads(record.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f'{record}: not what a queue wrote ({error!s:.200}); remove it') from error
    words = said.get('command') if isinstance(said, dict) else None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise UserError(f'{record}: not what a queue wrote; remove it')
    return words


@contextmanager
def _lock(folder: Path, name: str) -> Iterator[int | None]:
    """Take a command's lock; yields its descriptor, or None where somebody has it."""
    descriptor = os.open(folder / f'{name}.lock', os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _start(folder: Path, name: str, command: list[str], threads: int) -> int:
    """Start a command's watcher, in a group of its own; returns its process."""
    child = os.fork()
    if child:
        return child
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _watch(folder, name, command, threads)
    finally:
        os._exit(0)  # nothing of the queue's own may run here


def _watch(folder: Path, name: str, command: list[str], threads: int) -> None:
    environment = {**os.environ, **{key: str(threads) for key in _THREADS}}
    with _lock(folder, name) as held, open(folder / f'{name}.log', 'ab') as log:
        if held is None or any((folder / f'{name}.{state}').is_file() for state in ('done', 'failed')):
            return  # another queue was faster
        started = time.time()
        try:
            code = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, pass_fds=[held]
            ).returncode
        except OSError as error:
            log.write(f'{error}\n'.encode())
            code = 127
        if code < 0:
            with open(folder / f'{name}.killed', 'ab') as kills:
                kills.write(b'x')
                if kills.tell() < _MOST_KILLS:
                    return  # neither done nor failed: it is started again
        record = {'command': command, 'exit_code': code, 'minutes': (time.time() - started) / 60}
        with atomic_write(folder / f'{name}.{"failed" if code else "done"}') as file:
            file.write((json.dumps(record, indent=2) + '\n').encode())


def work(jobs: dict[str, list[str]], folder: Path, processes: int, threads: int) -> dict[str, str]:
    """Run what is left, and wait for all.

    Args:
        jobs: Name to command.
        folder: Of the queue; made if it is not there.
        processes: How many run at a time.
        threads: Of each.

    Returns:
        Name to state, 'done' or 'failed'.
    """
    watchers: dict[int, str] = {}
    try:
        while True:
            states = {name: state_of(folder, name, command) for name, command in jobs.items()}
            running = set(watchers.values()) | {name for name, state in states.items() if state == 'running'}
            free = [name for name, state in states.items() if state == 'left' and name not in running]
            if not free and not running:
                return states
            for name in free[: max(processes - len(running), 0)]:
                watchers[_start(folder, name, jobs[name], threads)] = name
                print(f'{time.strftime("%H:%M")} {name}', flush=True)
            time.sleep(_PAUSE)
            for process in list(watchers):
                if os.waitpid(process, os.WNOHANG)[0]:
                    del watchers[process]
    except (KeyboardInterrupt, SystemExit):
        for process in watchers:  # each leads the group of its command
            os.killpg(process, signal.SIGTERM)
        raise


def show(states: dict[str, str]) -> str:
    """Say what is done and left."""
    counts = ', '.join(f'{sum(one == state for one in states.values())} {state}' for state in STATES)
    return '\n'.join([*(f'{state:<8} {name}' for name, state in states.items()), counts])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``tools/run_queue.py``."""
    parser.add_argument('jobs', type=Path, help='YAML of name: command')
    parser.add_argument('--folder', type=Path, required=True, help='logs and what is done')
    parser.add_argument('--processes', type=int, default=1, help='commands at a time (default: %(default)s)')
    parser.add_argument('--threads', type=int, default=1, help='of each command (default: %(default)s)')
    parser.add_argument('--list', action='store_true', help='say what is done and left, and run nothing')
    parser.add_argument('--retry', action='store_true', help='run again what failed')


def run(arguments: argparse.Namespace) -> int:
    """Run or list; exit code 0 where all is done, 1 where some failed, 2 where all did.

    Raises:
        UserError: The list is wrong.
    """
    jobs = read_jobs(arguments.jobs)
    if arguments.processes < 1 or arguments.threads < 1:
        raise UserError('--processes and --threads: expected positive numbers')
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if arguments.retry:
        for name in jobs:
            for record in ('failed', 'killed'):
                (arguments.folder / f'{name}.{record}').unlink(missing_ok=True)
    states: Mapping[str, Any]
    if arguments.list:
        print(show({name: state_of(arguments.folder, name, command) for name, command in jobs.items()}))
        return 0
    signal.signal(signal.SIGTERM, lambda number, frame: (_ for _ in ()).throw(SystemExit(128 + number)))
    states = work(jobs, arguments.folder, arguments.processes, arguments.threads)
    print(show(dict(states)))
    failed = sum(state == 'failed' for state in states.values())
    return 0 if not failed else 2 if failed == len(jobs) else 1
