"""Scores of clips that may show several actions at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from sklearn.metrics import average_precision_score

from bmoe_skel.registry import METRICS


def macro_average_precision(scores: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Compute the average precision of each class, and their mean, as scikit-learn does.

    The average precision is the sum over the ranked clips of precision times the step in recall, without
    interpolation; clips of equal score are one step. (MultiMediate's score for MPIIGroupInteraction.)

    Args:
        scores: (N, C).
        labels: (N, C) of 0 and 1.

    Returns:
        The mean over the classes that have a positive clip, and (C,) the average precisions, NaN for the others.

    Raises:
        ValueError: Shapes differ, there is no clip, a label is not 0 or 1, or no class has a positive clip.
    """
    scores, labels = np.asarray(scores), np.asarray(labels)
    if scores.ndim != 2 or scores.shape != labels.shape or not len(labels):
        raise ValueError(f'expected scores and labels of one shape (N, C), got {scores.shape} and {labels.shape}')
    if not np.isin(labels, (0, 1)).all():
        raise ValueError('labels: expected 0 and 1 only')
    positive = labels.any(0)
    if not positive.any():
        raise ValueError('no class has a positive clip')
    each = np.full(labels.shape[1], np.nan)
    for c in np.flatnonzero(positive):
        each[c] = average_precision_score(labels[:, c], scores[:, c])
    return float(np.nanmean(each)), each


@METRICS.register_module()
class MultiLabelMetric(BaseMetric):
    """:func:`macro_average_precision` as an mmengine metric: ``mean_ap``, and ``ap/<class>`` for each class.

    Args:
        per_class: Whether to report each class.
        **kwargs: For mmengine's ``BaseMetric``.
    """

    default_prefix = 'action'

    def __init__(self, per_class: bool = True, prefix: str | None = None, **kwargs: Any) -> None:
        super().__init__(prefix=prefix, **kwargs)
        self.prefix = prefix
        self.per_class = per_class

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep a batch's scores and labels.

        Args:
            data_batch: Unused.
            data_samples: Samples as dicts, with ``pred_scores`` (C,) and ``gt_label`` (C,).
        """
        for sample in data_samples:
            self.results.append((sample['pred_scores'].numpy(), np.asarray(sample['gt_label'])))

    def compute_metrics(self, results: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
        """Compute the scores over all clips.

        Args:
            results: Scores and label vector of each clip.

        Returns:
            ``mean_ap`` and, if asked for, ``ap/<class>`` of the classes that occur.
        """
        scores, labels = (np.stack(column) for column in zip(*results, strict=True))
        mean, each = macro_average_precision(scores, labels)
        names = (self.dataset_meta or {}).get('classes') or [str(c) for c in range(len(each))]
        result = {'mean_ap': mean}
        if self.per_class:
            result.update({f'ap/{n}': float(v) for n, v in zip(names, each, strict=True) if np.isfinite(v)})
        return result
