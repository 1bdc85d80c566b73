"""Animate a public-domain portrait into short clips of seven micro-actions.

    python tools/make_demo_videos.py videos/
    python tools/make_demo_videos.py videos/ --clips 24 --frames 40 --size 288 --seed 0
    python tools/make_demo_videos.py take.mp4 --take 2

Writes videos/<class>/<class>_<number>.mp4 for lean_left, lean_right, nod, shake_head, shrug, still and tilt_head.
With --take, one continuous video in which each of them comes so many times, and take.mp4.truth.csv, which says when.
The same options give the same files.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.demo_take import make_demo_take
from benchmarks.demo_videos import make_demo_videos
from bmoe_ground.errors import run_tool


def main() -> None:
    """Parse the command line and write the clips."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', type=Path, help='folder of the clips, or with --take the video')
    parser.add_argument('--clips', type=int, default=24, help='clips of each class (default: %(default)s)')
    parser.add_argument(
        '--frames', type=int, default=40, help='frames of each clip, at 20 a second (default: %(default)s)'
    )
    parser.add_argument('--size', type=int, default=288, help='side of the square frames (default: %(default)s)')
    parser.add_argument('--take', type=int, metavar='ROUNDS', help='one continuous video, each action ROUNDS times')
    parser.add_argument('--seed', type=int, default=0, help='(default: %(default)s)')
    args = parser.parse_args()
    if args.take is not None:
        events = make_demo_take(args.out, args.take, args.size, args.seed)
        print(f'{len(events)} actions in {args.out}')
        return
    files = make_demo_videos(args.out, args.clips, args.frames, args.size, args.seed)
    print(f'{len(files)} clips of {args.frames} frames in {args.out}')


if __name__ == '__main__':
    run_tool(main)
