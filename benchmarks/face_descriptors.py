"""Which descriptors of a face tell its classes, by cross-validation, as the descriptor model takes them.

Every set of descriptors is fitted as :class:`face_aux.models.DescriptorModel` is, on the same folds. The row "chosen"
takes in each fold the set under which the fold's own training images, each left out in turn, are likeliest: its figure
has seen no choice made on the images that it is measured on. The floor is HOG at 128 pixels and a logistic regression,
its strength chosen on a quarter of the training images, then fitted to all of them.

    python tools/benchmark.py face-descriptors configs/face_aux/real_or_fake.py --repeats 3
    python tools/benchmark.py face-descriptors configs/face_aux/utkface.py --sets 'HOG 128' 'HOG 128, LBP'
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, train_test_split

from benchmarks.face_evidence.experiments import without_labels
from benchmarks.face_floor import likeliest, open_config, spread
from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from face_aux.labels import IGNORE
from face_aux.models.descriptor_parts import ImageDescriptor, deviations
from face_aux.models.ridge import Linear, Ridge
from face_aux.registry import DATASETS

Part = dict[str, Any]
_LBP: Part = {'type': 'LBP', 'cells': 8, 'method': 'nri_uniform'}
SETS: dict[str, tuple[int, list[Part]]] = {
    **{f'HOG {size}': (size, [{'type': 'HOG'}]) for size in (64, 96, 128, 192, 256)},
    'HOG 256, no blocks': (256, [{'type': 'HOG', 'block': 1}]),
    'HOG 128 64': (128, [{'type': 'HOG'}, {'type': 'HOG', 'shrink': 2}]),
    'LBP 128': (128, [_LBP]),
    'HOG 128, LBP': (128, [{'type': 'HOG'}, _LBP]),
    'HOG 128 64, LBP': (128, [{'type': 'HOG'}, {'type': 'HOG', 'shrink': 2}, _LBP]),
    'HOG 128 64, LBP 128 64': (128, [{'type': 'HOG'}, {'type': 'HOG', 'shrink': 2}, _LBP, {**_LBP, 'shrink': 2}]),
    'HOG 256, LBP 256': (256, [{'type': 'HOG'}, {**_LBP, 'cells': 16}]),
    'RGB 16': (64, [{'type': 'RGB', 'cells': 16}]),
}
"""Side of the image, and descriptors; cells of 8 pixels where nothing is said."""
FLOOR = 'HOG 128'
"""The set that the logistic regression takes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line of this benchmark."""
    parser.add_argument('config', help='a face config, or the name of one that comes with the project')
    parser.add_argument('--cfg-options', nargs='+', metavar='KEY=VALUE', help='override config values')
    parser.add_argument('--task', help="a task of the data with one label an image (default: the config's first)")
    parser.add_argument('--sets', nargs='+', choices=SETS, default=list(SETS), help='descriptors (default: all)')
    parser.add_argument('--folds', type=int, default=5)
    parser.add_argument('--repeats', type=int, default=1, help='divisions into folds, seeds 0 and on (default 1)')
    parser.add_argument('--no-floor', action='store_true', help='leave the logistic regression out')
    parser.add_argument('--chips', type=Path, help="UTKFace's folder: real faces, of which a detector should call none")
    parser.add_argument('--count', type=int, default=1500, help='of those chips (default 1500)')
    parser.add_argument('--out', type=Path, help='a JSON file with the figures of every fold')


def run(arguments: argparse.Namespace) -> int:
    """Measure, print a table, and return 0."""
    cfg = open_config(arguments.config, arguments.cfg_options)
    labels, classes = all_labels(cfg, arguments.task)
    names = list(arguments.sets)
    needed = [*names, *([] if arguments.no_floor or FLOOR in names else [FLOOR])]
    features = {name: describe_all(cfg, name, labels != IGNORE) for name in needed}
    labels = labels[labels != IGNORE]
    if arguments.chips:
        print(chips_table(features, names, labels, classes, arguments.chips, arguments.count))
    figures: dict[str, list[dict[str, float]]] = {}
    for seed in range(arguments.repeats):
        folds = StratifiedKFold(arguments.folds, shuffle=True, random_state=seed)
        for train, test in folds.split(labels, labels):
            for name, found in measure_fold(features, names, labels, classes, train, test, arguments.no_floor).items():
                figures.setdefault(name, []).append(found)
    print(table(figures, len(labels), arguments.folds, arguments.repeats))
    if arguments.out:
        with atomic_write(arguments.out) as file:
            file.write((json.dumps(figures, indent=1) + '\n').encode())
        print(f'written to {arguments.out}')
    return 0


def chips_table(
    features: dict[str, tuple[np.ndarray, list[int]]],
    names: Sequence[str],
    labels: np.ndarray,
    classes: int,
    folder: Path,
    subset: int,
) -> str:
    """Share of UTKFace's chips that are called the last class, by group, fitted to all images of the config's data."""
    rows: dict[str, list[str]] = {}
    for name in names:
        size, _ = SETS[name]
        steps: list[dict[str, Any]] = [{'type': 'LoadFace'}, {'type': 'Resize', 'size': size}]
        chips = DATASETS.build(without_labels(folder, steps, subset))
        values, widths = features[name]
        shown = describe(chips, name, range(len(chips)))
        joined, here = np.concatenate([values, shown]), np.arange(len(values))
        _, scores = fit_set(joined, widths, labels, classes, here, np.arange(len(shown)) + len(values))
        called = scores.argmax(axis=1) == classes - 1
        groups = [chips.get_data_info(i)['groups'] for i in range(len(chips))]
        rows.setdefault('all', []).append(f'{100 * called.mean():.1f}')
        for column in ('race', 'gender', 'age'):
            found = np.array([group.get(column, '') for group in groups])
            for value in sorted(set(found) - {''}):
                rows.setdefault(f'{value} ({(found == value).sum()})', []).append(
                    f'{100 * called[found == value].mean():.1f}'
                )
    lines = [f'| UTKFace chips (number) | {" | ".join(names)} |', '|---' * (1 + len(names)) + '|']
    return '\n'.join([*lines, *(f'| {group} | {" | ".join(cells)} |' for group, cells in rows.items()), ''])


def whole_data(cfg: Any, size: int) -> Any:
    """All parts of a config's data as one, as squares of a size."""
    own = {k: v for k, v in cfg.test_dataloader.dataset.items() if k not in ('fractions', 'part', 'stratify')}
    steps = [{'type': 'LoadFace'}, {'type': 'Resize', 'size': size}]
    return DATASETS.build({**own, 'pipeline': steps, 'test_mode': True, 'bad_images': 'error'})


def all_labels(cfg: Any, task: str | None) -> tuple[np.ndarray, int]:
    """(N,) class indices of a task, -1 where unknown, and how many classes it has.

    Raises:
        UserError: The data have no such task, or it is one of several labels an image.
    """
    data = whole_data(cfg, 8)
    tasks = data.metainfo['tasks']
    name = task or next(iter(tasks))
    if name not in tasks or tasks[name]['multi_label']:
        single = [key for key, described in tasks.items() if not described['multi_label']]
        raise UserError(f'--task {name}: the tasks with one label an image are {single}')
    labels = np.array([int(data.get_data_info(i)['gt'].get(name, IGNORE)) for i in range(len(data))])
    return labels, len(tasks[name]['classes'])


def describe_all(cfg: Any, name: str, wanted: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """(N, D) descriptors of the wanted images, and how many values each descriptor has."""
    size, parts = SETS[name]
    found = describe(whole_data(cfg, size), name, np.flatnonzero(wanted).tolist())
    return found, ImageDescriptor(size, parts).widths


@torch.no_grad()
def describe(data: Any, name: str, chosen: Sequence[int], batch: int = 32) -> np.ndarray:
    """(N, D) descriptors of some items of a dataset of square images."""
    descriptor = ImageDescriptor(*SETS[name])
    found = []
    for start in range(0, len(chosen), batch):
        pixels = np.stack([data[i]['frames'][0] for i in chosen[start : start + batch]])
        found.append(descriptor(torch.from_numpy(pixels).permute(0, 3, 1, 2).float()).numpy())
    return np.concatenate(found)


def measure_fold(
    features: dict[str, tuple[np.ndarray, list[int]]],
    names: Sequence[str],
    labels: np.ndarray,
    classes: int,
    train: np.ndarray,
    test: np.ndarray,
    no_floor: bool = False,
) -> dict[str, dict[str, float]]:
    """AUC and accuracy of every row of the table on one fold."""
    figures: dict[str, dict[str, float]] = {}
    best: tuple[float, str] | None = None
    for name in names:
        values, widths = features[name]
        found, scores = fit_set(values, widths, labels, classes, train, test)
        figures[name] = judge(labels[test], scores)
        if best is None or found.log_loss < best[0]:
            best = (found.log_loss, name)
    assert best is not None  # mypy: there are names
    if len(names) > 1:
        figures['chosen'] = figures[best[1]]
    if not no_floor:
        figures['floor'] = judge(labels[test], floor_scores(features[FLOOR][0], labels, train, test))
    return figures


def fit_set(
    values: np.ndarray, widths: list[int], labels: np.ndarray, classes: int, train: np.ndarray, test: np.ndarray
) -> tuple[Linear, np.ndarray]:
    """The descriptor model's fit to some images, and its scores (N, classes) of others."""
    known = torch.from_numpy(values[train])
    center = known.mean(dim=0)
    deviation = deviations(known - center, widths)
    found = Ridge((known - center) / deviation).classify(torch.from_numpy(labels[train]), classes)
    logits = (torch.from_numpy(values[test]) - center) / deviation @ found.weight.T + found.bias
    return found, logits.softmax(dim=1).numpy()


def floor_scores(values: np.ndarray, labels: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Probabilities (N, classes) of a logistic regression whose strength a quarter of the training images chose."""
    learn, check = train_test_split(train, test_size=0.25, random_state=0, stratify=labels[train])
    _, strength = likeliest(values[learn], labels[learn], values[check], labels[check])
    model = LogisticRegression(C=strength, max_iter=1000).fit(values[train], labels[train])
    return spread(model, values[test], int(labels.max()) + 1)


def judge(labels: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    """AUC (of two classes) and accuracy."""
    found = {'accuracy': float((scores.argmax(axis=1) == labels).mean())}
    if scores.shape[1] == 2:
        found['auc'] = float(roc_auc_score(labels, scores[:, 1]))
    return found


def table(figures: dict[str, list[dict[str, float]]], images: int, folds: int, repeats: int) -> str:
    """Means and standard deviations over folds, per cent, and in how many folds a row lies above the floor."""
    keys = sorted(next(iter(figures.values()))[0])
    head = ['descriptors', *keys, *(f'{key} above the floor' for key in keys if 'floor' in figures)]
    lines = [
        f'{images} images, {folds} folds, {repeats} times',
        '',
        f'| {" | ".join(head)} |',
        '|---' * len(head) + '|',
    ]
    for name, found in figures.items():
        columns = {key: np.array([each[key] for each in found]) for key in keys}
        cells = [f'{100 * value.mean():.1f} ± {100 * value.std(ddof=1):.1f}' for value in columns.values()]
        if 'floor' in figures:
            for key, value in columns.items():
                floor = np.array([each[key] for each in figures['floor']])
                cells.append('–' if name == 'floor' else f'{int((value > floor).sum())} of {len(floor)}')
        lines.append(f'| {name} | {" | ".join(cells)} |')
    return '\n'.join(lines)
