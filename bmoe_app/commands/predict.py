"""Label track files with a trained checkpoint: what each person did, when, and which part of the body gave it away.

    bmoe predict work_dirs/bmoe_skel/best.pth poses/
    bmoe predict best.pth poses/nod/clip.mp4.npz --window 2 --stride 0.5 --out answers.json

Exit code: 0 every file was read, 1 some could not be, 2 none could be, or the checkpoint is unfit.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bmoe_app.parsing import parse_arguments
from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from bmoe_skel.inferencer import MicroActionInferencer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('checkpoint', help='checkpoint of bmoe train')
    parser.add_argument('tracks', type=Path, help='track file, or folder of them')
    parser.add_argument('--window', type=float, help='seconds of a window (default: the whole clip)')
    parser.add_argument('--stride', type=float, help='seconds between windows (default: half a window)')
    parser.add_argument('--device', default='cpu', help='(default: %(default)s)')
    parser.add_argument('--features', help='folder of precomputed features, for a model that reads them')
    parser.add_argument('--out', type=Path, help='write the answers to this JSON file')


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run the command; see :data:`bmoe_app.cli.COMMANDS`."""
    args = parse_arguments('bmoe predict', __doc__, add_arguments, argv, prog)
    files = sorted(args.tracks.rglob('*.npz')) if args.tracks.is_dir() else [args.tracks]
    if not files:
        raise UserError(f'{args.tracks} holds no track files (.npz)')
    inferencer = MicroActionInferencer(args.checkpoint, args.device, args.features)
    answers: dict[str, dict[str, Any]] = {}
    failed = 0
    for file in files:
        name = file.relative_to(args.tracks).as_posix() if args.tracks.is_dir() else file.name
        try:
            events = inferencer(file, args.window, args.stride, name)
        except UserError as error:
            failed += 1
            answers[name] = {'error': str(error)}
            print(f'{name}: error: {error}', file=sys.stderr)
            continue
        answers[name] = {'events': [event.as_dict() for event in events]}
        if not events:
            print(f'{name}: nobody seen')
        for e in events:
            print(f'{name}  {e.start:.2f}-{e.end:.2f} s  person {e.person}  {e.label}  {e.score:.2f}  by {e.region}')
    if args.out:
        with atomic_write(args.out) as file:
            file.write(json.dumps(answers, indent=2).encode())
    return 2 if failed == len(files) else int(failed > 0)
