"""Cross-validation of a config on a pickle of clips, and of the mixture without each of its parts.

With ``--protocol own`` nothing is dealt out: the config's own parts train and test.

Every run is a training and a test in a folder of its own, ``<out>/<variant>/seed<S>_fold<F>``. What it took, and on
which machine, is kept in its ``run.json``, which is written last: a run that has one is not run again, so that a job
that was stopped or killed goes on. :mod:`benchmarks.run_report` makes table and pictures from these files alone.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.run_report import collect, print_machines, read_metrics, report, require_metrics, summary
from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write, remove_remains
from mm_runtime.cli import test_main, train_main
from pose_extract.skeletons import REGIONS

# protocol: how the clips are dealt, see bmoe_skel.datasets.folds.fold_mask
PROTOCOLS: dict[str, dict[str, Any]] = {
    'clips5': {'num_folds': 5},
    'clips10': {'num_folds': 10},
    'view': {'by': 'view'},
    'subject': {'by': 'subject'},
    'subject5': {'by': 'subject', 'num_folds': 5},
    'half_subjects': {'by': 'subject', 'num_folds': 'half'},
    'own': {},
}
# variant: what it changes in the config
VARIANTS: dict[str, list[str]] = {
    'full': [],
    'no_macro': ['model.expert.m3e.macro=false', 'model.global_stream.m3e.macro=false'],
    'no_micro': ['model.expert.m3e.micro=false', 'model.global_stream.m3e.micro=false'],
    'mean_router': ['model.router.kind=mean'],
    'top2': ['model.router.top_k=2'],
    'top1': ['model.router.top_k=1', 'model.router.gate=true', 'model.router.balance_weight=0.02'],
    'relations': ['model.router.relations=true'],
    'told': ['model.router.region_weight=0.2'],
    'asks_only': ['model.router.feed_query=false'],
    'asks_only_mean': ['model.router.feed_query=false', 'model.router.kind=mean'],
    'asks_only_relations': ['model.router.feed_query=false', 'model.router.relations=true'],
    'asks_only_top1': [
        *('model.router.feed_query=false', 'model.router.top_k=1'),
        *('model.router.gate=true', 'model.router.balance_weight=0.02'),
    ],
    'no_global': ['model.global_stream=null'],
    'no_region_dropout': ['train_pipeline.DropJoints.region_prob=0.0'],
    'no_side_losses': ['model.head.side_weight=0.0'],
    'even_pace': ['train_pipeline.SampleFrames.warp=0.0', 'train_pipeline.SampleFrames.crop=[0.5,1.0]'],
    'stage2': [],
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``tools/cross_validate.py``."""
    parser.add_argument('ann_file', nargs='?', help='pickle of clips; with --protocol own the config may name its data')
    parser.add_argument('--config', default='configs/benchmarks/skeleton.py', help='(default: %(default)s)')
    parser.add_argument('--split', help='split of the pickle to deal out (default: all clips)')
    parser.add_argument('--protocol', choices=sorted(PROTOCOLS), default='clips5', help='(default: %(default)s)')
    parser.add_argument('--folds', type=int, nargs='+', default=[0], help='folds to run (default: 0)')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0], help='(default: 0)')
    parser.add_argument('--paired', action='store_true', help='run seed i on fold i only, not every seed on every fold')
    parser.add_argument('--variants', nargs='+', choices=sorted(VARIANTS), default=['full'], help='(default: full)')
    parser.add_argument(
        '--keys',
        nargs='+',
        default=['top1', 'f1_macro'],
        help='metrics shown, also top1_whole or top1_<region>: one part alone (default: top1 f1_macro)',
    )
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument('--out', type=Path, help='folder of the runs')
    target.add_argument(
        '--collect', type=Path, nargs='+', metavar='OUT', help='run nothing: one table of the runs in these folders'
    )
    parser.add_argument('--epochs', type=int, help="instead of the config's; its schedules are stretched with it")
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE', help='changes to the config')


def run_one(arguments: argparse.Namespace, variant: str, seed: int, fold: int) -> dict[str, Any]:
    """Train and test once, unless it was done before.

    Args:
        arguments: As :func:`add_arguments` defines them.
        variant: A key of ``VARIANTS``.
        seed: The run's seed.
        fold: The fold tested.

    Returns:
        The run's metrics.
    """
    folder = arguments.out / variant / f'seed{seed}_fold{fold}'
    if not (folder / 'run.json').is_file():
        options = _options(arguments, fold) + VARIANTS[variant] + arguments.cfg_options
        if variant == 'stage2':
            options += _stage_one(arguments, folder, seed, fold)
        resumed, started = (folder / 'last_checkpoint').is_file(), time.perf_counter()
        common = ['--work-dir', str(folder), '--seed', str(seed), '--cfg-options', *options]
        train_main([arguments.config, '--resume', 'auto', *_epochs(arguments), *common])
        test_main([arguments.config, (folder / 'last_checkpoint').read_text().strip(), *common])
        record = {'config': arguments.config, 'minutes': (time.perf_counter() - started) / 60, 'machine': machine()}
        # of a run that was cut off, nobody knows how long it took before
        record |= {'epochs': arguments.epochs, 'options': arguments.cfg_options, 'resumed': resumed}
        with atomic_write(folder / 'run.json') as file:
            file.write(f'{json.dumps(record, indent=2)}\n'.encode())
    return read_metrics(folder)


def _epochs(arguments: argparse.Namespace) -> list[str]:
    return [] if arguments.epochs is None else ['--epochs', str(arguments.epochs)]


def machine() -> str:
    """Say what computes: processor, threads used and cores there are, torch."""
    if torch.cuda.is_available():
        name = torch.cuda.get_device_name()
    else:
        info = Path('/proc/cpuinfo')
        lines = info.read_text().splitlines() if info.is_file() else []
        names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
        name = names[0] if names else platform.processor() or platform.machine()
    return f'{name}, {torch.get_num_threads()} of {os.cpu_count()} cores, torch {torch.__version__}'


def _options(arguments: argparse.Namespace, fold: int) -> list[str]:
    options = [] if arguments.ann_file is None else [f'dataset.ann_file={arguments.ann_file}']
    if arguments.protocol == 'own':
        return options
    deal = {**PROTOCOLS[arguments.protocol], 'index': fold}
    for part in ('train', 'test'):
        loader = f'{part}_dataloader.dataset'
        options.append(f'{loader}.split={arguments.split or "null"}')
        options.append(f'{loader}.fold={json.dumps({**deal, "part": part})}')
    return options


def _stage_one(arguments: argparse.Namespace, folder: Path, seed: int, fold: int) -> list[str]:
    """Train each region's expert alone on the same clips; returns the options that start the mixture from them."""
    started = []
    for region in REGIONS:
        work = folder / region
        options = ['preset=stage1', *_options(arguments, fold), *arguments.cfg_options, f'model.region={region}']
        common = ['--work-dir', str(work), '--seed', str(seed), '--cfg-options', *options]
        # one that was cut off goes on; one that was through has nothing left to do
        train_main([arguments.config, '--resume', 'auto', *_epochs(arguments), *common])
        started.append(f'init_experts.{region}={(work / "last_checkpoint").read_text().strip()}')
    return started


def run(arguments: argparse.Namespace) -> int:
    """Run what is missing, then print the table of everything that is there and draw what 'full' confused and trusted.

    Args:
        arguments: As :func:`add_arguments` defines them.

    Returns:
        Exit code 0.
    """
    if arguments.collect:
        print(summary(arguments.collect, arguments.keys))
        print_machines(run for folder in arguments.collect for found in collect(folder).values() for run in found)
        return 0
    if arguments.paired and len(arguments.seeds) != len(arguments.folds):
        raise UserError(f'--paired needs as many seeds as folds, got {len(arguments.seeds)} and {len(arguments.folds)}')
    if arguments.ann_file is None and arguments.protocol != 'own':
        raise UserError(f'--protocol {arguments.protocol} needs a pickle of clips to deal out')
    if arguments.protocol == 'own' and (arguments.folds != [0] or arguments.split):
        raise UserError('--protocol own has one fold and the splits of the config: leave --folds and --split out')
    remove_remains(arguments.out)
    pairs = [(seed, fold) for seed in arguments.seeds for fold in arguments.folds]
    if arguments.paired:
        pairs = list(zip(arguments.seeds, arguments.folds, strict=True))
    for seed, fold in pairs:
        for variant in arguments.variants:
            metrics = run_one(arguments, variant, seed, fold)
            require_metrics(metrics, arguments.keys, arguments.out)  # after the first run, not after the last
    report(arguments.out, arguments.keys)
    return 0
