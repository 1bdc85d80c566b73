"""Write a data set in MA-52's layout with synthetic people, to rehearse everything before the real files are there.

python tools/make_rehearsal.py data/rehearsal                             # 22,422 clips, about 480 MB
python tools/make_rehearsal.py data/rehearsal --lists data/ma52           # with the official lists' names and labels
python tools/make_rehearsal.py data/small --scale 0.05
python tools/make_rehearsal.py data/rehearsal --check-only                # how far a linear model gets on it

Scores on this set say nothing about MA-52.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.rehearsal import write_rehearsal
from benchmarks.rehearsal_floor import linear_floor
from bmoe_ground.errors import run_tool


def main() -> int:
    """Run the tool."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', type=Path, help='folder to write')
    parser.add_argument('--scale', type=float, default=1.0, help='share of the clips (default: all)')
    parser.add_argument('--lists', type=Path, help='folder of the official lists (default: made after their counts)')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--overwrite', action='store_true', help='replace files that are there')
    parser.add_argument(
        '--check-only', action='store_true', help='write nothing; fit the linear model to what is there'
    )
    args = parser.parse_args()
    if args.check_only:
        for key, value in linear_floor(args.out).items():
            print(f'{key:<16} {value:.4f}')
        return 0
    started = time.perf_counter()
    counts = write_rehearsal(args.out, args.scale, args.lists, args.seed, args.overwrite)
    size = sum(file.stat().st_size for file in args.out.glob('MA52_*.pkl')) / 1e6
    clips = ', '.join(f'{split} {count}' for split, count in counts.items())
    print(f'{clips} clips, {size:.0f} MB written to {args.out} in {time.perf_counter() - started:.0f} s')
    return 0


if __name__ == '__main__':
    run_tool(main)
