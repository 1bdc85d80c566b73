"""Cross-validation of a config on a pickle of clips, and of the mixture without each of its parts.

With ``--protocol own`` nothing is dealt out: the config's own parts train and test.

Every run is a training and a test in a folder of its own, ``<out>/<variant>/seed<S>_fold<F>``; those whose
``metrics.json`` is there are not run again, so that a stopped job goes on. What each run took, and on which machine, is
kept in its ``run.json``; the table and the picture of the routing are made from these files alone.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bmoe_skel.report import draw_routing
from mm_runtime.cli import test_main, train_main
from mm_runtime.errors import UserError
from pose_extract.skeletons import REGIONS

# protocol: how the clips are dealt, see bmoe_skel.data.folds.fold_mask
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
    'no_global': ['model.global_stream=null'],
    'no_region_dropout': ['train_dataloader.dataset.pipeline.4.region_prob=0.0'],
    'no_side_losses': ['model.aux_weight=0.0'],
    'even_pace': ['train_dataloader.dataset.pipeline.1.warp=0.0', 'train_dataloader.dataset.pipeline.1.crop=[0.5,1.0]'],
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
        '--keys', nargs='+', default=['top1', 'f1_macro'], help='metrics shown (default: top1 f1_macro)'
    )
    parser.add_argument('--out', type=Path, required=True, help='folder of the runs')
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
    if not (folder / 'metrics.json').is_file():
        options = _options(arguments, fold) + VARIANTS[variant] + arguments.cfg_options
        if variant == 'stage2':
            options += _stage_one(arguments, folder, seed, fold)
        started = time.perf_counter()
        common = ['--work-dir', str(folder), '--seed', str(seed), '--cfg-options', *options]
        train_main([arguments.config, *common])
        test_main([arguments.config, (folder / 'last_checkpoint').read_text().strip(), *common])
        record = {'config': arguments.config, 'minutes': (time.perf_counter() - started) / 60, 'machine': machine()}
        (folder / 'run.json').write_text(json.dumps({**record, 'options': arguments.cfg_options}, indent=2) + '\n')
    return json.loads((folder / 'metrics.json').read_text())


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
    config = Path(arguments.config).with_name(Path(arguments.config).stem + '_stage1.py')
    if not config.is_file():
        raise UserError(f'variant stage2 needs a config for single experts beside {arguments.config}: {config}')
    for region in REGIONS:
        work = folder / region
        if not (work / 'last_checkpoint').is_file():
            options = [*_options(arguments, fold), *arguments.cfg_options, f'model.region={region}']
            train_main([str(config), '--work-dir', str(work), '--seed', str(seed), '--cfg-options', *options])
        started.append(f'model.init_experts.{region}={(work / "last_checkpoint").read_text().strip()}')
    return started


def collect(out: Path) -> dict[str, list[dict[str, Any]]]:
    """Read the metrics of all runs below a folder.

    Args:
        out: The folder given to ``--out``.

    Returns:
        Variant to the metrics of its runs, each with ``seed`` and ``fold``.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(out.glob('*/seed*_fold*/metrics.json')):
        seed, fold = path.parent.name.removeprefix('seed').split('_fold')
        record = path.with_name('run.json')
        facts = json.loads(record.read_text()) if record.is_file() else {}
        found.setdefault(path.parts[-3], []).append(
            {**facts, **json.loads(path.read_text()), 'seed': int(seed), 'fold': int(fold)}
        )
    return found


def mean_routing(out: Path, variant: str = 'full') -> tuple[np.ndarray, list[str], int]:
    """Average the routing tables of a variant's runs.

    Args:
        out: The folder given to ``--out``.
        variant: The variant.

    Returns:
        (C, R) mean weights over the runs that tested a class, the C class names, and the number of runs.
    """
    tables = [json.loads(path.read_text()) for path in sorted(out.glob(f'{variant}/seed*_fold*/routing.json'))]
    classes = list(dict.fromkeys(name for table in tables for name in table))
    rows = [[[t[name][r] for r in REGIONS] for t in tables if name in t] for name in classes]
    return np.array([np.mean(row, axis=0) for row in rows]).reshape(-1, len(REGIONS)), classes, len(tables)


def table(runs: dict[str, list[dict[str, Any]]], keys: Sequence[str] = ('top1', 'f1_macro')) -> str:
    """Lay the runs out as a Markdown table: mean and standard deviation over runs, in per cent.

    A variant's difference from 'full' is taken run by run, over the seeds and folds that both have.

    Args:
        runs: From :func:`collect`.
        keys: The metrics to show.

    Returns:
        The table.
    """
    rows = [
        '| variant | runs | ' + ' | '.join(keys) + f' | {keys[0]} against full, same seed and fold | minutes a run |',
        '|---|---|' + '---|' * (len(keys) + 2),
    ]
    full = {(run['seed'], run['fold']): run for run in runs.get('full', [])}
    for variant in sorted(runs, key=lambda name: (name != 'full', name)):
        cells = [_mean([100 * run[key] for run in runs[variant]]) for key in keys]
        pairs = [(run, full[run['seed'], run['fold']]) for run in runs[variant] if (run['seed'], run['fold']) in full]
        gain = _mean([100 * (a[keys[0]] - b[keys[0]]) for a, b in pairs], '+') if variant != 'full' and pairs else ''
        minutes = [run['minutes'] for run in runs[variant] if 'minutes' in run]
        cells += [gain, f'{statistics.mean(minutes):.1f}' if minutes else '']
        rows.append(f'| {variant} | {len(runs[variant])} | ' + ' | '.join(cells) + ' |')
    return '\n'.join(rows)


def _mean(values: Sequence[float], sign: str = '') -> str:
    spread = f' ± {statistics.stdev(values):.1f}' if len(values) > 1 else ''
    return f'{statistics.mean(values):{sign}.1f}{spread}'


def run(arguments: argparse.Namespace) -> int:
    """Run what is missing, then print the table of everything that is there and draw the routing of 'full'.

    Args:
        arguments: As :func:`add_arguments` defines them.

    Returns:
        Exit code 0.
    """
    if arguments.paired and len(arguments.seeds) != len(arguments.folds):
        raise UserError(f'--paired needs as many seeds as folds, got {len(arguments.seeds)} and {len(arguments.folds)}')
    if arguments.ann_file is None and arguments.protocol != 'own':
        raise UserError(f'--protocol {arguments.protocol} needs a pickle of clips to deal out')
    if arguments.protocol == 'own' and (arguments.folds != [0] or arguments.split):
        raise UserError('--protocol own has one fold and the splits of the config: leave --folds and --split out')
    pairs = [(seed, fold) for seed in arguments.seeds for fold in arguments.folds]
    if arguments.paired:
        pairs = list(zip(arguments.seeds, arguments.folds, strict=True))
    for seed, fold in pairs:
        for variant in arguments.variants:
            run_one(arguments, variant, seed, fold)
    runs = collect(arguments.out)
    known = set.intersection(*(set(run) for found in runs.values() for run in found))
    for key in arguments.keys:
        if key not in known:
            raise UserError(f'--keys {key}: the runs in {arguments.out} have no such metric; they have {sorted(known)}')
    print(table(runs, arguments.keys))
    for name in sorted({run['machine'] for found in runs.values() for run in found if 'machine' in run}):
        print(f'on {name}')
    routing, classes, count = mean_routing(arguments.out)
    if classes:
        path = arguments.out / 'routing.png'
        draw_routing(path, routing, classes, f'Weight of each region, mean of {count} runs')
        print(f'picture: {path}')
    return 0
