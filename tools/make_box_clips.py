"""Write clips of generated people for the model in the box, in the pickle layout of pyskl and mmaction2.

python tools/make_box_clips.py data/box.pkl                        # 24,000 clips to train on, 1,500 to test
python tools/make_box_clips.py data/box.pkl --train 3000 --seed 1
python tools/make_box_clips.py data/box.pkl --without errors       # for measuring what a part of it is worth
python tools/train.py configs/benchmarks/box.py --cfg-options dataset.ann_file=data/box.pkl
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.box.generate import WITHOUT, write_clips
from bmoe_ground.errors import run_tool


def main() -> int:
    """Run the tool."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', type=Path, help='pickle to write')
    parser.add_argument('--train', type=int, default=24000, help='clips to train on (default: %(default)s)')
    parser.add_argument('--test', type=int, default=1500, help='clips to test on (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--without', nargs='+', default=[], metavar='PART', help=f'of {", ".join(WITHOUT)}')
    args = parser.parse_args()
    started = time.perf_counter()
    counts = write_clips(args.out, args.train, args.test, args.seed, tuple(args.without))
    clips = ', '.join(f'{split} {count}' for split, count in counts.items())
    print(f'{clips} clips written to {args.out} in {time.perf_counter() - started:.0f} s')
    return 0


if __name__ == '__main__':
    run_tool(main)
