"""Learning curves of the auxiliary task's targets, as a queue of small trainings that may be stopped at any moment.

Each run leaves one JSON, whole or not at all; a queue that is started again passes over what is done and goes on with
the training that was cut off. Seeds are in the outer loop, so that a queue that is never finished holds whole curves.

    python tools/benchmark.py face-curves --data utkface=data/utkface fer2013=data/fer2013 --out work_dirs/curves
    python tools/benchmark.py face-curves --out work_dirs/curves --tables
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import torch

from benchmarks.face_curves.plan import SETS, SHARES, TARGETS, Run
from benchmarks.face_curves.runs import result_file, train_one
from benchmarks.face_curves.tables import all_tables
from benchmarks.face_evidence.runs import shrink_images
from bmoe_ground.errors import UserError, run_tool

_REPO = Path(__file__).resolve().parents[2]
STEPS = 12000
"""Of each training: at some 150 images a second on a core, with one unlabelled beside each labelled, 1.5 hours."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line of this benchmark."""
    parser.add_argument('--data', nargs='+', metavar='SET=FOLDER', default=[], help=f'of {", ".join(SETS)}')
    parser.add_argument('--out', type=Path, required=True, help='folder of the results')
    parser.add_argument('--targets', nargs='+', choices=TARGETS, default=list(TARGETS), help='default: all')
    parser.add_argument('--shares', type=float, nargs='+', default=list(SHARES), help='of labels (default: all)')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument('--steps', type=int, default=STEPS, help=f'of each training (default {STEPS})')
    parser.add_argument('--ratio', type=int, default=1, help='unlabelled faces beside each labelled one (default 1)')
    parser.add_argument('--tables', action='store_true', help='only print the tables of what is finished')


def run(arguments: argparse.Namespace) -> int:
    """Run what is not done, print the tables, and return 0, 1 if some runs failed or 2 if all of them did."""
    failed: list[Run] = []
    runs: list[Run] = []
    if not arguments.tables:
        folders = read_folders(arguments.data)
        runs = plan(list(folders), arguments.targets, arguments.shares, arguments.seeds)
        if 'utkface' in folders:
            folders['utkface'] = shrink_images(folders['utkface'], arguments.out / 'utkface_small')
        failed = [each for each in runs if not _run(each, folders[each.set], arguments)]
    print(all_tables(arguments.out, arguments.shares, arguments.seeds))
    return 0 if not failed else 2 if len(failed) == len(runs) else 1


def read_folders(words: Sequence[str]) -> dict[str, Path]:
    """``SET=FOLDER`` each.

    Raises:
        UserError: There is none, or one names no set or no folder.
    """
    folders = {}
    for word in words:
        name, _, folder = word.partition('=')
        if name not in SETS or not Path(folder).is_dir() or not folder:
            raise UserError(f'--data {word}: expected SET=FOLDER with a set of {", ".join(SETS)} and its folder')
        folders[name] = Path(folder)
    if not folders:
        raise UserError('--data is missing: --data utkface=data/utkface, for example')
    return folders


def plan(sets: Sequence[str], targets: Sequence[str], shares: Sequence[float], seeds: Sequence[int]) -> list[Run]:
    """The runs in their order.

    Raises:
        UserError: A share that is none.
    """
    if wrong := [share for share in shares if not 0 < share <= 1]:
        raise UserError(f'--shares {wrong}: expected numbers above 0 and up to 1')
    return [Run(name, target, share, seed) for seed, name, share, target in product(seeds, sets, shares, targets)]


def _run(each: Run, data: Path, arguments: argparse.Namespace) -> bool:
    """One run in a process of its own; whether it is done."""
    if result_file(arguments.out, each).is_file():
        return True
    folder = arguments.out / each.name
    folder.mkdir(parents=True, exist_ok=True)
    words = [each.set, each.target, each.share, each.seed, data, arguments.out, arguments.steps, arguments.ratio]
    command = [sys.executable, '-m', 'benchmarks.face_curves.queue', *map(str, words)]
    with (folder / 'log.txt').open('a') as log:
        code = subprocess.run(command, stdout=log, stderr=log, env={**os.environ, 'PYTHONPATH': str(_REPO)}).returncode
    print(f'{each.name}: {"done" if code == 0 else f"failed, see {folder}/log.txt"}', flush=True)
    return code == 0


def main() -> int:
    """One run, started by the queue."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('set', choices=SETS)
    parser.add_argument('target', choices=TARGETS)
    parser.add_argument('share', type=float)
    parser.add_argument('seed', type=int)
    parser.add_argument('data', type=Path)
    parser.add_argument('out', type=Path)
    parser.add_argument('steps', type=int)
    parser.add_argument('ratio', type=int)
    args = parser.parse_args()
    torch.set_num_threads(1)
    train_one(Run(args.set, args.target, args.share, args.seed), args.data, args.out, args.steps, args.ratio)
    return 0


if __name__ == '__main__':
    run_tool(main)
