"""Scores of clips that may show several actions at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

from bmoe_skel.registry import METRICS
from mm_runtime.finite import check_scores
from mm_runtime.metric import SampleMetric


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
        ValueError: Shapes differ, there is no clip, a label is not 0 or 1, a score is NaN or
            infinite, or no class has a positive clip.
    """
    scores, labels = np.asarray(scores), np.asarray(labels)
    if scores.ndim != 2 or scores.shape != labels.shape or not len(labels):
        raise ValueError(f'expected scores and labels of one shape (N, C), got {scores.shape} and {labels.shape}')
    if not np.isin(labels, (0, 1)).all():
        raise ValueError('labels: expected 0 and 1 only')
    check_scores(scores)
    positive = labels.any(0)
    if not positive.any():
        raise ValueError('no class has a positive clip')
    each = np.full(labels.shape[1], np.nan)
    for c in np.flatnonzero(positive):
        each[c] = average_precision_score(labels[:, c], scores[:, c])
    return float(np.nanmean(each)), each


@METRICS.register_module()
class MultiLabelMetric(SampleMetric):
    """:func:`macro_average_precision` of clips with several labels: ``mean_ap``, and ``ap/<class>`` for each class.

    Args:
        per_class: Whether to report each class.
        **kwargs: For :class:`SampleMetric`.
    """

    def __init__(self, per_class: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.per_class = per_class

    def keep(self, sample: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        """Scores (C,) and 0/1 labels (C,) of a clip."""
        return sample['pred_scores'].numpy(), np.asarray(sample['gt_label'])

    def options(self) -> dict[str, Any]:
        """The classes to report; by number where the data set has no names."""
        return {'classes': self.meta('classes'), 'per_class': self.per_class}

    @staticmethod
    def calculate(
        scores: np.ndarray, labels: np.ndarray, classes: Sequence[str] | None = None, per_class: bool = True
    ) -> dict[str, float]:
        """Compute the scores.

        Args:
            scores: (N, C).
            labels: (N, C) of 0 and 1.
            classes: C names; None for '0', '1', ...
            per_class: Whether to report each class.

        Returns:
            ``mean_ap`` and, if asked for, ``ap/<class>`` of the classes that occur.

        Raises:
            ValueError: As :func:`macro_average_precision`.
        """
        mean, each = macro_average_precision(scores, labels)
        names = classes or [str(c) for c in range(len(each))]
        found = {f'ap/{n}': float(v) for n, v in zip(names, each, strict=True) if np.isfinite(v)}
        return {'mean_ap': mean, **(found if per_class else {})}
