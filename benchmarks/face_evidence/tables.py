"""Tables of finished runs: means and spread over seeds, and differences from the baseline with intervals."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import confusion_matrix

from benchmarks.face_evidence.experiments import BASELINE, EXPERIMENTS
from benchmarks.face_evidence.floor import FLOOR, floor_file
from benchmarks.face_evidence.runs import run_folder
from bmoe_ground.errors import UserError
from face_aux.metrics.functional import accuracy, balanced_accuracy, multiclass_auc

Arrays = dict[str, np.ndarray]
Statistic = Callable[[Arrays], float]
_MIN_GROUP = 20


@dataclass(frozen=True)
class Column:
    """One figure of a table.

    Args:
        title: Heading.
        statistic: What is computed from one run's predictions.
        prefix: Which predictions: the test part, or ``'chips/'``.
    """

    title: str
    statistic: Statistic
    prefix: str = ''


def task_accuracy(task: str) -> Statistic:
    """Share of right decisions."""
    return lambda arrays: float(accuracy(_confusion(arrays, task)))


def task_balanced_accuracy(task: str) -> Statistic:
    """Mean over classes of the share of right decisions."""
    return lambda arrays: float(balanced_accuracy(_confusion(arrays, task)))


def task_auc(task: str) -> Statistic:
    """Area under the ROC curve; the mean of one class against the rest beyond two classes."""
    return lambda arrays: float(multiclass_auc(arrays[f'label/{task}'], arrays[f'score/{task}']))


def accuracy_gap(task: str, column: str) -> Statistic:
    """Largest minus smallest accuracy over the groups of a column that have at least 20 members."""

    def statistic(arrays: Arrays) -> float:
        values = by_group(arrays, column, _right(task)(arrays))
        return max(values.values()) - min(values.values())

    return statistic


def positive_rate(task: str) -> Statistic:
    """Share of samples that a two-class model calls positive; its false positive rate where none is."""
    return lambda arrays: float((arrays[f'score/{task}'].argmax(axis=1) == 1).mean())


def by_group(arrays: Arrays, column: str, values: np.ndarray, min_size: int = _MIN_GROUP) -> dict[str, float]:
    """Mean of per-sample values over each group with at least ``min_size`` members."""
    names, index, counts = np.unique(arrays[f'group/{column}'], return_inverse=True, return_counts=True)
    means = np.bincount(index, weights=values.astype(np.float64)) / counts
    return {str(n): float(m) for n, m, count in zip(names, means, counts, strict=True) if count >= min_size and n}


def paired_interval(
    ours: Sequence[Arrays], theirs: Sequence[Arrays], statistic: Statistic, replicates: int = 1000, seed: int = 0
) -> tuple[float, float, float]:
    """Mean difference of a statistic over paired runs, with a 95% bootstrap interval over seeds and samples.

    Each replicate draws seeds, and draws samples anew (the same for both runs of a pair, and for all seeds that share
    a test part), so that the interval covers both what the training and what the choice of test images did.

    Args:
        ours: Predictions of one variant, a run each.
        theirs: Those of the other, run i trained with the seed of run i of ``ours``.
        statistic: Of one run's predictions.
        replicates: Number of bootstrap replicates.
        seed: Of the bootstrap.

    Returns:
        Difference, lower and upper end.
    """
    observed = float(np.mean([statistic(a) - statistic(b) for a, b in zip(ours, theirs, strict=True)]))
    rng = np.random.default_rng(seed)
    differences = []
    for _ in range(replicates):
        chosen = rng.integers(len(ours), size=len(ours))
        draws = rng.random(max(_size(arrays) for arrays in ours))
        values = []
        for run in chosen:
            rows = (draws[: _size(ours[run])] * _size(ours[run])).astype(int)
            values.append(statistic(_take(ours[run], rows)) - statistic(_take(theirs[run], rows)))
        differences.append(np.mean(values))
    low, high = np.quantile(differences, [0.025, 0.975])
    return observed, float(low), float(high)


def outcome_table(
    out: Path, experiment: str, columns: Sequence[Column], seeds: Sequence[int], replicates: int = 1000
) -> str:
    """A Markdown table: each variant's mean and spread, and its difference from the baseline with an interval.

    Its first row is the floor, where that was run: one fit, so that only the test images are drawn anew.
    """
    runs = {variant: load_runs(out, experiment, variant, seeds) for variant in _started(out, experiment)}
    floor = floor_file(out, experiment)
    if floor.is_file():
        runs = {FLOOR: [_read(floor)] * len(seeds), **runs}
    header = ['auxiliary target', *(f'{c.title} | difference' for c in columns)]
    lines = ['| ' + ' | '.join(header) + ' |', '|---' * (1 + 2 * len(columns)) + '|']
    for variant, found in runs.items():
        cells = [variant]
        for column in columns:
            ours = [_select(arrays, column.prefix) for arrays in found]
            values = [column.statistic(arrays) for arrays in ours]
            spread = '' if variant == FLOOR else f' ± {100 * np.std(values, ddof=1):.1f}'
            cells.append(f'{100 * np.mean(values):.1f}{spread}')
            if variant == BASELINE:
                cells.append('–')
                continue
            theirs = [_select(arrays, column.prefix) for arrays in runs[BASELINE]]
            difference, low, high = (100 * v for v in paired_interval(ours, theirs, column.statistic, replicates))
            cells.append(f'{difference:+.1f} [{low:+.1f}, {high:+.1f}]')
        lines.append('| ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


def group_table(
    out: Path, experiment: str, columns: Sequence[str], seeds: Sequence[int], value: Callable[[Arrays], np.ndarray],
    prefix: str = '',
) -> str:  # fmt: skip
    """A Markdown table of a per-sample value by group: mean over seeds for each variant, with the group's size."""
    variants = _started(out, experiment)
    runs = {v: [_select(a, prefix) for a in load_runs(out, experiment, v, seeds)] for v in variants}
    lines = ['| group | n | ' + ' | '.join(variants) + ' |', '|---' * (2 + len(variants)) + '|']
    for column in columns:
        per_run = {v: [by_group(arrays, column, value(arrays), 1) for arrays in found] for v, found in runs.items()}
        for name in sorted(per_run[variants[0]][0]):
            n = int((runs[variants[0]][0][f'group/{column}'] == name).sum())
            means = [100 * float(np.mean([g[name] for g in groups if name in g])) for groups in per_run.values()]
            lines.append(f'| {column}: {name} | {n} | ' + ' | '.join(f'{mean:.1f}' for mean in means) + ' |')
    return '\n'.join(lines)


def cost_table(out: Path, seeds: Sequence[int]) -> str:
    """A Markdown table of training time and peak memory, and how many times the baseline's."""
    lines = ['| set | auxiliary target | CPU s | times | peak MiB | more |', '|---' * 6 + '|']
    for name, experiment in EXPERIMENTS.items():
        base: tuple[float, float] | None = None
        for variant in experiment.variants:
            paths = [run_folder(out, name, variant, seed) / 'cost.json' for seed in seeds]
            costs = [json.loads(path.read_text()) for path in paths if path.is_file()]
            if not costs:
                continue
            seconds = float(np.mean([c['cpu_seconds'] for c in costs]))
            memory = float(np.mean([c['peak_mebibytes'] for c in costs]))
            base = base or (seconds, memory)
            change = f'{seconds / base[0]:.2f} | {memory:.0f} | {memory - base[1]:+.0f}'
            lines.append(f'| {name} | {variant} | {seconds:.0f} | {change} |')
    return '\n'.join(lines)


def all_tables(out: Path, seeds: Sequence[int], replicates: int = 1000) -> str:
    """Every table of the experiments that are finished for these seeds, as Markdown; figures in per cent.

    ``replicates`` is that of :func:`paired_interval`.
    """
    columns = {
        'fer2013': [
            Column('accuracy', task_accuracy('emotion')),
            Column('balanced accuracy', task_balanced_accuracy('emotion')),
            Column('mean AUC', task_auc('emotion')),
        ],
        'utkface': [
            Column('gender', task_accuracy('gender')),
            Column('race', task_accuracy('race')),
            *(Column(f'gender gap by {c}', accuracy_gap('gender', c)) for c in ('race', 'gender', 'age')),
            *(Column(f'race gap by {c}', accuracy_gap('race', c)) for c in ('race', 'gender', 'age')),
        ],
        'real_or_fake': [
            Column('AUC', task_auc('fake')),
            Column('false positives on UTKFace', positive_rate('fake'), 'chips/'),
        ],
    }
    parts = []
    for name, chosen in columns.items():
        if (out / name).is_dir():
            parts += [f'## {name}', outcome_table(out, name, chosen, seeds, replicates)]
    groups = ('race', 'gender', 'age')
    if (out / 'utkface').is_dir():
        for task in ('gender', 'race'):
            parts += [f'### {task} accuracy by group', group_table(out, 'utkface', groups, seeds, _right(task))]
    if (out / 'real_or_fake').is_dir():
        table = group_table(out, 'real_or_fake', groups, seeds, _called_fake, 'chips/')
        parts += ['### real UTKFace chips called fake, by group', table]
    return '\n\n'.join([*parts, '## cost', cost_table(out, seeds)])


def _right(task: str) -> Callable[[Arrays], np.ndarray]:
    return lambda arrays: arrays[f'score/{task}'].argmax(axis=1) == arrays[f'label/{task}']


def _called_fake(arrays: Arrays) -> np.ndarray:
    return arrays['score/fake'].argmax(axis=1) == 1


def load_runs(out: Path, experiment: str, variant: str, seeds: Sequence[int]) -> list[Arrays]:
    """Predictions of finished runs, in the order of the seeds.

    Raises:
        UserError: A run is not there.
    """
    found = []
    for seed in seeds:
        path = run_folder(out, experiment, variant, seed) / 'predictions.npz'
        if not path.is_file():
            raise UserError(f'{path}: this run is not finished; python tools/face_evidence.py run {experiment} ...')
        found.append(_read(path))
    return found


def _read(path: Path) -> Arrays:
    with np.load(path, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


def _started(out: Path, experiment: str) -> list[str]:
    """The baseline, and the variants that have at least one run."""
    variants = EXPERIMENTS[experiment].variants
    return [v for v in variants if v == BASELINE or any((out / experiment).glob(f'{v}_seed*/predictions.npz'))]


def _confusion(arrays: Arrays, task: str) -> np.ndarray:
    scores = arrays[f'score/{task}']
    return confusion_matrix(arrays[f'label/{task}'], scores.argmax(axis=1), labels=range(scores.shape[1]))


def _select(arrays: Arrays, prefix: str) -> Arrays:
    """The test part's arrays, or those of another data set under their plain names."""
    if prefix:
        return {key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)}
    return {key: value for key, value in arrays.items() if not key.startswith('chips/')}


def _size(arrays: Arrays) -> int:
    return len(next(iter(arrays.values())))


def _take(arrays: Arrays, rows: np.ndarray) -> Arrays:
    return {key: value[rows] for key, value in arrays.items()}
