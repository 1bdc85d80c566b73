"""Write the submission file of MA-52's challenge from predictions.

    bmoe test configs/bmoe_skel_ma52.py work_dirs/bmoe_skel_ma52/best.pth --dump test.pkl
    bmoe submit test.pkl submission.zip --list data/ma52/test_list_videos.txt
    bmoe submit scores.npz submission.zip --list data/ma52/test_list_videos.txt
    bmoe submit test.pkl submission.zip --list data/ma52/test_list_videos.txt --body own

scores.npz holds `scores` (N, 52), in the list's order or with `names` (N,), and perhaps `body_scores` (N, 7).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from bmoe_app.parsing import parse_arguments
from bmoe_ground.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('predictions', type=Path, help='.pkl of bmoe test --dump, or .npz')
    parser.add_argument('out', type=Path, help='.zip or .csv file to write')
    parser.add_argument('--list', type=Path, required=True, help='test_list_videos.txt: which clips, in which order')
    parser.add_argument(
        '--body', choices=('action', 'own'), default='action', help="body part of the action, or the model's own answer"
    )
    parser.add_argument('--fill-class', type=int, help='action for clips without a prediction (default: an error)')


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run the command; see :data:`bmoe_app.cli.COMMANDS`."""
    args = parse_arguments('bmoe submit', __doc__, add_arguments, argv, prog)
    from bmoe_skel.datasets.ma52.lists import clip_name, read_list
    from bmoe_skel.submission import complete, prediction_csv, read_scores, write_submission

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
