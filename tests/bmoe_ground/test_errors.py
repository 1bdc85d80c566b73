"""How a command ends: its exit code and what it leaves on the screen."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from bmoe_ground.errors import LONGEST, UserError, run_tool

REPO = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(('returned', 'code'), [(None, 0), (0, 0), (1, 1), (2, 2)])
def test_the_code_is_what_the_command_returns(returned: int | None, code: int) -> None:
    with pytest.raises(SystemExit) as ended:
        run_tool(lambda: returned)
    assert ended.value.code == code


@pytest.mark.parametrize(
    ('error', 'code', 'said'),
    [
        (UserError('clip.mp4: no such file'), 2, 'error: clip.mp4: no such file\n'),
        (KeyboardInterrupt(), 130, 'interrupted\n'),
        (BrokenPipeError(), 141, ''),
    ],
)
def test_errors_of_the_user_end_without_a_traceback(error: BaseException, code: int, said: str) -> None:
    program = (
        'from bmoe_ground.errors import LONGEST, UserError, run_tool\n'
        f'def main(): raise {type(error).__name__}(*{error.args!r})\n'
        'run_tool(main)'
    )
    done = subprocess.run([sys.executable, '-c', program], cwd=REPO, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, said)


def test_a_bug_keeps_its_traceback() -> None:
    def main() -> int:
        raise TypeError('ours')

    with pytest.raises(TypeError, match='ours'):
        run_tool(main)


def test_a_message_is_one_line_of_bounded_length_that_can_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    name = os.fsdecode(b'caf\xe9')  # must stay as it is: the name of a file
    error = UserError(f'{name}: label \ud83d\x1b[2J\r\n\u2028no such')
    assert str(error) == f'{name}: label \\ud83d\\x1b[2J\\r\\n\\u2028no such'
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    with pytest.raises(SystemExit):
        run_tool(lambda: (_ for _ in ()).throw(error))
    assert capsys.readouterr().err == 'error: caf\\xe9: label \\ud83d\\x1b[2J\\r\\n\\u2028no such\n'
    long = str(UserError(f'a.csv:3: found {"x" * 10**6}, expected a number'))
    assert len(long) < LONGEST and long.startswith('a.csv:3: found xxx') and long.endswith('x, expected a number')
    assert '[... 996' in long
    assert str(UserError(long)) == long


@pytest.mark.parametrize('kind', ['UserError', 'UnreadableImageError'])
def test_the_error_of_a_loaders_worker_is_said_without_its_traceback(
    capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    def main() -> int:
        raise UserError(f'Caught {kind} in DataLoader worker process 0.\nTraceback ...\nours.{kind}: clip 3 is empty\n')

    with pytest.raises(SystemExit):
        run_tool(main)
    assert capsys.readouterr().err == 'error: clip 3 is empty\n'


@pytest.mark.parametrize(('given', 'wanted'), [(None, 'PASSIVE'), ('ACTIVE', 'ACTIVE')])
def test_waiting_threads_sleep_unless_the_user_says_otherwise(monkeypatch, given, wanted) -> None:
    monkeypatch.setenv('OMP_WAIT_POLICY', given or '')
    if given is None:
        monkeypatch.delenv('OMP_WAIT_POLICY')
    seen = []
    with pytest.raises(SystemExit):
        run_tool(lambda: seen.append(os.environ['OMP_WAIT_POLICY']))
    assert seen == [wanted]


def test_no_tool_that_trains_or_answers_loads_torch_before_its_threads_are_told_to_sleep() -> None:
    """The variable is read when torch is loaded; later it says nothing."""
    writers = {'make_box.py', 'make_rehearsal.py', 'write_pages.py'}  # of files; their trainings are processes
    tools = sorted(str(path) for path in (REPO / 'tools').glob('*.py') if path.name not in writers)
    program = f"""
import runpy, sys
for tool in {tools}:
    runpy.run_path(tool, run_name='imported')
    assert 'torch' not in sys.modules, tool
"""
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(tools) > 15
