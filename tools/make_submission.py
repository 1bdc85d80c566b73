"""Write the submission file of MA-52's challenge from predictions.

python tools/test.py configs/bmoe_skel_ma52.py work_dirs/bmoe_skel_ma52/best.pth --dump test.pkl
python tools/make_submission.py test.pkl submission.zip --list data/ma52/test_list_videos.txt
python tools/make_submission.py scores.npz submission.zip --list data/ma52/test_list_videos.txt
python tools/make_submission.py test.pkl submission.zip --list data/ma52/test_list_videos.txt --body own

scores.npz holds `scores` (N, 52), in the list's order or with `names` (N,), and perhaps `body_scores` (N, 7).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_ground.errors import UserError, run_tool
from bmoe_skel.datasets.ma52.lists import clip_name, read_list
from bmoe_skel.submission import complete, prediction_csv, read_scores, write_submission


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('predictions', type=Path, help='.pkl of tools/test.py --dump, or .npz')
    parser.add_argument('out', type=Path, help='.zip or .csv file to write')
    parser.add_argument('--list', type=Path, required=True, help='test_list_videos.txt: which clips, in which order')
    parser.add_argument(
        '--body', choices=('action', 'own'), default='action', help="body part of the action, or the model's own answer"
    )
    parser.add_argument('--fill-class', type=int, help='action for clips without a prediction (default: an error)')
    return parser.parse_args()


def main() -> int:
    """Run the tool."""
    args = parse_args()
    wanted = [entry.name for entry in read_list(args.list)]
    names, scores, body = read_scores(args.predictions)
    if args.body == 'own' and body is None:
        raise UserError(f'--body own: {args.predictions} holds no body scores; its model needs head.body_mode')
    if names is None and len(scores) != len(wanted):
        raise UserError(f'{args.predictions}: {len(scores)} scores without names, {args.list} has {len(wanted)} clips')
    clips = wanted if names is None else [clip_name(name) for name in names]
    scores, body = complete(clips, scores, body if args.body == 'own' else None, wanted, args.fill_class)
    write_submission(args.out, prediction_csv(wanted, scores, body))
    print(f'{len(wanted)} clips ({len(wanted) - len(clips)} filled) written to {args.out}')
    return 0


if __name__ == '__main__':
    run_tool(main)
