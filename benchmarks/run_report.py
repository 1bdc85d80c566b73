"""What the runs of a cross-validation left in their folders, as tables and pictures.

A run's folder, ``<out>/<variant>/seed<S>_fold<F>``, holds what the test wrote (``metrics.json``, ``parts.json``,
``routing.json``, ``confusion.json``) and ``run.json`` of :mod:`benchmarks.cross_validation`, which is written
last.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_skel.hooks.report import draw_report, draw_routing, frequent_confusions
from pose_extract.skeletons import REGIONS


def report(out: Path, keys: Sequence[str]) -> None:
    """Print the table of all runs below a folder, and draw what the variant 'full' confused and trusted.

    Args:
        out: The folder given to ``--out``; ``routing.png`` and ``confusion.png`` are written to it.
        keys: The metrics to show.

    Raises:
        UserError: Runs of different classes.
    """
    runs = collect(out)
    print(table(runs, keys))
    print_machines(run for found in runs.values() for run in found)
    routing, classes, count = mean_routing(out)
    if classes:
        path = out / 'routing.png'
        draw_routing(path, routing, classes, f'Weight of each region, mean of {count} runs')
        print(f'picture: {path}')
    confusion, classes, count = summed_confusion(out)
    if classes:
        path = out / 'confusion.png'
        draw_report(path, confusion, None, classes)
        print(f'most frequent mistakes, sum of {count} runs:', *frequent_confusions(confusion, classes), sep='\n  ')
        print(f'picture: {path}')


def read_metrics(folder: Path) -> dict[str, Any]:
    """Read the metrics of one run.

    Args:
        folder: The run's work folder.

    Returns:
        Metric to value, and ``top1_<part>`` of each part alone where the test wrote it.
    """
    metrics = json.loads((folder / 'metrics.json').read_text())
    parts = folder / 'parts.json'
    alone = json.loads(parts.read_text()) if parts.is_file() else {}
    return metrics | {f'top1_{name}': part['top1'] for name, part in alone.items()}


def collect(out: Path) -> dict[str, list[dict[str, Any]]]:
    """Read the metrics of all runs below a folder.

    Args:
        out: The folder given to ``--out``.

    Returns:
        Variant to the metrics of its runs, each with ``seed`` and ``fold``.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(out.glob('*/seed*_fold*/run.json')):
        seed, fold = path.parent.name.removeprefix('seed').split('_fold')
        facts = json.loads(path.read_text())
        found.setdefault(path.parts[-3], []).append(
            {**facts, **read_metrics(path.parent), 'seed': int(seed), 'fold': int(fold)}
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
    """Lay the runs out as a Markdown table: mean and standard deviation, in per cent but for a loss.

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
        gains = [a[keys[0]] - b[keys[0]] for a, b in pairs]
        gain = _figure(gains, keys[0], '+') if variant != 'full' and pairs else ''
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
            raise UserError(f'{folder}: no finished runs in it (<variant>/seed<S>_fold<F>/run.json)')
        for variant, runs in found.items():
            for run in runs:
                require_metrics(run, keys, folder)
            spread, cells = _figures(runs, keys)
            rows.append(f'| {folder.name} | {variant} | {spread} | {" | ".join(cells)} | {_minutes(runs)} |')
    return '\n'.join(rows)


def require_metrics(metrics: Mapping[str, Any], keys: Sequence[str], folder: Path) -> None:
    """Check that a run has the metrics asked for.

    Args:
        metrics: From :func:`read_metrics`.
        keys: The metrics that must be there.
        folder: Where the run is, for the error.

    Raises:
        UserError: One is not.
    """
    for key in keys:
        if key not in metrics:
            raise UserError(f'--keys {key}: there is no such metric in {folder}, there are {sorted(metrics)}')


def _figures(runs: Sequence[dict[str, Any]], keys: Sequence[str]) -> tuple[str, list[str]]:
    """What the spread is of, and mean and spread of each metric, in per cent but for a loss."""
    groups = _groups(runs)
    folds = len(groups[0])
    spread = f'{len(groups)} runs' if folds == 1 else f'{len(groups)} seeds, each the mean of {folds} folds'
    return spread, [_figure([statistics.mean(run[key] for run in group) for group in groups], key) for key in keys]


def _minutes(runs: Sequence[dict[str, Any]]) -> str:
    minutes = [run['minutes'] for run in runs if 'minutes' in run and not run.get('resumed')]
    return f'{statistics.mean(minutes):.1f}' if minutes else ''


def _groups(runs: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The runs by seed where all of several seeds have the same folds, else one by one."""
    seeds: dict[int, list[dict[str, Any]]] = {}
    for run in runs:
        seeds.setdefault(run['seed'], []).append(run)
    folds = {tuple(sorted(run['fold'] for run in group)) for group in seeds.values()}
    return list(seeds.values()) if len(seeds) > 1 and len(folds) == 1 else [[run] for run in runs]


def _figure(values: Sequence[float], key: str, sign: str = '') -> str:
    """A metric's mean and spread: shares in per cent, a loss as it is."""
    if key.endswith('loss'):
        return mean_and_spread(values, sign, digits=3)
    return mean_and_spread([100 * value for value in values], sign)


def mean_and_spread(values: Sequence[float] | np.ndarray, sign: str = '', digits: int = 1) -> str:
    """The mean of some figures, and their standard deviation where there are several, as a table shows them."""
    spread = f' ± {np.std(values, ddof=1):.{digits}f}' if len(values) > 1 else ''
    return f'{np.mean(values):{sign}.{digits}f}{spread}'


def print_machines(runs: Iterable[dict[str, Any]]) -> None:
    """Print each machine that the runs were on, once.

    Args:
        runs: As in :func:`collect`.
    """
    for name in sorted({run['machine'] for run in runs if 'machine' in run}):
        print(f'on {name}')
