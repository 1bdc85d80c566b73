"""The floor under a skeleton model: a linear model and a forest on statistics of the same clips, the same folds.

    python tools/benchmark.py skeleton-floor utkinect.pkl --protocol half_subjects --folds 0 1 2
    python tools/benchmark.py skeleton-floor nwucla.pkl --split train --protocol view --folds 0 1

Protocols and folds are those of ``tools/cross_validate.py``. A clip is normalised as for the network, and summed up by
what a person would write down: where each joint is in each quarter of the clip and how far from every other, how much
that varies, and how fast it moves. The penalty of the linear model (ridge) is chosen by leaving one training clip out;
the forest (500 extra trees) has nothing to choose.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import RidgeClassifierCV
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.cross_validation import PROTOCOLS
from benchmarks.run_report import mean_and_spread
from bmoe_skel.clip import Clip
from bmoe_skel.datasets.folds import fold_mask
from bmoe_skel.datasets.pickles import PosePickleDataset
from bmoe_skel.models.features import distances
from bmoe_skel.transforms.spatial import NormalizePose
from bmoe_skel.transforms.temporal import SampleFrames

PARTS = 4
"""Equal parts of a clip whose means are taken."""
MODELS: dict[str, Callable[[], Any]] = {
    'linear': lambda: make_pipeline(StandardScaler(), RidgeClassifierCV(alphas=(10.0, 100.0, 1000.0, 10000.0))),
    'forest': lambda: ExtraTreesClassifier(500, random_state=0),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add('ann_file', help='pickle of clips')
    add('--split', help='split of the pickle to deal out (default: all clips)')
    protocols = sorted(set(PROTOCOLS) - {'own'})
    add('--protocol', choices=protocols, default='clips5', help='(default: %(default)s)')
    add('--folds', type=int, nargs='+', default=[0], help='(default: 0)')
    add('--frames', type=int, default=32, help='that a clip is brought to (default: %(default)s)')


def run(args: argparse.Namespace) -> int:
    """Fit and test on each fold, and print a table."""
    steps: list[Any] = [NormalizePose(), SampleFrames(num_frames=args.frames, random=False)]
    clips, rows = summed_up(PosePickleDataset(args.ann_file, split=args.split, pipeline=steps, test_mode=True))
    print(f'{len(clips)} clips, {rows.shape[1]} numbers each; per cent, mean ± standard deviation over the folds')
    print('| model | top-1 | macro F1 | each fold |\n|---|---|---|---|')
    for name, make in MODELS.items():
        found = [tested(clips, rows, make(), {**PROTOCOLS[args.protocol], 'index': fold}) for fold in args.folds]
        top1, f1 = (100 * np.array(each) for each in zip(*found, strict=True))
        each = ', '.join(f'{value:.1f}' for value in top1)
        print(f'| {name} | {mean_and_spread(top1)} | {mean_and_spread(f1)} | {each} |', flush=True)
    return 0


def summed_up(dataset: PosePickleDataset) -> tuple[list[Clip], np.ndarray]:
    """Sum every clip of a data set up.

    Args:
        dataset: Its pipeline normalises a clip and brings it to so many frames.

    Returns:
        The clips, and (N, D) float32: of each the mean over its persons, as :func:`statistics_of` gives them.
    """
    clips, rows = [], []
    for i in range(len(dataset)):
        clips.append(dataset.get_data_info(i))
        seen = dataset[i]
        bodies = zip(seen['keypoint'][0], seen['visible'][0], strict=True)
        rows.append(np.mean([statistics_of(body, shown) for body, shown in bodies if shown.any()], axis=0))
    return clips, np.stack(rows).astype(np.float32)


def statistics_of(keypoint: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Sum one person up.

    Args:
        keypoint: (T, V, C), normalised.
        visible: (T, V) bool.

    Returns:
        (V * (5 (C + V) + 3 C),): place and distances in each quarter, their deviation, and of the place the smallest
        and largest value and the mean speed; 0 where nothing was seen.
    """
    apart = distances(torch.from_numpy(keypoint)[None])[0].numpy()
    values = np.concatenate([keypoint, apart], axis=-1)
    shown = np.broadcast_to(visible[..., None], keypoint.shape)
    seen = np.concatenate([shown, visible[:, :, None] & visible[:, None, :]], axis=-1)
    mean = _masked_mean(values, seen)
    quarters = np.arange(len(values)) * PARTS // len(values)
    spread = np.sqrt(_masked_mean((values - mean) ** 2, seen))
    known = shown.any(0)
    both = shown[1:] & shown[:-1]
    rows = [
        *(_masked_mean(values[quarters == part], seen[quarters == part]) for part in range(PARTS)),
        spread,
        np.where(known, np.where(shown, keypoint, np.inf).min(0), 0),
        np.where(known, np.where(shown, keypoint, -np.inf).max(0), 0),
        _masked_mean(np.abs(np.diff(keypoint, axis=0)), both),
    ]
    return np.concatenate([row.ravel() for row in rows])


def _masked_mean(values: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Mean over time of what is seen, 0 where nothing is."""
    return np.where(seen, values, 0).sum(0) / np.maximum(seen.sum(0), 1)


def tested(clips: list[Clip], rows: np.ndarray, model: Any, fold: dict[str, Any]) -> tuple[float, float]:
    """Fit on one side of a fold and score on the other.

    Args:
        clips: With labels.
        rows: (N, D).
        model: A classifier of scikit-learn.
        fold: For :func:`fold_mask`, without ``part``.

    Returns:
        Top-1 and macro F1, 0..1.
    """
    test = fold_mask(clips, {**fold, 'part': 'test'})
    labels = np.array([clip['label'] for clip in clips])
    answered = model.fit(rows[~test], labels[~test]).predict(rows[test])
    return float((answered == labels[test]).mean()), float(f1_score(labels[test], answered, average='macro'))
