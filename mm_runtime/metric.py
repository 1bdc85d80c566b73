"""What every metric of this project shares: its prefix, the gathering of samples, and the way to its scores."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric, Evaluator

from mm_runtime.finite import IN_TRAINING, check_sample


class SampleMetric(BaseMetric):
    """A metric that says what it keeps of a sample, and how scores come from all that was kept.

    A subclass writes :meth:`keep`, and :meth:`calculate`, a pure function of arrays that can be called without a
    runner; :meth:`options` adds what the function needs besides. Class names, body parts and whatever else belongs to
    the data come by argument, from ``dataset_meta`` or in the samples: a metric imports no data set.

    A sample with NaN or infinite scores is refused, by its name and by :attr:`source`, the checkpoint that gave them.

    Args:
        prefix: Put before every key with a '/'; None for plain keys.
        collect_device: Where the samples of several processes are gathered, 'cpu' or 'gpu'.
        collect_dir: Folder for gathering on the CPU; None for a temporary one.

    Example:
        >>> class ShareRight(SampleMetric):
        ...     def keep(self, sample):
        ...         return int(sample['pred_scores'].argmax()), int(sample['gt_label'])
        ...     @staticmethod
        ...     def calculate(predicted, labels):
        ...         return {'right': float((predicted == labels).mean())}
        >>> ShareRight.calculate(np.array([0, 1]), np.array([0, 0]))
        {'right': 0.5}
    """

    def __init__(self, prefix: str | None = None, collect_device: str = 'cpu', collect_dir: str | None = None) -> None:
        # mmengine warns of every metric without a prefix; plain keys are what is wanted here
        super().__init__(collect_device=collect_device, prefix=prefix or 'plain', collect_dir=collect_dir)
        self.prefix = prefix or None
        self.source = IN_TRAINING

    @abstractmethod
    def keep(self, sample: dict[str, Any]) -> Any:
        """Take from one predicted sample what the scores need.

        Args:
            sample: The sample as a dict, with the model's predictions in it.

        Returns:
            A tuple of numbers, names and arrays, the same for every sample: each becomes an array of
            :meth:`calculate`. Something else where the metric has a :meth:`compute_metrics` of its own.
        """

    @staticmethod
    def calculate(*columns: Any, **options: Any) -> dict[str, float]:
        """Compute the scores; pure.

        Args:
            *columns: What :meth:`keep` returned, stacked over the N samples: (N, ...) each.
            **options: From :meth:`options`.

        Returns:
            Name to score.
        """
        raise NotImplementedError

    def options(self) -> dict[str, Any]:
        """Further arguments of :meth:`calculate`; called when ``dataset_meta`` is known."""
        return {}

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep a batch; called by mmengine.

        Args:
            data_batch: Unused.
            data_samples: Samples as dicts.

        Raises:
            UserError: A score is NaN or infinite; the message names sample and checkpoint.
        """
        for sample in data_samples:
            check_sample(sample, self.source)
            self.results.append(self.keep(sample))

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Compute the scores over all samples of all processes; called by mmengine.

        Args:
            results: What :meth:`keep` returned of each sample.

        Returns:
            As :meth:`calculate`.

        Raises:
            ValueError: There are none.
        """
        if not results:
            raise ValueError(f'{type(self).__name__}: there are no samples')
        columns = [np.stack(column) for column in zip(*results, strict=True)]
        return self.calculate(*columns, **self.options())

    @property
    def dataset_meta(self) -> dict[str, Any] | None:
        """The data set's facts; set by mmengine before a run begins."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, facts: dict[str, Any] | None) -> None:
        self._dataset_meta = facts
        self.options()  # what is missing is an error now, and not after an epoch

    def meta(self, key: str) -> Any:
        """Look a fact of the data set up.

        Args:
            key: Such as ``classes``.

        Returns:
            The fact; None where the data set does not state it.
        """
        return (self.dataset_meta or {}).get(key)


def name_source(evaluator: Evaluator, source: str) -> None:
    """Tell every metric which checkpoint is measured, for its errors.

    Args:
        evaluator: The metrics.
        source: Such as ``checkpoint best.pth``.
    """
    for metric in evaluator.metrics:
        if isinstance(metric, SampleMetric):
            metric.source = source
