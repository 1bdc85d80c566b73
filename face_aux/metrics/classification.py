"""Accuracy, balanced accuracy, F1, AUC, EER and AP of every task, by sample and by video."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from face_aux.metrics.base import FaceMetric
from face_aux.metrics.functional import (
    NotDefinedError,
    accuracy,
    average_precision,
    balanced_accuracy,
    divide,
    equal_error_rate,
    f1_macro,
    multiclass_auc,
    recalls,
)
from face_aux.metrics.samples import TaskScores, gather, is_multi_label, task_names
from face_aux.registry import METRICS


def or_nan(metric: Callable[..., float], *arguments: Any) -> float:
    """The metric, or NaN where it is not defined."""
    try:
        return metric(*arguments)
    except NotDefinedError:
        return float('nan')


def mean_defined(values: np.ndarray) -> float:
    """Mean of the values that are defined; NaN where none is."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float('nan')


@METRICS.register_module()
class ClassificationMetric(FaceMetric):
    """Metrics of single-label and multi-label tasks, keys ``<task>/<metric>``.

    Single-label: accuracy, balanced_accuracy, f1_macro, f1_micro, auc (one against the rest beyond two classes), and
    for two classes eer and ap. Multi-label: means over the attributes, F1 of the attributes' 'yes' (macro: their mean,
    micro: pooled), and ``<task>/accuracy:<attribute>``. What is not defined is NaN.

    Args:
        tasks: Tasks to measure; None for every task with scores.
        **kwargs: For :class:`FaceMetric`.
    """

    def __init__(self, tasks: Sequence[str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tasks = tasks

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """All tasks' metrics."""
        metrics: dict[str, float] = {}
        for task in self.tasks or task_names(results):
            parts = gather(results, task, self.classes_of(task))
            many = is_multi_label(results, task)
            values = self.calculate_multi_label(parts) if many else self.calculate(parts[0])
            metrics.update({f'{task}/{key}': value for key, value in values.items()})
        return metrics

    @staticmethod
    def calculate(task: TaskScores) -> dict[str, float]:
        """Metrics of one single-label task; fractions from 0 to 1, NaN where not defined."""
        confusion = task.confusion
        values = {
            'accuracy': float(accuracy(confusion)),
            'balanced_accuracy': float(balanced_accuracy(confusion)),
            'f1_macro': float(f1_macro(confusion)),
            'f1_micro': float(accuracy(confusion)),
            'auc': or_nan(multiclass_auc, task.target, task.scores),
        }
        if len(task.classes) == 2:
            values['eer'] = or_nan(equal_error_rate, task.target == 1, task.scores[:, 1])
            values['ap'] = or_nan(average_precision, task.target == 1, task.scores[:, 1])
        return values

    @staticmethod
    def calculate_multi_label(attributes: Sequence[TaskScores]) -> dict[str, float]:
        """Means over the attributes, F1 of their 'yes', and the accuracy of each; NaN where not defined."""
        confusions = np.stack([a.confusion for a in attributes])
        hits, wrong = confusions[:, 1, 1], confusions[:, 0, 1] + confusions[:, 1, 0]
        columns = {
            'accuracy': accuracy(confusions),
            'balanced_accuracy': balanced_accuracy(confusions),
            'f1_macro': divide(2 * hits, 2 * hits + wrong),
            'auc': np.array([or_nan(multiclass_auc, a.target, a.scores) for a in attributes]),
            'ap': np.array([or_nan(average_precision, a.target == 1, a.scores[:, 1]) for a in attributes]),
        }
        values = {key: mean_defined(column) for key, column in columns.items()}
        values['f1_micro'] = float(divide(2 * hits.sum(), 2 * hits.sum() + wrong.sum()))
        names = [a.name.partition(':')[2] for a in attributes]
        values.update(zip((f'accuracy:{n}' for n in names), columns['accuracy'].tolist(), strict=True))
        return values


@METRICS.register_module()
class DeepfakeMetric(FaceMetric):
    """Real or fake by frame and by video (mean of the frames' scores), keys ``<task>/frame_auc`` and so on.

    For both levels: auc, eer, ap, accuracy, and acc_real and acc_fake, the recalls of the two classes.

    Args:
        task: A two-class task; class 1 is the fake.
        **kwargs: For :class:`FaceMetric`.
    """

    def __init__(self, task: str = 'fake', **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.task = task

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Frame metrics, and video metrics where the samples name their videos."""
        frames = gather(results, self.task, self.classes_of(self.task))[0]
        if len(frames.classes) != 2:
            raise ValueError(f'task {self.task!r} has {len(frames.classes)} classes; DeepfakeMetric needs two')
        levels = {'frame': frames}
        if frames.video_ids is not None:
            levels['video'] = frames.by_video()
        return {
            f'{self.task}/{level}_{key}': value
            for level, task in levels.items()
            for key, value in self.calculate(task).items()
        }

    @staticmethod
    def calculate(task: TaskScores) -> dict[str, float]:
        """Metrics of one level; fractions from 0 to 1, NaN where not defined."""
        confusion = task.confusion
        fake, scores = task.target == 1, task.scores[:, 1]
        real_recall, fake_recall = recalls(confusion).tolist()
        return {
            'auc': or_nan(multiclass_auc, task.target, task.scores),
            'eer': or_nan(equal_error_rate, fake, scores),
            'ap': or_nan(average_precision, fake, scores),
            'accuracy': float(accuracy(confusion)),
            'acc_real': real_recall,
            'acc_fake': fake_recall,
        }
