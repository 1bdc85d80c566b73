"""Share an extraction out over a Slurm cluster: an array job, a shard of the videos to each of its tasks.

    bmoe slurm --shards 100 --parallel 10 --hours 4 --gpus 1 extract videos/ --out poses/
    bmoe slurm --shards 20 --slurm partition=gpu --slurm account=lab --wait extract videos/ --out poses/
    bmoe slurm --shards 2 --here extract videos/ --out poses/     # as processes of this machine, to try the call

What stands behind `extract` is the call of bmoe extract without --shard; it is checked before anything is submitted. A
shard that runs out of time is put into the queue again and goes on, three times at most; one that was killed is
submitted again with the same call, and does what is missing. All machines must see the folders under the same paths.

Exit code: 0 submitted, or with --wait and --here that of the extraction; 1 some shards or videos failed, 2 nothing was
submitted.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bmoe_app.commands import extract
from bmoe_app.parsing import parse_arguments
from bmoe_ground.errors import UserError
from pose_extract.discovery import videos_at
from pose_extract.shards import Shard
from pose_extract.stores import store_at

_OURS = ('array', 'nodes', 'ntasks', 'ntasks-per-node', 'n', 'N')
"""What of ``sbatch`` cannot be chosen: every shard is one task of the array."""


@dataclass(frozen=True)
class Share:
    """One task of the array. submitit carries it there, calls it, and puts it into the queue again after a timeout.

    Attributes:
        words: The call of ``bmoe extract``.
        shard: Its share.
    """

    words: tuple[str, ...]
    shard: Shard

    def __call__(self) -> int:
        """Extract; returns the exit code."""
        return extract.main([*self.words, '--shard', f'{self.shard.index}/{self.shard.count}', '--quiet'])

    def checkpoint(self) -> Any:
        """What is to be done after a timeout: the same, since what is done is found again."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add('--shards', type=int, required=True, metavar='N', help='tasks of the array; one a video at most')
    add('--parallel', type=int, metavar='N', help='tasks that run at one time (default: as many as there is room for)')
    add('--hours', type=float, default=4.0, help='time limit of a task (default: %(default)s)')
    add('--cpus', type=int, help='processors of a task (default: --jobs of the extraction)')
    add('--gpus', type=int, default=0, help='GPUs of a task (default: %(default)s)')
    add('--memory', type=float, metavar='GB', help="memory of a task (default: the cluster's)")
    add('--slurm', action='append', default=[], metavar='KEY=VALUE', help='further option of sbatch; may be repeated')
    add('--logs', type=Path, default=Path('slurm_logs'), help='folder for logs and what submitit keeps of its jobs')
    add('--wait', action='store_true', help='wait for the end and merge what the shards wrote')
    add('--here', action='store_true', help='without Slurm: all shards at once on this machine; waits')
    add('call', nargs=argparse.REMAINDER, metavar='extract ...', help='the call of bmoe extract')


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run the command; see :data:`bmoe_app.cli.COMMANDS`."""
    args = parse_arguments('bmoe slurm', __doc__, add_arguments, argv, prog)
    told = _checked(args)
    count = min(args.shards, len(videos_at(told.source, told.out)))
    shares = [Share(tuple(args.call[1:]), Shard(index, count)) for index in range(count)]
    jobs = _submit(args, shares, max(told.jobs, 1))
    merge = [told.source, '--out', told.out, '--merge']
    if args.wait or args.here:
        failed = [_failed(job, share) for job, share in zip(jobs, shares, strict=True)]
        return max(extract.main(merge), int(any(failed)))
    print(f'{count} shards submitted as {jobs[0].job_id.partition("_")[0]}; logs: {args.logs}')
    print(f'how far they are: bmoe extract {" ".join(merge)}')
    return 0


def _checked(args: argparse.Namespace) -> argparse.Namespace:
    """The arguments of the extraction.

    Raises:
        UserError: They, or those of the array, cannot be.
    """
    if args.call[:1] != ['extract']:
        raise UserError(
            'bmoe slurm: name the call to share out at the end, as in bmoe slurm --shards 10 extract videos/ --out '
            'poses/; only extract has shards'
        )
    for name in ('shards', 'parallel', 'hours', 'cpus', 'memory'):
        value = getattr(args, name)
        if value is not None and not 0 < value < math.inf:
            raise UserError(f'--{name} must be above 0, got {value}')
    if args.gpus < 0:
        raise UserError(f'--gpus must be at least 0, got {args.gpus}')
    for option in args.slurm:
        key, _, value = option.partition('=')
        if not key or not value or '\n' in option or key in _OURS:
            why = 'every shard is one task of the array' if key in _OURS else 'expected KEY=VALUE, as partition=gpu'
            raise UserError(f'--slurm {option}: {why}')
    told = parse_arguments('bmoe extract', extract.__doc__, extract.add_arguments, args.call[1:], 'bmoe slurm extract')
    if told.shard or told.merge or told.engine != 'processes':
        raise UserError('bmoe slurm gives the shards itself: leave --shard, --merge and --engine out')
    for place in (told.source, told.out):
        store = store_at(place)
        if store and store.has_secret:
            raise UserError(
                f'{store.shown}: submitit keeps the call in a file, so that a password must not stand in it'
            )
    return told


def _submit(args: argparse.Namespace, shares: Sequence[Share], processors: int) -> list[Any]:
    """One array job of all shares; returns submitit's jobs, one a share."""
    import submitit
    from submitit.core.utils import FailedJobError

    try:
        executor = submitit.AutoExecutor(args.logs, 'local' if args.here else 'slurm')
        executor.update_parameters(
            name='bmoe-extract', nodes=1, tasks_per_node=1, timeout_min=math.ceil(60 * args.hours),
            cpus_per_task=args.cpus or processors, gpus_per_node=args.gpus or None, mem_gb=args.memory,
            slurm_array_parallelism=min(args.parallel or len(shares), len(shares)),
            slurm_additional_parameters=dict(option.split('=', 1) for option in args.slurm) or None,
        )  # fmt: skip
        jobs: list[Any] = executor.submit_array(shares)
    except (RuntimeError, FailedJobError, OSError) as error:
        text = ' '.join(str(error).split())
        raise UserError(f'nothing was submitted: {text}; --here tries the call without Slurm') from error
    return jobs


def _failed(job: Any, share: Share) -> bool:
    """Wait for a shard; whether it failed, which is said."""
    error = job.exception()
    if error is not None:
        last = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        print(f'shard {share.shard.index}/{share.shard.count}: {last[0]:.300} (log: {job.paths.stderr})')
    return error is not None
