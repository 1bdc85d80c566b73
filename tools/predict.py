"""Label track files with a trained checkpoint: what each person did, when, and which part of the body gave it away.

python tools/predict.py work_dirs/bmoe_skel/best.pth poses/
python tools/predict.py best.pth poses/nod/clip.mp4.npz --window 2 --stride 0.5 --out answers.json
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_ground.errors import UserError, run_tool
from bmoe_ground.files import atomic_write
from bmoe_skel.inferencer import MicroActionInferencer


def main() -> int:
    """Parse the command line, predict and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', help='checkpoint of tools/train.py')
    parser.add_argument('tracks', type=Path, help='track file, or folder of them')
    parser.add_argument('--window', type=float, help='seconds of a window (default: the whole clip)')
    parser.add_argument('--stride', type=float, help='seconds between windows (default: half a window)')
    parser.add_argument('--device', default='cpu', help='(default: %(default)s)')
    parser.add_argument('--features', help='folder of precomputed features, for a model that reads them')
    parser.add_argument('--out', type=Path, help='write the answers to this JSON file')
    args = parser.parse_args()
    files = sorted(args.tracks.rglob('*.npz')) if args.tracks.is_dir() else [args.tracks]
    if not files:
        raise UserError(f'{args.tracks} holds no track files (.npz)')
    inferencer = MicroActionInferencer(args.checkpoint, args.device, args.features)
    answers, failed = {}, 0
    for file in files:
        name = file.relative_to(args.tracks).as_posix() if args.tracks.is_dir() else file.name
        try:
            intervals = inferencer.predict_tracks(file, args.window, args.stride, name)
        except UserError as error:
            failed += 1
            answers[name] = {'error': str(error)}
            print(f'{name}: error: {error}', file=sys.stderr)
            continue
        answers[name] = {'intervals': [interval.as_dict() for interval in intervals]}
        if not intervals:
            print(f'{name}: nobody seen')
        for i in intervals:
            print(f'{name}  {i.start:.2f}-{i.end:.2f} s  person {i.person}  {i.label}  {i.score:.2f}  by {i.region}')
    if args.out:
        with atomic_write(args.out) as file:
            file.write(json.dumps(answers, indent=2).encode())
    return 1 if failed else 0


if __name__ == '__main__':
    run_tool(main)
