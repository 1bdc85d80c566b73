"""Movement signals and rule events of track files, without a model: head angles, lean, hands, nods and so on.

    bmoe signals poses/ --out signals/
    bmoe signals poses/nod/clip.mp4.npz --out signals/ --min-score 0.5

Of poses/nod/clip.mp4.npz come signals/nod/clip.mp4.signals.csv (a row a person and frame), clip.mp4.noise.csv (unit and
noise floor of each signal, and why a layout cannot give one) and clip.mp4.events.csv (a row an event, in
the columns of bmoe infer). What they mean, and their errors: docs/guides/signals.md.

Exit code: 0 every file was done, 1 some could not be, 2 none could be.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bmoe_app.answer.events import event_of_rule
from bmoe_app.answer.files import COLUMNS, event_row, write_table
from bmoe_app.parsing import parse_arguments
from bmoe_app.rules import Found, find_events
from bmoe_app.signals import MIN_SCORE, Signals, compute_signals
from bmoe_app.signals.files import write_noise, write_signals
from bmoe_ground.errors import UserError
from bmoe_ground.folders import walk_files
from bmoe_ground.names import printable
from pose_extract.tracks import load_tracks


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('tracks', type=Path, help='track file, or folder of them')
    parser.add_argument('--out', type=Path, default=Path('signals'), help='folder to write to (default: %(default)s)')
    parser.add_argument(
        '--min-score', type=float, default=MIN_SCORE, help='keypoints below are unseen (default: %(default)s)'
    )


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run the command; see :data:`bmoe_app.cli.COMMANDS`."""
    args = parse_arguments('bmoe signals', __doc__, add_arguments, argv, prog)
    if not 0 <= args.min_score <= 1:
        raise UserError(f'--min-score: must be within 0..1, got {args.min_score}')
    root = args.tracks if args.tracks.is_dir() else args.tracks.parent
    files = [path for path in walk_files(root) if path.suffix == '.npz'] if args.tracks.is_dir() else [args.tracks]
    if not files:
        raise UserError(f'{args.tracks} holds no track files (.npz)')
    failed = 0
    for file in files:
        name = file.relative_to(root).as_posix().removesuffix('.npz')
        try:
            signals = compute_signals(load_tracks(file), args.min_score)
            found = find_events(signals)
            write_signals(args.out / f'{name}.signals.csv', signals)
            write_noise(args.out / f'{name}.noise.csv', signals)
            rows = [event_row(event_of_rule(one)) for one in found.events]
            write_table(args.out / f'{name}.events.csv', [COLUMNS, *rows])
        except UserError as error:
            failed += 1
            print(f'{printable(name)}: error: {error}', file=sys.stderr)
            continue
        _say(printable(name), signals, found)
    if failed:
        print(f'{failed} of {len(files)} files could not be done', file=sys.stderr)
    return 2 if failed == len(files) else int(failed > 0)


def _say(name: str, signals: Signals, found: Found) -> None:
    """Print what was found in one file, and what could not be looked for."""
    if not len(signals.values):
        print(f'{name}: nobody seen')
    elif not found.events:
        print(f'{name}: no rule event')
    for e in found.events:
        print(f'{name}  {e.start:.2f}-{e.end:.2f} s  person {e.person}  {e.label}  {e.score:.2f}  by {e.region}')
    for label, reason in found.unavailable.items():
        print(f'{name}: {label} not looked for: {reason}')
