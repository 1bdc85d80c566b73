"""Scores of one-label recognition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from sklearn.metrics import f1_score

from bmoe_skel.registry import METRICS


def top_k_accuracy(scores: np.ndarray, labels: np.ndarray, k: int) -> float:
    """Share of clips whose label is among the k best scores.

    Args:
        scores: (N, C).
        labels: (N,) int.
        k: At least 1; larger than C counts as C.

    Returns:
        0..1. Ties are broken as :func:`numpy.argsort` does, in favour of the later class.
    """
    best = np.argsort(scores, axis=1)[:, -k:]
    return float((best == np.asarray(labels)[:, None]).any(1).mean())


def classification_scores(scores: np.ndarray, labels: np.ndarray, topk: Sequence[int] = (1, 5)) -> dict[str, float]:
    """Compute accuracies and F1 scores of one-label predictions.

    Args:
        scores: (N, C).
        labels: (N,) int.
        topk: Which top-k accuracies; those with k >= C are left out, but for top-1.

    Returns:
        ``top1`` (and so on), ``mean_class_accuracy`` over the classes that have clips, ``f1_macro`` and ``f1_micro``
        as scikit-learn's (macro over the classes present in labels or predictions).

    Raises:
        ValueError: There are no clips, or shapes do not match.
    """
    scores, labels = np.asarray(scores), np.asarray(labels)
    if scores.ndim != 2 or labels.shape != scores.shape[:1] or not len(labels):
        raise ValueError(f'expected scores (N, C) and labels (N,) with N > 0, got {scores.shape} and {labels.shape}')
    predicted = scores.argmax(1)
    right = predicted == labels
    result = {f'top{k}': top_k_accuracy(scores, labels, k) for k in topk if k == 1 or k < scores.shape[1]}
    result['mean_class_accuracy'] = float(np.mean([right[labels == c].mean() for c in np.unique(labels)]))
    for average in ('macro', 'micro'):
        result[f'f1_{average}'] = float(f1_score(labels, predicted, average=average, zero_division=0))
    return result


@METRICS.register_module()
class ActionMetric(BaseMetric):
    """:func:`classification_scores` as an mmengine metric.

    Args:
        topk: Which top-k accuracies.
        **kwargs: For mmengine's ``BaseMetric``.
    """

    default_prefix = 'action'

    def __init__(self, topk: Sequence[int] = (1, 5), prefix: str | None = None, **kwargs: Any) -> None:
        super().__init__(prefix=prefix, **kwargs)
        self.prefix = prefix  # plain names unless asked for: mmengine would warn of each metric without a default
        self.topk = tuple(topk)

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep a batch's scores and labels.

        Args:
            data_batch: Unused.
            data_samples: Samples as dicts, with ``pred_scores`` and ``gt_label``.
        """
        for sample in data_samples:
            self.results.append((sample['pred_scores'].numpy(), int(sample['gt_label'])))

    def compute_metrics(self, results: list[tuple[np.ndarray, int]]) -> dict[str, float]:
        """Compute the scores over all clips.

        Args:
            results: Scores and label of each clip.

        Returns:
            As :func:`classification_scores`.
        """
        scores, labels = zip(*results, strict=True)
        return classification_scores(np.stack(scores), np.array(labels), self.topk)
