"""The command ``bmoe``: one name for everything that can be done from a shell.

    bmoe --help
    bmoe extract videos/ --backend mediapipe
    bmoe face predict photos/ --checkpoint best.pth --out faces.csv

Exit code: 0 all was done, 1 a part failed and the rest was done, 2 nothing could be done or the call is wrong.
Nothing heavy is imported before a command is chosen, and its words are found to be right.
"""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bmoe_ground.errors import UserError, run_tool
from bmoe_ground.version import __version__


class Command(NamedTuple):
    """One command: what it does in a line, and ``module:function`` taking (argv, prog) and giving an exit code."""

    summary: str
    target: str


FACE: Mapping[str, Command] = {
    'crop': Command('cut the faces out of a set of images or videos', 'bmoe_app.commands.face_crop:main'),
    'predict': Command('label the faces in images and videos', 'bmoe_app.commands.face_predict:main'),
}
COMMANDS: Mapping[str, Command | Mapping[str, Command]] = {
    'app': Command('a page in the browser: drop videos, see answers', 'bmoe_app.server.command:main'),
    'infer': Command('videos or tracks to events: who did what, when', 'bmoe_app.commands.infer:main'),
    'live': Command('events while a camera, a file or a stream runs', 'bmoe_app.commands.live:main'),
    'extract': Command('videos to keypoint tracks', 'bmoe_app.commands.extract:main'),
    'slurm': Command('bmoe extract as an array job of a Slurm cluster', 'bmoe_app.commands.slurm:main'),
    'show': Command('draw tracks over their video, and a contact sheet', 'bmoe_app.commands.show:main'),
    'convert': Command('pose files of one kind to another, one layout to another', 'bmoe_app.commands.convert:main'),
    'check': Command("go through a config's data before training", 'bmoe_app.commands.check:main'),
    'train': Command('train a model from a config', 'mm_runtime.doors:train'),
    'test': Command('score a trained model', 'mm_runtime.doors:test'),
    'signals': Command('movement signals and rule events of tracks, no model', 'bmoe_app.commands.signals:main'),
    'export': Command('a trained checkpoint to ONNX or torch.export', 'bmoe_app.commands.export:main'),
    'submit': Command("write the submission file of MA-52's challenge", 'bmoe_app.commands.submit:main'),
    'face': FACE,
    'list': Command('configs, keypoint layouts, backends and textures by name', 'bmoe_app.commands.listing:main'),
    'skeletons': Command('draw all keypoint layouts with their regions', 'bmoe_app.commands.skeletons:main'),
}

# what a missing package belongs to; the others are always installed
_EXTRAS = {
    'timm': 'face',
    'PIL': 'face',
    'skimage': 'face',
    'pandas': 'face',
    'fairlearn': 'face',
    'mediapipe': 'mediapipe',
    'onnx': 'onnx',
    'onnxruntime': 'onnx',
    'tensorboard': 'tensorboard',
    'submitit': 'slurm',
    'starlette': 'app',
    'uvicorn': 'app',
}


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``bmoe`` and exit.

    Args:
        argv: Arguments without the program's name; the process's own if None.
    """
    run_tool(partial(dispatch, sys.argv[1:] if argv is None else argv))


def run_door(command: str, script: str) -> None:
    """Run one command as a script of ``tools/`` and exit; help and errors then name the script.

    Args:
        command: Such as 'extract' or 'face predict'.
        script: The script's ``__file__``.
    """
    words = [*command.split(), *sys.argv[1:]]
    run_tool(partial(dispatch, words, called=f'python tools/{Path(script).name}'))


def dispatch(
    words: Sequence[str],
    prog: str = 'bmoe',
    commands: Mapping[str, Command | Mapping[str, Command]] = COMMANDS,
    called: str | None = None,
) -> int:
    """Find a command and run it.

    Args:
        words: The command, and its own arguments.
        prog: What was typed before.
        commands: The commands to choose from, or groups of them.
        called: How the user called the command, where it was not by this name.

    Returns:
        The exit code.

    Raises:
        UserError: There is no such command, an argument of it is wrong, or a package that it needs is missing.
    """
    if not words:
        print(_help(prog, commands), file=sys.stderr)
        return 2
    name, rest = words[0], words[1:]
    if name in ('-h', '--help'):
        print(_help(prog, commands))
        return 0
    if name == '--version' and commands is COMMANDS:
        print(f'bmoe {__version__}')
        return 0
    if name not in commands:
        near = difflib.get_close_matches(name, commands, n=1, cutoff=0.5)
        hint = f"did you mean '{near[0]}'?" if near else f'choose from {", ".join(commands)}'
        raise UserError(f"{prog}: unknown command '{name}'; {hint}")
    found = commands[name]
    if not isinstance(found, Command):
        return dispatch(rest, f'{prog} {name}', found, called)
    module, function = found.target.split(':')
    try:
        return getattr(importlib.import_module(module), function)(rest, called or f'{prog} {name}') or 0
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or '').split('.')[0])
        if extra is None:
            raise
        raise UserError(
            f"{prog} {name} needs the package '{error.name}', which is not installed: pip install 'bmoe-skel[{extra}]'"
        ) from error


def _help(prog: str, commands: Mapping[str, Command | Mapping[str, Command]]) -> str:
    lines = [f'usage: {prog} COMMAND ...', '']
    for name, found in commands.items():
        summary = found.summary if isinstance(found, Command) else f'faces: {", ".join(found)}'
        lines.append(f'  {name:<10} {summary}')
    return '\n'.join([*lines, '', f'{prog} COMMAND --help says how each is used.'])
