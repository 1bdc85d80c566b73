"""The floor under a face model: histograms of oriented gradients and a logistic regression, on the same images.

Any face config is taken. The parts, the framing of the test images and the metrics are the config's own; the strength
of the regression is chosen on the validation part, and nothing else is. A transformer that does not pass it has learned
less than a linear model of edges.

    python tools/benchmark.py face-floor configs/face_aux/utkface.py --cfg-options dataset.data_root=data/utkface
    python tools/benchmark.py face-floor configs/face_aux/real_or_fake.py --out work_dirs/floor
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from skimage.feature import hog
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from bmoe_ground.errors import UserError
from face_aux.hooks.fairness_report import write_reports
from face_aux.labels import IGNORE
from face_aux.metrics.fairness_types import FairnessReport
from face_aux.metrics.report_text import terminal_table
from face_aux.registry import DATASETS, METRICS
from mm_runtime.cli import write_metrics
from mm_runtime.config import load_config, parse_cfg_options, share_dataset

STRENGTHS = (0.01, 0.1, 1.0, 10.0)
"""scikit-learn's C, of which the validation part chooses one a task."""
Step = Any
"""A transform: a dict as a config has it, or a function of an item."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line of this benchmark."""
    parser.add_argument('config', help='a face config, or the name of one that comes with the project')
    parser.add_argument('--cfg-options', nargs='+', metavar='KEY=VALUE', help='override config values')
    parser.add_argument('--cell', type=int, default=8, help='side of a cell in pixels (default 8)')
    parser.add_argument('--out', type=Path, help='folder for metrics.json (default work_dirs/floor/<config name>)')


def run(arguments: argparse.Namespace) -> int:
    """Fit, test, print the metrics of the config's evaluator, write them, and return 0."""
    cfg = open_config(arguments.config, arguments.cfg_options)
    floor = fit_floor(build_part(cfg, 'train'), build_part(cfg, 'val'), arguments.cell)
    test = build_part(cfg, 'test')
    metrics, reports = measure(cfg.test_evaluator, floor.results(examine(test, arguments.cell)), test.metainfo)
    out = arguments.out or Path('work_dirs/floor') / Path(arguments.config).stem
    if reports:
        print(terminal_table(reports))
        write_reports(reports, out, source=f'HOG and logistic regression, {len(test)} images')
    print(f'HOG and logistic regression, {floor.samples} training images, C by validation: {floor.chosen}')
    write_metrics(metrics, out / 'metrics.json')
    return 0


def open_config(path: str, options: Sequence[str] | None = None) -> Config:
    """A face config whose parts can be built.

    Args:
        path: The file, or the name of one that comes with the project.
        options: ``KEY=VALUE`` each.
    """
    cfg = load_config(path, parse_cfg_options(options))
    share_dataset(cfg)
    init_default_scope(cfg.default_scope)
    return cfg


def build_part(cfg: Config, part: str, disturb: Step | None = None) -> Any:
    """A part of a config's data, framed as the test images are, before they are normalised.

    Args:
        cfg: From :func:`open_config`.
        part: 'train', 'val' or 'test'.
        disturb: What is done to each image as it was read.
    """
    steps = framing(cfg.test_dataloader.dataset.pipeline, disturb)
    own = {k: v for k, v in cfg[f'{part}_dataloader'].dataset.items() if k not in ('unlabelled', 'unlabelled_ratio')}
    return DATASETS.build({**own, 'pipeline': steps, 'test_mode': True, 'bad_images': 'error'})


def framing(pipeline: Sequence[Step], disturb: Step | None = None) -> list[Step]:
    """The steps of a test pipeline up to the normalisation, with a disturbance behind the loading."""
    kinds = [step.get('type') if isinstance(step, Mapping) else '' for step in pipeline]
    if 'Normalize' not in kinds or not str(kinds[0]).startswith('LoadFace'):
        raise UserError(f'the test pipeline must begin with LoadFace and hold Normalize, but it has {kinds}')
    steps = list(pipeline[: kinds.index('Normalize')])
    return [steps[0], *([disturb] if disturb is not None else []), *steps[1:]]


@dataclass(frozen=True)
class Examined:
    """Features of a part and what is known of each sample.

    Args:
        features: (N, D) float32.
        items: ``gt``, ``groups``, ``path`` and ``video_id`` of each.
    """

    features: np.ndarray
    items: list[dict[str, Any]]


def examine(dataset: Any, cell: int) -> Examined:
    """HOG of every sample of a part, in blocks of 2 x 2 cells, of a clip the mean over its frames.

    Args:
        dataset: From :func:`build_part`.
        cell: Side of a cell in pixels.

    Raises:
        UserError: The images are too small for a block of such cells.
    """
    features, items = [], []
    for i in range(len(dataset)):
        item = dataset[i]
        try:
            found = [
                hog(frame, pixels_per_cell=(cell, cell), cells_per_block=(2, 2), channel_axis=2)
                for frame in item['frames']
            ]
        except ValueError as error:
            size = item['frames'][0].shape[:2]
            raise UserError(f'images of {size[0]} x {size[1]} are too small for --cell {cell}: {error}') from error
        features.append(np.mean(found, axis=0, dtype=np.float64).astype(np.float32))
        items.append({key: item.get(key) for key in ('gt', 'groups', 'path', 'video_id')})
    if len({len(each) for each in features}) > 1:
        raise UserError('the test pipeline gives images of several sizes; add a CenterCrop')
    return Examined(np.stack(features), items)


@dataclass(frozen=True)
class Floor:
    """Fitted regressions.

    Args:
        models: Task name to one regression, or to one for each attribute of a multi-label task.
        multi_label: The tasks of the latter kind.
        classes: Number of classes of each task.
        chosen: The strength of each task, for multi-label tasks of each attribute.
        samples: Training images.
    """

    models: dict[str, list[Any]]
    multi_label: frozenset[str]
    classes: dict[str, int]
    chosen: dict[str, list[float]]
    samples: int

    def scores(self, features: np.ndarray) -> dict[str, np.ndarray]:
        """Task name to probabilities (N, C); of a multi-label task those of each attribute's yes."""
        found = {}
        for task, models in self.models.items():
            if task in self.multi_label:
                found[task] = np.stack([spread(model, features, 2)[:, 1] for model in models], axis=1)
            else:
                found[task] = spread(models[0], features, self.classes[task])
        return found

    def results(self, part: Examined) -> list[dict[str, Any]]:
        """What the metrics take: each sample with its ``scores``."""
        scores = self.scores(part.features)
        return [
            {
                **item,
                'groups': item['groups'] or {},
                'gt': {task: np.asarray(label) for task, label in item['gt'].items()},
                'scores': {task: values[i] for task, values in scores.items()},
            }
            for i, item in enumerate(part.items)
        ]


def spread(model: Any, features: np.ndarray, classes: int) -> np.ndarray:
    """Probabilities (N, classes), 0 for classes that the training part has no sample of.

    Args:
        model: A fitted regression, or the only class there is.
        features: (N, D).
        classes: How many there are.
    """
    scores = np.zeros((len(features), classes))
    if isinstance(model, int):
        scores[:, model] = 1
    else:
        scores[:, model.classes_] = model.predict_proba(features)
    return scores


def fit_floor(train: Any, val: Any, cell: int) -> Floor:
    """Fit a regression for each task.

    Args:
        train: Training part, from :func:`build_part`.
        val: Validation part, which chooses the strengths.
        cell: Side of a cell in pixels.
    """
    tasks = train.metainfo['tasks']
    learn, check = examine(train, cell), examine(val, cell)
    models: dict[str, list[Any]] = {}
    chosen: dict[str, list[float]] = {}
    for task, described in tasks.items():
        columns = range(len(described['classes'])) if described['multi_label'] else [None]
        pairs = [fit_one(learn, check, task, column) for column in columns]
        models[task], chosen[task] = [model for model, _ in pairs], [strength for _, strength in pairs]
    many = frozenset(task for task, described in tasks.items() if described['multi_label'])
    return Floor(models, many, {t: len(d['classes']) for t, d in tasks.items()}, chosen, len(learn.items))


def fit_one(learn: Examined, check: Examined, task: str, column: int | None) -> tuple[Any, float]:
    """One regression, of the strength under which the validation labels are likeliest.

    Returns:
        The model, or the only class there is, and its strength.
    """
    labels, known = labels_of(learn, task, column)
    held, among = labels_of(check, task, column)
    if len(set(labels[known])) < 2:
        return int(labels[known][0]) if known.any() else 0, float('nan')
    among &= np.isin(held, labels[known])
    if not among.any():
        raise UserError(f'task {task}: the validation part has no label to choose the strength by')
    return likeliest(learn.features[known], labels[known], check.features[among], held[among])


def likeliest(features: np.ndarray, labels: np.ndarray, others: np.ndarray, held: np.ndarray) -> tuple[Any, float]:
    """The regression of the strength under which labels that it was not fitted to are likeliest.

    Args:
        features: (N, D).
        labels: (N,), of two classes at least.
        others: (K, D).
        held: (K,), of those classes.

    Returns:
        The model, fitted to the first, and its strength.
    """
    fitted = [LogisticRegression(C=strength, max_iter=1000).fit(features, labels) for strength in STRENGTHS]
    losses = [log_loss(held, model.predict_proba(others), labels=model.classes_) for model in fitted]
    best = int(np.argmin(losses))
    return fitted[best], STRENGTHS[best]


def labels_of(part: Examined, task: str, column: int | None) -> tuple[np.ndarray, np.ndarray]:
    """(N,) labels of a task or of one of its attributes, and which of them are known."""
    labels = np.array([int(item['gt'][task] if column is None else item['gt'][task][column]) for item in part.items])
    return labels, labels != IGNORE


def measure(
    evaluators: Sequence[Mapping[str, Any]], results: list[dict], metainfo: dict[str, Any]
) -> tuple[dict[str, float], list[FairnessReport]]:
    """The metrics of a config's evaluator, and its reports by group, on results that did not come from its model."""
    metrics: dict[str, float] = {}
    reports: list[FairnessReport] = []
    for described in evaluators:
        metric = METRICS.build(described)
        metric.dataset_meta = metainfo
        metrics.update(metric.compute_metrics(results))
        reports += getattr(metric, 'reports', [])
    return metrics, reports


def as_arrays(results: Sequence[dict]) -> dict[str, np.ndarray]:
    """Results as ``face_evidence`` keeps predictions: ``score/<task>``, ``label/<task>`` and ``group/<column>``."""
    arrays = {f'score/{task}': np.stack([r['scores'][task] for r in results]) for task in results[0]['scores']}
    arrays.update({f'label/{task}': np.array([int(r['gt'][task]) for r in results]) for task in results[0]['gt']})
    columns = dict.fromkeys(column for r in results for column in r['groups'])
    arrays.update({f'group/{c}': np.array([r['groups'].get(c, '') for r in results]) for c in columns})
    return arrays
