"""The same many videos through one process, the pool of processes and Ray: seconds, and whether the tracks agree.

python tools/benchmark.py ray VIDEO                     # a thousand videos of ten frames
python tools/benchmark.py ray VIDEO --copies 50 --jobs 4

Each side is `bmoe extract`, a process of its own. Its start-up lasts until the first video begins: imports, the pool or
Ray's cluster, the model; its ending begins with the end of the last one. One video through Ray, which is not counted,
comes first, so that no side is the one that reads the packages from the disk.

Exit code: 0 the tracks are the same bytes, 1 they are not, or some are missing, 2 a side could not run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from benchmarks.machine import machine_and_load
from benchmarks.repeated_video import write_repeated
from bmoe_ground.errors import UserError
from pose_extract.manifest import MANIFEST, read_manifest

REPO = Path(__file__).resolve().parents[1]


class Spent(NamedTuple):
    """Seconds of one side.

    Attributes:
        start: Until the first video began.
        work: From there to the end of the last.
        end: From there to the end of the command.
    """

    start: float
    work: float
    end: float

    @property
    def whole(self) -> float:
        """All of it."""
        return self.start + self.work + self.end


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add('video', type=Path)
    add('--copies', type=int, default=1000, help='(default: %(default)s)')
    add('--frames', type=int, default=10, help='of each, from the beginning (default: %(default)s)')
    add('--jobs', type=int, default=2, help='processes of the pool, and actors of Ray (default: %(default)s)')
    add('--backend', default='mediapipe', help='(default: %(default)s)')


def run(args: argparse.Namespace) -> int:
    """Measure the three sides, print them, and compare their tracks."""
    for name in ('copies', 'frames', 'jobs'):
        if getattr(args, name) < 1:
            raise UserError(f'--{name}: must be at least 1, got {getattr(args, name)}')
    if find_spec('ray') is None:
        raise UserError("Ray is not installed: pip install 'bmoe-skel[ray]'")
    print(f'{machine_and_load()} at the start')
    pool = ['--jobs', str(args.jobs)]
    with_ray = ['--engine', 'ray', *pool]
    sides = {'(a) one process': ['--jobs', '1'], f'(b) {" ".join(pool)}': pool, f'(c) {" ".join(with_ray)}': with_ray}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        videos = folder / 'videos'
        made = write_repeated(args.video, videos / '0.mp4', frames=args.frames)
        size = f'{made.size[0]}x{made.size[1]}'
        print(f'{args.video.name}: {args.copies} copies of {args.frames} frames of {size}; backend {args.backend}')
        extract(videos, folder / 'first', args.backend, with_ray)
        for number in range(1, args.copies):
            (videos / f'{number}.mp4').symlink_to(videos / '0.mp4')
        outs = [folder / side[1] for side in sides]
        spent: list[Spent] = []
        print(f'{"":28}{"seconds":>9}{"start-up":>10}{"work":>9}{"ending":>8}{"x (a)":>9}{"x (b)":>7}')
        for (side, options), out in zip(sides.items(), outs, strict=True):
            spent.append(extract(videos, out, args.backend, options))
            print(_line(side, spent), flush=True)
        print('x: how many times as fast as (a) and (b); in brackets: their work alone')
        return compare(outs, args.copies)


def extract(videos: Path, out: Path, backend: str, options: Sequence[str]) -> Spent:
    """Extract a folder, and tell what took how long by what the manifest says of each video.

    Raises:
        UserError: The command ends with a fault of its own, or no video was begun.
    """
    command = [sys.executable, str(REPO / 'tools/extract_pose.py'), str(videos), '--out', str(out), '--quiet']
    began = time.time()
    done = subprocess.run([*command, '--backend', backend, *options], capture_output=True, text=True, check=False)
    ended = time.time()
    records = read_manifest(out / MANIFEST).values()
    begun = [record for record in records if record['finished']]
    if done.returncode not in (0, 1) or not begun:
        words = done.stderr.strip().splitlines() or ['it said nothing']
        raise UserError(f'{" ".join(options)}: exit code {done.returncode}: {words[-1].removeprefix("error: ")}')
    first = min(record['finished'] - record['seconds'] for record in begun)
    last = max(record['finished'] for record in begun)
    return Spent(first - began, last - first, ended - last)


def _line(side: str, spent: Sequence[Spent]) -> str:
    """The figures of the last side, beside the first two that there are."""
    now = spent[-1]
    figures = f'{now.whole:9.1f}{now.start:10.1f}{now.work:9.1f}{now.end:8.1f}'
    ratios = [f'{other.whole / now.whole:.2f} ({other.work / now.work:.2f})' for other in spent[:-1]]
    return f'{side:28}{figures}' + ''.join(f'{ratio:>14}' for ratio in ratios)


def compare(outs: Sequence[Path], copies: int) -> int:
    """Say whether the track files of all sides are there and the same bytes.

    Args:
        outs: The output folders.
        copies: How many track files each ought to hold.

    Returns:
        0 if they are, else 1.
    """
    sides = [{path.name: path.read_bytes() for path in out.glob('*.npz')} for out in outs]
    names = set().union(*sides)
    differing = sorted(name for name in names if len({side.get(name) for side in sides}) > 1)
    counts = ', '.join(str(len(side)) for side in sides)
    said = f'{len(differing)} differ, the first of them {differing[0]}' if differing else 'the same bytes on all sides'
    print(f'track files: {counts} of {copies}; {said}')
    return int(bool(differing) or any(len(side) != copies for side in sides))
