"""What can be asked of training and testing on a command line; nothing of them is imported for that."""

from __future__ import annotations

import argparse

_LAUNCHERS = ('none', 'pytorch', 'slurm', 'mpi')


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--work-dir', help='folder for logs and results (default: work_dirs/<config name>)')
    parser.add_argument('--seed', type=int, help="random seed (default: the config's, else 0)")
    parser.add_argument('--deterministic', action='store_true', help='use deterministic algorithms only')
    parser.add_argument(
        '--cfg-options', nargs='+', metavar='KEY=VALUE', help='override config values, e.g. train_cfg.max_epochs=10'
    )
    parser.add_argument(
        '--split-by', choices=['subject'], help='keep every person in one part, by the subject that the labels name'
    )
    parser.add_argument('--launcher', choices=_LAUNCHERS, default='none', help='how several processes were started')
    # torchrun passes this to scripts started through torch.distributed.launch
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)


def train_parser(prog: str | None = None) -> argparse.ArgumentParser:
    """Build the parser of ``bmoe train``; ``prog`` is how the user called it."""
    parser = argparse.ArgumentParser(prog, description='Train a model.')
    parser.add_argument('config', help='config file, or the name of one that comes with the project')
    _add_common(parser)
    parser.add_argument(
        '--resume', nargs='?', const='auto', metavar='auto|FILE', help='go on from the newest checkpoint or from FILE'
    )
    parser.add_argument('--overwrite', action='store_true', help='replace the checkpoints of an earlier training')
    parser.add_argument('--epochs', type=int, help="instead of the config's; its schedules are stretched with it")
    parser.add_argument('--amp', action='store_true', help='mixed precision (float16 on a GPU, bfloat16 on a CPU)')
    parser.add_argument('--no-validate', action='store_true', help='do not validate during training')
    parser.add_argument('--auto-scale-lr', action='store_true', help='scale the learning rate with the batch size')
    return parser


def test_parser(prog: str | None = None) -> argparse.ArgumentParser:
    """Build the parser of ``bmoe test``; ``prog`` is how the user called it."""
    parser = argparse.ArgumentParser(prog, description='Test a trained model.')
    parser.add_argument('config', help='config file, or the name of one that comes with the project')
    parser.add_argument('checkpoint', help='checkpoint file')
    _add_common(parser)
    parser.add_argument('--dump', metavar='FILE.pkl', help='write every prediction to a pickle of plain dicts')
    return parser
