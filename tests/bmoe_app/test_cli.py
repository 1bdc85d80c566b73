"""The command bmoe: finding a command, its help, and how it ends; in processes of its own, as a shell runs it."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bmoe_app import cli
from bmoe_app.cli import COMMANDS, FACE, Command, dispatch
from bmoe_ground.errors import UserError

REPO = Path(__file__).resolve().parents[2]
HEAVY = {'numpy', 'torch', 'mmengine', 'cv2', 'matplotlib', 'argparse'}
BMOE = [sys.executable, '-c', 'from bmoe_app.cli import main; main()']
ALL = {name: found for name, found in COMMANDS.items() if isinstance(found, Command)}
ALL |= {f'face {name}': found for name, found in FACE.items()}
DOORS = {
    'extract_pose': 'extract',
    'convert_poses': 'convert',
    'show_poses': 'show',
    'show_skeletons': 'skeletons',
    'check_dataset': 'check',
    'make_submission': 'submit',
    'signals': 'signals',
    'export': 'export',
    'app': 'app',
    'live': 'live',
    'infer': 'infer',
    'predict_faces': 'face predict',
    'crop_faces': 'face crop',
    'train': 'train',
    'test': 'test',
}


def run(command: list[str], *words: str, folder: Path = REPO) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, 'PYTHONPATH': str(REPO), 'COLUMNS': '120'}
    return subprocess.run([*command, *words], cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_help_names_every_command_in_a_line() -> None:
    done = run(BMOE, '--help')
    assert (done.returncode, done.stderr) == (0, '')
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.startswith('  ')}
    assert list(lines) == list(COMMANDS)
    for name, command in COMMANDS.items():
        assert isinstance(command, Command) is (command is not FACE)
        if isinstance(command, Command):
            assert lines[name].endswith(command.summary)
    assert 'crop' in lines['face']
    assert max(map(len, lines.values())) <= 80


def test_help_imports_nothing_heavy() -> None:
    code = (
        'import sys, bmoe_app.cli as cli; cli.dispatch(["--help"]); cli.dispatch(["face", "-h"]); print(*sys.modules)'
    )
    loaded = run([sys.executable, '-c', code]).stdout.splitlines()[-1].split()
    assert 'bmoe_app.cli' in loaded
    assert HEAVY & set(loaded) == set()


def test_without_a_command_the_help_is_an_error() -> None:
    for words, prog in (([], 'bmoe'), (['face'], 'bmoe face')):
        done = run(BMOE, *words)
        assert done.returncode == 2
        assert done.stdout == ''
        assert done.stderr.startswith(f'usage: {prog} COMMAND ...')


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['extrakt'], "error: bmoe: unknown command 'extrakt'; did you mean 'extract'?"),
        (['extract_pose', 'videos'], "error: bmoe: unknown command 'extract_pose'; did you mean 'extract'?"),
        (['face', 'predictt'], "error: bmoe face: unknown command 'predictt'; did you mean 'predict'?"),
        (['xyz'], f"error: bmoe: unknown command 'xyz'; choose from {', '.join(COMMANDS)}"),
        (['--verion'], "error: bmoe: unknown command '--verion'; choose from"),
    ],
)
def test_an_unknown_command_says_what_was_meant(words: list[str], message: str) -> None:
    done = run(BMOE, *words)
    assert done.returncode == 2
    assert done.stdout == ''
    assert done.stderr.startswith(message)
    assert done.stderr.count('\n') == 1


def test_version() -> None:
    assert re.fullmatch(r'bmoe \d+\.\d+\.\d+\n', run(BMOE, '--version').stdout)


@pytest.mark.parametrize('name', list(ALL))
def test_every_command_is_there_and_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    module, function = ALL[name].target.split(':')
    assert callable(getattr(importlib.import_module(module), function))
    with pytest.raises(SystemExit) as ended:
        dispatch([*name.split(), '--help'])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f'usage: bmoe {name} ')
    if module.startswith('bmoe_app'):
        assert f'    bmoe {name} ' in shown or f'\nbmoe {name} ' in shown


def test_help_of_no_command_waits_for_torch() -> None:
    code = f"""
import sys
from bmoe_app.cli import dispatch
for name in {[*ALL]!r}:
    try:
        dispatch([*name.split(), '--help'])
    except SystemExit:
        print(name, *({{'torch', 'mmengine', 'mediapipe', 'timm'}} & set(sys.modules)), file=sys.stderr)
"""
    done = run([sys.executable, '-c', code])
    assert done.stderr.splitlines() == list(ALL), done.stderr


@pytest.mark.parametrize('name', list(ALL))
def test_wrong_options_are_one_line_of_the_parser(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        dispatch([*name.split(), '--no-such-option'])
    assert ended.value.code == 2
    assert f'bmoe {name}: error: ' in capsys.readouterr().err


def test_the_tools_are_doors_to_the_same_commands() -> None:
    for tool, command in DOORS.items():
        text = (REPO / 'tools' / f'{tool}.py').read_text()
        tree = ast.parse(text)
        assert f"run_door('{command}', __file__)" in text
        assert len(tree.body) == 6  # docstring, two imports, the path, the import, the call
        assert f'python tools/{tool}.py ' in (ast.get_docstring(tree) or '')
    assert set(DOORS.values()) == set(ALL) - {'list', 'slurm'}


def test_a_door_names_itself() -> None:
    done = run([sys.executable, 'tools/show_skeletons.py'])
    assert done.returncode == 2
    assert 'usage: python tools/show_skeletons.py' in done.stderr
    shown = run([sys.executable, 'tools/show_skeletons.py', '--help']).stdout
    assert 'python tools/show_skeletons.py docs/images/skeletons.png' in shown
    assert 'bmoe skeletons' not in shown


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f'No module named {name!r}', name='timm.layers')

    monkeypatch.setattr(cli.importlib, 'import_module', missing)
    with pytest.raises(UserError, match=r"bmoe face predict.*'timm.layers'.*pip install 'bmoe-skel\[face\]'"):
        dispatch(['face', 'predict'])


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f'No module named {name!r}', name='bmoe_app.commands.nothing')

    monkeypatch.setattr(cli.importlib, 'import_module', missing)
    with pytest.raises(ModuleNotFoundError):
        dispatch(['list'])


@pytest.mark.parametrize('unbuffered', ['', '1'])
def test_a_reader_that_goes_away_leaves_no_traceback(unbuffered: str) -> None:
    script = 'set -o pipefail; "$@" | true; echo "code ${PIPESTATUS[0]}"'
    code = 'from bmoe_app.cli import main; import time; time.sleep(0.5); main(["list", "skeletons"])'
    env = {**os.environ, 'PYTHONPATH': str(REPO), 'PYTHONUNBUFFERED': unbuffered}
    command = ['bash', '-c', script, 'bash', sys.executable, '-c', code]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.stdout == 'code 141\n'
    assert done.stderr == ''
