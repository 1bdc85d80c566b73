"""Scores of one-label recognition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import f1_score

from bmoe_skel.metrics.ranked import ranked
from bmoe_skel.registry import METRICS
from mm_runtime.finite import check_scores
from mm_runtime.metric import SampleMetric

_ROUNDING = 1e-4  # of the sum of float32 probabilities, averaged over cuts
_LEAST = 1e-12  # a probability whose logarithm is taken: that of 0 is no number


def top_k_accuracy(scores: np.ndarray, labels: np.ndarray, k: int) -> float:
    """Share of clips whose label is among the k best scores.

    Args:
        scores: (N, C).
        labels: (N,) int.
        k: At least 1; larger than C counts as C.

    Returns:
        0..1. Of equal scores the lower class comes first, as in :func:`numpy.argmax`.

    Raises:
        ValueError: A score is NaN or infinite.
    """
    check_scores(scores)
    return float((ranked(scores, k) == np.asarray(labels)[:, None]).any(1).mean())


@METRICS.register_module()
class ActionMetric(SampleMetric):
    """Accuracies and F1 scores of one-label predictions, by :meth:`calculate`.

    Args:
        topk: Which top-k accuracies.
        **kwargs: For :class:`SampleMetric`.
    """

    def __init__(self, topk: Sequence[int] = (1, 5), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.topk = tuple(topk)

    def keep(self, sample: dict[str, Any]) -> tuple[np.ndarray, int]:
        """Scores (C,) and label of a clip."""
        return sample['pred_scores'].numpy(), int(sample['gt_label'])

    def options(self) -> dict[str, Any]:
        """Which top-k accuracies."""
        return {'topk': self.topk}

    @staticmethod
    def calculate(scores: np.ndarray, labels: np.ndarray, topk: Sequence[int] = (1, 5)) -> dict[str, float]:
        """Compute the scores.

        Args:
            scores: (N, C).
            labels: (N,) int.
            topk: Which top-k accuracies; those with k >= C are left out, but for top-1.

        Returns:
            ``top1`` (and so on), ``mean_class_accuracy`` over the classes that have clips, ``f1_macro`` and
            ``f1_micro`` as scikit-learn's (macro over the classes present in labels or predictions); and, where every
            clip's scores are probabilities (at least 0, of the sum 1), ``log_loss``, the mean of minus the natural
            logarithm of what the label was given: 0 at best, and telling more than the accuracies on few clips.

        Raises:
            ValueError: There are no clips, shapes do not match, or a score is NaN or infinite.

        Example:
            >>> ActionMetric.calculate(np.eye(3), np.array([0, 1, 1]))['top1']
            0.6666666666666666
        """
        scores, labels = np.asarray(scores), np.asarray(labels)
        if scores.ndim != 2 or labels.shape != scores.shape[:1] or not len(labels):
            raise ValueError(f'expected scores (N, C) and labels (N,), N > 0, got {scores.shape} and {labels.shape}')
        check_scores(scores)
        predicted = scores.argmax(1)
        right = predicted == labels
        result = {f'top{k}': top_k_accuracy(scores, labels, k) for k in topk if k == 1 or k < scores.shape[1]}
        result['mean_class_accuracy'] = float(np.mean([right[labels == c].mean() for c in np.unique(labels)]))
        for average in ('macro', 'micro'):
            result[f'f1_{average}'] = float(f1_score(labels, predicted, average=average, zero_division=0))
        if (scores >= 0).all() and np.allclose(scores.sum(1), 1, atol=_ROUNDING):
            told = np.maximum(scores[np.arange(len(labels)), labels], _LEAST)
            result['log_loss'] = float(-np.log(told).mean())
        return result
