"""Tables of the runs that are finished."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.face_curves.plan import SETS, TARGETS, Run
from benchmarks.face_curves.runs import predictions_file, result_file
from benchmarks.face_evidence.experiments import BASELINE
from benchmarks.face_evidence.tables import paired_interval, task_accuracy

_LATE = 0.25  # of the curve: where a training that has stopped improving stays level


def all_tables(out: Path, shares: Sequence[float], seeds: Sequence[int]) -> str:
    """Every table of the runs that are there, as Markdown, per cent; a cell without all its seeds says how many."""
    parts = []
    for name, tasks in SETS.items():
        done = {run: result for run, result in _results(out, shares, seeds).items() if run.set == name}
        used = [share for share in shares if any(run.share == share for run in done)]
        if not done:
            continue
        for task in tasks:
            parts += [f'## {name}: {task}', _table(out, done, name, task, used, seeds)]
        parts += [f'### {name}: linear probe of the encoder ({tasks[0]})', _probes(done, name, tasks[0], used, seeds)]
        parts += [f'### {name}: gain over the last quarter of a training ({tasks[0]}, validation)',
                  _late(done, name, used, seeds)]  # fmt: skip
    return '\n\n'.join(parts) or f'no finished run in {out}'


def late_gain(curve: Sequence[Sequence[float]]) -> float:
    """Mean score of the last quarter of a curve minus that of the quarter before; near 0 where nothing more is learned.

    Example:
        >>> late_gain([(1, 0.1), (2, 0.5), (3, 0.6), (4, 0.6)])
        0.0
    """
    scores = [score for _, score in curve]
    size = max(1, round(_LATE * len(scores)))
    if len(scores) < 2 * size:
        return float('nan')
    return float(np.mean(scores[-size:]) - np.mean(scores[-2 * size : -size]))


def _results(out: Path, shares: Sequence[float], seeds: Sequence[int]) -> dict[Run, dict[str, Any]]:
    found = {}
    for name in SETS:
        for target in TARGETS:
            for share in shares:
                for seed in seeds:
                    path = result_file(out, run := Run(name, target, share, seed))
                    if path.is_file():
                        found[run] = json.loads(path.read_text())
    return found


def _table(
    out: Path, done: dict[Run, dict[str, Any]], name: str, task: str, shares: Sequence[float], seeds: Sequence[int]
) -> str:
    def cell(target: str, share: float) -> str:
        runs = [run for seed in seeds if (run := Run(name, target, share, seed)) in done]
        pairs = [(run, base) for run in runs if (base := Run(name, BASELINE, share, run.seed)) in done]
        text = _mean([done[run]['test'][task] for run in runs], len(seeds))
        if target == BASELINE or not pairs:
            return text
        ours, theirs = ([_load(predictions_file(out, each)) for each in side] for side in zip(*pairs, strict=True))
        middle, low, high = (100 * value for value in paired_interval(ours, theirs, task_accuracy(task)))
        return f'{text}, {middle:+.1f} [{low:+.1f}, {high:+.1f}]'

    return _grid(done, name, shares, cell)


def _probes(
    done: dict[Run, dict[str, Any]], name: str, task: str, shares: Sequence[float], seeds: Sequence[int]
) -> str:
    def cell(target: str, share: float) -> str:
        runs = [run for seed in seeds if (run := Run(name, target, share, seed)) in done]
        return _mean([done[run]['probe'][task] for run in runs], len(seeds))

    return _grid(done, name, shares, cell)


def _late(done: dict[Run, dict[str, Any]], name: str, shares: Sequence[float], seeds: Sequence[int]) -> str:
    def cell(target: str, share: float) -> str:
        runs = [run for seed in seeds if (run := Run(name, target, share, seed)) in done]
        return _mean([late_gain(done[run]['curve']) for run in runs], len(seeds))

    return _grid(done, name, shares, cell)


def _grid(done: dict[Run, dict[str, Any]], name: str, shares: Sequence[float], cell: Any) -> str:
    head = ['target', *(f'{100 * share:g}% of the labels' for share in shares)]
    lines = [f'| {" | ".join(head)} |', '|---' * len(head) + '|']
    for target in TARGETS:
        if any((run.set, run.target) == (name, target) for run in done):
            lines.append(f'| {target} | {" | ".join(cell(target, share) for share in shares)} |')
    return '\n'.join(lines)


def _mean(values: Sequence[float], wanted: int) -> str:
    if not values:
        return '–'
    spread = f' ± {100 * np.std(values, ddof=1):.1f}' if len(values) > 1 else ''
    part = f' ({len(values)} of {wanted} seeds)' if len(values) < wanted else ''
    return f'{100 * np.mean(values):.1f}{spread}{part}'


def _load(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}
