"""Measure what the auxiliary task brings: the same small transformer with and without it, three seeds each.

python tools/face_evidence.py run fer2013 --data data/fer2013 --out work_dirs/evidence
python tools/face_evidence.py run utkface --data data/utkface --out work_dirs/evidence
python tools/face_evidence.py run real_or_fake --data data/real_or_fake \
    --chips data/utkface --out work_dirs/evidence
python tools/face_evidence.py tables --out work_dirs/evidence
python tools/face_evidence.py reconstructions --out work_dirs/evidence

A run that is finished is not repeated. Set OMP_NUM_THREADS=1 to leave the machine's other cores alone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_ground.errors import run_tool


def main() -> int:
    """Run experiments, or print their tables."""
    # these load torch, which run_tool must come before
    from benchmarks.face_evidence.experiments import EXPERIMENTS
    from benchmarks.face_evidence.reconstruction import examine
    from benchmarks.face_evidence.runs import run_all
    from benchmarks.face_evidence.tables import all_tables

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest='action', required=True)
    run = actions.add_parser('run', help='train and predict')
    run.add_argument('experiment', choices=EXPERIMENTS)
    run.add_argument('--data', type=Path, required=True, help='folder of the data set')
    run.add_argument('--chips', type=Path, help='UTKFace chips, for the false positives of real_or_fake')
    run.add_argument('--variants', nargs='+', help="some of the experiment's variants (default: all)")
    tables = actions.add_parser('tables', help='print the tables of finished runs')
    reconstructions = actions.add_parser('reconstructions', help='how much of the hidden targets the runs bring back')
    for action in (run, tables, reconstructions):
        action.add_argument('--out', type=Path, required=True, help='folder of the runs')
    for action in (run, tables):
        action.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    args = parser.parse_args()
    if args.action == 'tables':
        print(all_tables(args.out, args.seeds))
        return 0
    if args.action == 'reconstructions':
        print(examine(args.out))
        return 0
    variants = args.variants or list(EXPERIMENTS[args.experiment].variants)
    return 1 if run_all(args.experiment, args.data, args.out, args.seeds, variants, args.chips) else 0


if __name__ == '__main__':
    run_tool(main)
