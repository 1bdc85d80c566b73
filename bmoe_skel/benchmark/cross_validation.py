"""Cross-validation of a config on a pickle of clips, and of the mixture without each of its parts.

With ``--protocol own`` nothing is dealt out: the config's own parts train and test.

Every run is a training and a test in a folder of its own, ``<out>/<variant>/seed<S>_fold<F>``; those whose
``metrics.json`` is there are not run again, so that a stopped job goes on. What each run took, and on which machine, is
kept in its ``run.json``; the table and the pictures are made from these files alone.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bmoe_skel.report import draw_report, draw_routing, frequent_confusions
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
    if not (folder / 'metrics.json').is_file():
        options = _options(arguments, fold) + VARIANTS[variant] + arguments.cfg_options
        if variant == 'stage2':
            options += _stage_one(arguments, folder, seed, fold)
        started = time.perf_counter()
        common = ['--work-dir', str(folder), '--seed', str(seed), '--cfg-options', *options]
        train_main([arguments.config, *_epochs(arguments), *common])
        test_main([arguments.config, (folder / 'last_checkpoint').read_text().strip(), *common])
        record = {'config': arguments.config, 'minutes': (time.perf_counter() - started) / 60, 'machine': machine()}
        record |= {'epochs': arguments.epochs, 'options': arguments.cfg_options}
        (folder / 'run.json').write_text(json.dumps(record, indent=2) + '\n')
    return _metrics(folder)


def _metrics(folder: Path) -> dict[str, Any]:
    """A run's metrics, and ``top1_<part>`` of each part alone where the test wrote them."""
    metrics = json.loads((folder / 'metrics.json').read_text())
    parts = folder / 'parts.json'
    alone = json.loads(parts.read_text()) if parts.is_file() else {}
    return metrics | {f'top1_{name}': part['top1'] for name, part in alone.items()}


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
    config = Path(arguments.config).with_name(Path(arguments.config).stem + '_stage1.py')
    if not config.is_file():
        raise UserError(f'variant stage2 needs a config for single experts beside {arguments.config}: {config}')
    for region in REGIONS:
        work = folder / region
        if not (work / 'last_checkpoint').is_file():
            options = [*_options(arguments, fold), *arguments.cfg_options, f'model.region={region}']
            common = ['--work-dir', str(work), '--seed', str(seed), '--cfg-options', *options]
            train_main([str(config), *_epochs(arguments), *common])
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
            {**facts, **_metrics(path.parent), 'seed': int(seed), 'fold': int(fold)}
        )
    return found


def _read_all(out: Path, variant: str, name: str) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(out.glob(f'{variant}/seed*_fold*/{name}'))]


def mean_routing(out: Path, variant: str = 'full') -> tuple[np.ndarray, list[str], int]:
    """Average the routing tables of a variant's runs.

    Args:
        out: The folder given to ``--out``.
        variant: The variant.

    Returns:
        (C, R) mean weights over the runs that tested a class, the C class names, and the number of runs.
    """
    tables = _read_all(out, variant, 'routing.json')
    classes = list(dict.fromkeys(name for table in tables for name in table))
    rows = [[[t[name][r] for r in REGIONS] for t in tables if name in t] for name in classes]
    return np.array([np.mean(row, axis=0) for row in rows]).reshape(-1, len(REGIONS)), classes, len(tables)


def summed_confusion(out: Path, variant: str = 'full') -> tuple[np.ndarray, list[str], int]:
    """Sum the confusion matrices of a variant's runs.

    Args:
        out: The folder given to ``--out``.
        variant: The variant.

    Returns:
        (C, C) counts, rows are the labels; the C class names; and the number of runs.

    Raises:
        UserError: Runs of different classes.
    """
    tables = _read_all(out, variant, 'confusion.json')
    classes = tables[0]['classes'] if tables else []
    if any(t['classes'] != classes for t in tables):
        raise UserError(f'{out}/{variant} has runs of different classes: give each set of data a folder of its own')
    return np.sum([t['rows_are_the_truth'] for t in tables], axis=0), classes, len(tables)


def table(runs: dict[str, list[dict[str, Any]]], keys: Sequence[str] = ('top1', 'f1_macro')) -> str:
    """Lay the runs out as a Markdown table: mean and standard deviation, in per cent.

    Where every one of several seeds has run the same folds, a seed's figure is its mean over the folds, and the
    standard deviation is that of the seeds; else it is that of the runs. The column "spread of" says which. A variant's
    difference from 'full' is taken run by run, over the seeds and folds that both have.

    Args:
        runs: From :func:`collect`.
        keys: The metrics to show.

    Returns:
        The table.
    """
    rows = [
        f'| variant | spread of | {" | ".join(keys)} | {keys[0]} against full, same seed and fold | minutes a run |',
        '|---|---|' + '---|' * (len(keys) + 2),
    ]
    full = {(run['seed'], run['fold']): run for run in runs.get('full', [])}
    for variant in sorted(runs, key=lambda name: (name != 'full', name)):
        spread, cells = _figures(runs[variant], keys)
        pairs = [(run, full[run['seed'], run['fold']]) for run in runs[variant] if (run['seed'], run['fold']) in full]
        gain = _mean([100 * (a[keys[0]] - b[keys[0]]) for a, b in pairs], '+') if variant != 'full' and pairs else ''
        cells += [gain, _minutes(runs[variant])]
        rows.append(f'| {variant} | {spread} | ' + ' | '.join(cells) + ' |')
    return '\n'.join(rows)


def summary(folders: Sequence[Path], keys: Sequence[str] = ('top1', 'f1_macro')) -> str:
    """Lay the runs of several folders out as one Markdown table, a row for each variant of each.

    Args:
        folders: Each was given to ``--out``.
        keys: The metrics to show.

    Returns:
        The table; means and standard deviations as in :func:`table`.

    Raises:
        UserError: A folder without finished runs, or a metric that its runs have not.
    """
    rows = [
        f'| runs | variant | spread of | {" | ".join(keys)} | minutes a run |',
        '|---|---|---|' + '---|' * (len(keys) + 1),
    ]
    for folder in folders:
        found = collect(folder)
        if not found:
            raise UserError(f'{folder}: no finished runs in it (<variant>/seed<S>_fold<F>/metrics.json)')
        for variant, runs in found.items():
            for run in runs:
                _require(run, keys, folder)
            spread, cells = _figures(runs, keys)
            rows.append(f'| {folder.name} | {variant} | {spread} | {" | ".join(cells)} | {_minutes(runs)} |')
    return '\n'.join(rows)


def _require(metrics: Mapping[str, Any], keys: Sequence[str], folder: Path) -> None:
    for key in keys:
        if key not in metrics:
            raise UserError(f'--keys {key}: there is no such metric in {folder}, there are {sorted(metrics)}')


def _figures(runs: Sequence[dict[str, Any]], keys: Sequence[str]) -> tuple[str, list[str]]:
    """What the spread is of, and mean and spread of each metric in per cent."""
    groups = _groups(runs)
    folds = len(groups[0])
    spread = f'{len(groups)} runs' if folds == 1 else f'{len(groups)} seeds, each the mean of {folds} folds'
    return spread, [_mean([100 * statistics.mean(run[key] for run in group) for group in groups]) for key in keys]


def _minutes(runs: Sequence[dict[str, Any]]) -> str:
    minutes = [run['minutes'] for run in runs if 'minutes' in run]
    return f'{statistics.mean(minutes):.1f}' if minutes else ''


def _groups(runs: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The runs by seed where all of several seeds have the same folds, else one by one."""
    seeds: dict[int, list[dict[str, Any]]] = {}
    for run in runs:
        seeds.setdefault(run['seed'], []).append(run)
    folds = {tuple(sorted(run['fold'] for run in group)) for group in seeds.values()}
    return list(seeds.values()) if len(seeds) > 1 and len(folds) == 1 else [[run] for run in runs]


def _mean(values: Sequence[float], sign: str = '') -> str:
    spread = f' ± {statistics.stdev(values):.1f}' if len(values) > 1 else ''
    return f'{statistics.mean(values):{sign}.1f}{spread}'


def run(arguments: argparse.Namespace) -> int:
    """Run what is missing, then print the table of everything that is there and draw what 'full' confused and trusted.

    Args:
        arguments: As :func:`add_arguments` defines them.

    Returns:
        Exit code 0.
    """
    if arguments.collect:
        print(summary(arguments.collect, arguments.keys))
        _print_machines(run for folder in arguments.collect for found in collect(folder).values() for run in found)
        return 0
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
            metrics = run_one(arguments, variant, seed, fold)
            _require(metrics, arguments.keys, arguments.out)  # after the first run, not after the last
    runs = collect(arguments.out)
    print(table(runs, arguments.keys))
    _print_machines(run for found in runs.values() for run in found)
    routing, classes, count = mean_routing(arguments.out)
    if classes:
        path = arguments.out / 'routing.png'
        draw_routing(path, routing, classes, f'Weight of each region, mean of {count} runs')
        print(f'picture: {path}')
    confusion, classes, count = summed_confusion(arguments.out)
    if classes:
        path = arguments.out / 'confusion.png'
        draw_report(path, confusion, None, classes)
        print(f'most frequent mistakes, sum of {count} runs:', *frequent_confusions(confusion, classes), sep='\n  ')
        print(f'picture: {path}')
    return 0


def _print_machines(runs: Iterable[dict[str, Any]]) -> None:
    for name in sorted({run['machine'] for run in runs if 'machine' in run}):
        print(f'on {name}')
