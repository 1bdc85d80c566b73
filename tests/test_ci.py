""".ci/run with a stand-in for make that writes down how it was called."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

REPO = Path(__file__).resolve().parents[1]
FAKE_MAKE = """#!/bin/sh
for last; do :; done
echo "$last $PWD $CI $(cat | wc -c)" >> "$CALLS"
[ "$last" != "$FAILS" ]
"""


def run_ci(folder: Path, fails: str = '') -> tuple[int, list[list[str]]]:
    (folder / 'bin').mkdir()
    make = folder / 'bin' / 'make'
    make.write_text(FAKE_MAKE)
    make.chmod(0o755)
    calls, scratch = folder / 'calls', folder / 'scratch'
    scratch.mkdir()
    env = {**os.environ, 'PATH': f'{make.parent}:{os.environ["PATH"]}', 'CALLS': str(calls), 'FAILS': fails}
    env['TMPDIR'] = str(scratch)
    command = ['bash', '-c', f'exec "{REPO / ".ci" / "run"}" <&-']
    code = subprocess.run(command, cwd=folder, env=env, capture_output=True, check=False).returncode
    assert list(scratch.iterdir()) == []
    return code, [line.split() for line in calls.read_text().splitlines()]


def test_every_target_runs_in_the_repository_without_input(tmp_path: Path) -> None:
    code, calls = run_ci(tmp_path)
    assert code == 0
    assert [target for target, *_ in calls] == ['install', 'lint', 'test', 'demo']
    assert {tuple(rest) for _, *rest in calls} == {(str(REPO), 'true', '0')}


@pytest.mark.parametrize('fails, last', [('install', 0), ('lint', 1), ('test', 2), ('demo', 3)])
def test_a_failure_ends_it(tmp_path: Path, fails: str, last: int) -> None:
    code, calls = run_ci(tmp_path, fails)
    assert code != 0
    assert len(calls) == last + 1


def test_the_workflow_calls_it_with_every_python_that_make_accepts() -> None:
    (job,) = yaml.safe_load((REPO / '.github' / 'workflows' / 'ci.yml').read_text())['jobs'].values()
    (step,) = [step for step in job['steps'] if 'run' in step]
    assert step['run'] == '.ci/run'
    assert step['env'] == {'PYTHON': 'python${{ matrix.python }}'}
    accepted = re.findall(r'\((3), (\d+)\)', (REPO / 'Makefile').read_text().split('endif')[0])
    assert job['strategy']['matrix']['python'] == ['.'.join(version) for version in accepted]
