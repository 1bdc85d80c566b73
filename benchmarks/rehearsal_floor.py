"""How far a linear model on clip statistics gets on the rehearsal set: what a model has to beat there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bmoe_skel.datasets.ma52.classes import BODY_OF_ACTION
from bmoe_skel.datasets.ma52.dataset import MA52Dataset
from bmoe_skel.metrics.micro_action import f1_mean
from bmoe_skel.transforms.spatial import NormalizePose


def clip_statistics(keypoint: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Sum a clip up by the statistics of each coordinate of each joint.

    Args:
        keypoint: (M, T, V, 2), normalised; the first person counts.
        visible: (M, T, V) bool.

    Returns:
        (14 V,) float32: mean, deviation, 10th and 90th percentile, last less first quarter, mean and largest speed;
        0 for joints that are never seen.
    """
    points = np.where(visible[0, ..., None], keypoint[0], np.nan)
    seen = visible[0].any(0)
    points[:, ~seen] = 0
    filled = np.where(np.isnan(points), np.nanmean(points, 0), points)
    quarter = max(len(filled) // 4, 1)
    speed = np.abs(np.diff(filled, axis=0)) if len(filled) > 1 else np.zeros_like(filled)
    rows = [
        filled.mean(0),
        filled.std(0),
        *np.percentile(filled, (10, 90), axis=0),
        filled[-quarter:].mean(0) - filled[:quarter].mean(0),
        speed.mean(0),
        speed.max(0),
    ]
    return np.concatenate([row.ravel() for row in rows]).astype(np.float32)


def linear_floor(folder: Path, alphas: tuple[float, ...] = (10.0, 100.0, 1000.0)) -> dict[str, float]:
    """Fit ridge classifiers, with and without class weights, on the training split and score them on the others.

    Args:
        folder: A rehearsal set, of :func:`benchmarks.rehearsal.write_rehearsal`.
        alphas: Penalties to try.

    Returns:
        Best ``f1_macro_action`` of all, and its model's ``f1_mean`` and ``accuracy_action``, on the validation split.

    Raises:
        UserError: The folder holds no such set.
    """
    (x, y), (x_val, y_val) = (_features(folder, split) for split in ('train', 'val'))
    best: dict[str, float] = {}
    for alpha in alphas:
        for weight in (None, 'balanced'):
            model = make_pipeline(StandardScaler(), RidgeClassifier(alpha=alpha, class_weight=weight))
            found = f1_mean(y_val, model.fit(x, y).predict(x_val), body_of_action=BODY_OF_ACTION)
            if found['f1_macro_action'] > best.get('f1_macro_action', -1):
                best = {key: found[key] for key in ('f1_macro_action', 'f1_mean', 'accuracy_action')}
    return best


def _features(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    dataset = MA52Dataset(str(folder), split)
    normalize = NormalizePose()
    rows, labels = [], []
    for i in range(len(dataset)):
        clip = normalize({**dataset.get_data_info(i), 'skeleton': dataset.metainfo['skeleton']})
        rows.append(clip_statistics(clip['keypoint'], clip['visible']))
        labels.append(clip['label'])
    return np.stack(rows), np.array(labels)
