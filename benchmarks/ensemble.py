"""Several models as one: their scores averaged with equal weights, what that gains and what it costs.

python tools/benchmark.py ensemble CONFIG seed0.pth seed1.pth seed2.pth --cfg-options dataset.ann_file=FILE.pkl

No weight is chosen, so that nothing is fitted to the test clips.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.model import Classify, count
from benchmarks.tested import batches, load_tests, model_for, scores_of
from bmoe_ground.files import atomic_write
from bmoe_skel.metrics import ActionMetric
from bmoe_skel.models.recognizer import SkeletonRecognizer


def ask(model: SkeletonRecognizer, loader: Any) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    """Ask one model about every test clip.

    Args:
        model: In evaluation mode.
        loader: From :func:`benchmarks.tested.load_tests`.

    Returns:
        Scores (N, C), labels (N,), and the cost: parameters, multiply-adds of one clip with all its cuts and persons,
        seconds of all answers without loading.
    """
    scores: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    seconds, macs, parameters = 0.0, 0.0, 0
    for inputs, _, wanted in batches(loader, model):
        if not scores:
            parameters, macs = count(Classify(model), (inputs['keypoint'][:1], inputs['visible'][:1]))
        started = time.perf_counter()
        scores.append(scores_of(model, inputs).numpy())
        seconds += time.perf_counter() - started
        labels.append(wanted.numpy())
    cost = {'parameters': float(parameters), 'macs': macs, 'seconds': seconds}
    return np.concatenate(scores), np.concatenate(labels), cost


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``tools/benchmark.py ensemble``."""
    parser.add_argument('config', help='config whose test clips are asked about')
    parser.add_argument('checkpoints', nargs='+', help='the models')
    parser.add_argument('--cfg-options', nargs='+', metavar='KEY=VALUE', help='changes to the config')
    parser.add_argument('--json', type=Path, help='write the figures to this file')


def run(arguments: argparse.Namespace) -> int:
    """Measure and print the table; exit code 0.

    Raises:
        UserError: Config, data or a checkpoint are wrong.
    """
    loader = load_tests(arguments.config, arguments.cfg_options)
    asked = [ask(model_for(loader, path), loader) for path in arguments.checkpoints]
    labels = asked[0][1]
    rows = {
        path: {**ActionMetric.calculate(scores, labels), **cost}
        for path, (scores, _, cost) in zip(arguments.checkpoints, asked, strict=True)
    }
    together = ActionMetric.calculate(np.mean([scores for scores, _, _ in asked], 0), labels)
    costs = {key: sum(cost[key] for _, _, cost in asked) for key in ('parameters', 'macs', 'seconds')}
    rows[f'{len(asked)} averaged'] = {**together, **costs}
    print(table(rows, len(labels)))
    if arguments.json:
        with atomic_write(arguments.json) as file:
            file.write((json.dumps(rows, indent=2) + '\n').encode())
        print(f'written to {arguments.json}')
    return 0


def table(rows: dict[str, dict[str, float]], clips: int) -> str:
    """Lay the figures out as Markdown.

    Args:
        rows: Model to its figures, the ensemble last.
        clips: How many were tested.
    """
    lines = [
        '| model | top-1 | macro F1 | log loss | parameters | GMAC a clip | clips/s |',
        '|---|---|---|---|---|---|---|',
    ]
    lines += [
        f'| {name} | {100 * row["top1"]:.1f} | {100 * row["f1_macro"]:.1f} | {row["log_loss"]:.3f} '
        f'| {row["parameters"] / 1e6:.3f} M | {row["macs"] / 1e9:.3f} | {clips / row["seconds"]:.1f} |'
        for name, row in rows.items()
    ]
    return '\n'.join([*lines, '', f'{clips} test clips; a clip with all its cuts and mirror images'])
