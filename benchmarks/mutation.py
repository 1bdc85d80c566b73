"""Mutation testing: which small changes of a module its tests do not notice; needs ``pip install cosmic-ray``.

    python -m benchmarks.mutation bmoe_ground/safe_pickle.py tests/bmoe_ground/test_safe_pickle.py --every 5
    python -m benchmarks.mutation pose_extract/tracks.py tests/pose_extract/test_tracks.py --every 5 --lines 41 87

The mutants are cosmic-ray's; files are left as they are. The tests run once on the module as it is, which shows which
libraries they import and how long each takes. Then this process imports those libraries and forks for each mutant: the
fork sees the mutant as that one module and runs the tests until one fails, the quick ones first. Hypothesis draws the
same examples for all mutants and does not shrink. A test that starts a new interpreter sees the module as it is there.

A mutant is killed (a test fails), timed out (it takes more than twice the processor time of the module as it is), or
survives; survivors are shown as the lines that differ. Changes inside annotations are left out, for they are never
evaluated. ``--lines`` takes of the sample only what is on those lines: survivors again, after a new test.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import difflib
import gc
import importlib
import importlib.machinery
import importlib.util
import json
import os
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from bmoe_ground.errors import UserError
from bmoe_ground.import_cures import apply_import_cures

_CRASHED = 70  # exit code of a fork whose tests could not be run


@dataclass
class Mutant:
    """A change of a module: its line (from 1) and cosmic-ray's names for it."""

    line: int
    operator: str
    occurrence: int


def mutants_of(source: str) -> list[Mutant]:
    """All changes that cosmic-ray knows for a source outside of annotations, from top to bottom."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    classes = {name: get_operator(name) for name in operator_names()}
    # those with arguments want to be told the variables that they exchange
    operators = {name: one() for name, one in classes.items() if not one.arguments()}
    spans, seen, found = list(_annotations(source)), Counter[str](), []
    for node in ast_nodes(get_ast(source)):  # in the order in which cosmic-ray counts occurrences
        for name, operator in operators.items():
            for start, _ in operator.mutation_positions(node):
                if not any(first <= start < last for first, last in spans):
                    found.append((start, Mutant(start[0], name, seen[name])))
                seen[name] += 1
    return [mutant for _, mutant in sorted(found, key=lambda pair: pair[0])]


def _annotations(source: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Where annotations begin and end, as line and column."""
    for node in ast.walk(ast.parse(source)):
        for part in (getattr(node, 'annotation', None), getattr(node, 'returns', None)):
            if isinstance(part, ast.expr):
                yield (part.lineno, part.col_offset), (part.end_lineno or 0, part.end_col_offset or 0)


class Trials:
    """Runs of the tests of one module, each in a fork of this process.

    Args:
        module: The module's file, below the working folder.
        tests: What pytest is given.
        folder: An empty folder to work in.

    Raises:
        UserError: The tests fail on the module as it is, or do not import it.
    """

    def __init__(self, module: Path, tests: Sequence[str], folder: Path) -> None:
        self.module, self.tests, self.folder = module, tests, folder
        self.times: dict[str, float] = {}
        self.seconds = 600.0
        apply_import_cures()
        outcome, spent = self.outcome(module.read_text())
        if outcome != 'survived':
            raise UserError(f'{module}: the tests fail without any change, or do not import it: {" ".join(tests)}')
        told = json.loads((folder / 'told.json').read_text())
        self.times, self.seconds = told['times'], 2 * spent + 2
        for name in told['libraries']:
            with contextlib.suppress(Exception):  # what only works where it was first imported is left to each fork
                importlib.import_module(name)
        gc.freeze()  # what is here stays, and a fork need not copy it to look through it

    def outcome(self, source: str) -> tuple[str, float]:
        """Run the tests on the module with this source.

        Returns:
            ``killed``, ``timed out`` or ``survived``, and the seconds of processor time that it took.

        Raises:
            SyntaxError: It is not Python, or nothing that the compiler takes without a warning.
        """
        with warnings.catch_warnings():
            warnings.simplefilter('error')  # `is` beside a text: the compiler would say so
            code = compile(source, str(self.module), 'exec')
        until = time.monotonic() + 10 * self.seconds
        pid = os.fork()
        if pid == 0:
            status = _CRASHED
            try:
                status = self._run_tests(code)
            finally:
                os._exit(status)
        ended, status, used = os.wait4(pid, os.WNOHANG)
        while not ended and time.monotonic() < until:
            time.sleep(0.02)
            ended, status, used = os.wait4(pid, os.WNOHANG)
        with contextlib.suppress(ProcessLookupError):  # also what the tests have left running
            os.killpg(pid, signal.SIGKILL)
        if not ended:
            _, status, used = os.wait4(pid, 0)
        exit_code = os.waitstatus_to_exitcode(status)
        if not ended or exit_code == -signal.SIGXCPU:
            return 'timed out', used.ru_utime + used.ru_stime
        return 'killed' if exit_code else 'survived', used.ru_utime + used.ru_stime

    def _run_tests(self, code: CodeType) -> int:
        """What the fork does; returns its exit code."""
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (round(self.seconds), round(self.seconds) + 5))
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        import pytest
        from hypothesis import HealthCheck, Phase, settings

        settings.register_profile(
            'mutation',
            phases=(Phase.explicit, Phase.generate),
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        settings.load_profile('mutation')
        name = '.'.join(self.module.with_suffix('').parts)
        for loaded in [one for one, module in sys.modules.items() if one != '__main__' and _is_ours(module)]:
            del sys.modules[loaded]
        sys.meta_path.insert(0, _Finder(name, self.module, code))
        plugin = _QuickFirst(self.times)
        options = ['-q', '-x', '-p', 'no:cacheprovider', '--basetemp', str(self.folder / 'temporary')]
        failed = pytest.main([*options, *self.tests], plugins=[plugin])
        libraries = [
            one for one, module in sys.modules.items() if getattr(module, '__file__', '') and not _is_ours(module)
        ]
        told = {'times': plugin.found, 'libraries': [one for one in libraries if one != '__main__']}
        (self.folder / 'told.json').write_text(json.dumps(told))
        return int(failed) or int(name not in sys.modules)


def _is_ours(module: ModuleType) -> bool:
    """Whether a module lies below the working folder and is not installed there."""
    file = getattr(module, '__file__', None) or ''
    return file.startswith(f'{Path.cwd()}{os.sep}') and 'site-packages' not in file


class _Finder:
    """Finds one module, whose code is given."""

    def __init__(self, name: str, path: Path, code: CodeType) -> None:
        self.name, self.path, self.code = name, path, code

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if name != self.name:
            return None
        loader = importlib.machinery.SourceFileLoader(name, str(self.path.absolute()))
        loader.get_code = lambda fullname: self.code  # type: ignore[method-assign]
        return importlib.util.spec_from_file_location(name, self.path.absolute(), loader=loader)


class _QuickFirst:
    """A plugin of pytest that runs tests in the order of the time that they took, and notes it."""

    def __init__(self, times: dict[str, float]) -> None:
        self.times, self.found = times, Counter[str]()

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items.sort(key=lambda item: self.times.get(item.nodeid, 0))

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.found[report.nodeid] += report.duration


def main(argv: list[str] | None = None) -> None:
    """Try the mutants of a module and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('module', type=Path, help='the file to change, below the working folder')
    parser.add_argument('tests', nargs='+', help='its tests, as pytest is given them')
    parser.add_argument('--every', type=int, default=1, help='take each Nth mutant only (default 1)')
    parser.add_argument('--lines', type=int, nargs='+', help='of these only those on these lines')
    arguments = parser.parse_args(argv)
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    source = arguments.module.read_text()
    every = mutants_of(source)
    sample = every[:: arguments.every]
    if arguments.lines:
        sample = [mutant for mutant in sample if mutant.line in arguments.lines]
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        trials = Trials(arguments.module, arguments.tests, Path(folder))
        for mutant in sample:
            changed = mutate_code(source, get_operator(mutant.operator)(), mutant.occurrence)
            try:
                outcome, _ = trials.outcome(changed)
            except SyntaxError:
                outcome = 'not Python'
            counts[outcome] += 1
            if outcome == 'survived':
                print(f'{arguments.module}:{mutant.line}: {mutant.operator.removeprefix("core/")}')
                lines = difflib.unified_diff(source.splitlines(), changed.splitlines(), lineterm='', n=0)
                print(*(line for line in list(lines)[2:] if line[0] in '+-'), sep='\n', flush=True)
    told = ', '.join(f'{outcome} {count}' for outcome, count in sorted(counts.items()))
    print(f'{arguments.module}: {len(sample)} mutants (each {arguments.every}. of {len(every)}): {told}')


if __name__ == '__main__':
    from bmoe_ground.errors import run_tool

    run_tool(main)
