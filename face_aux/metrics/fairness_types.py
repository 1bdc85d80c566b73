"""The parts of a fairness report: values with intervals, groups, spreads and criteria, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

JOINT = ' × '
"""Between the names of an intersection's columns, and of its groups."""


@dataclass(frozen=True)
class Value:
    """A number with its bootstrap interval, or the reason why there is none.

    Args:
        value: None where it is not defined.
        low: Lower end of the interval; None where there is none.
        high: Upper end.
        reason: Why there is no value, or no interval.
        note: What else a reader must know, such as the class that a worst case is about.
        chance: For a gap: the 95th percentile of the same gap when group names are shuffled among the samples, for
            error rates among the samples of one true class. A gap below it needs no explanation.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ''
    note: str = ''
    chance: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data without empty entries."""
        return {key: v for key, v in vars(self).items() if v not in (None, '') or key == 'value'}

    def __str__(self) -> str:
        if self.value is None:
            return f'not defined ({self.reason})'
        if self.low is None or self.high is None:
            return f'{self.value:.3f}'
        return f'{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]'


@dataclass(frozen=True)
class Group:
    """One row of a table.

    Args:
        name: Group name.
        n: Number of samples.
        per_class: Samples of each class.
        metrics: Metric name to value.
        roc: Points (false positive rate, true positive rate) of a two-class task.
        thresholds: Of a two-class task: the score of the positive class from which on the group would have to be called
            positive to have the rate, ``'tpr'`` or ``'fpr'``, that all samples together have at 0.5.
    """

    name: str
    n: int
    per_class: dict[str, int]
    metrics: dict[str, Value]
    roc: list[tuple[float, float]] = field(default_factory=list)
    thresholds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Spread:
    """How much one metric differs between groups.

    Args:
        metric: Its name.
        best: Group with the best value; of several the first.
        worst: Group with the worst value; '' where several share it, for then none is the worst.
        lowest: The worst value.
        gap: Largest gap, with the interval of the difference between these two groups.
        ratio: Smallest value over the largest.
        degree_of_bias: Population standard deviation over the groups.
        left_out: Groups in which the metric is not defined, with the reason.
    """

    metric: str
    best: str
    worst: str
    lowest: float
    gap: Value
    ratio: float | None
    degree_of_bias: float
    left_out: dict[str, str]


@dataclass(frozen=True)
class ColumnReport:
    """Everything about one group column, or one combination of columns.

    Args:
        name: Column name, or names joined.
        groups: Its rows.
        unknown: Samples without a value in this column, which are in no row.
        spreads: Spread of each metric.
        criteria: Group fairness criteria by name.
        criteria_by: Whose formulas gave them, 'fairlearn <version>' or 'own formulas'.
    """

    name: str
    groups: list[Group]
    unknown: int
    spreads: dict[str, Spread]
    criteria: dict[str, Value]
    criteria_by: str


@dataclass(frozen=True)
class FairnessReport:
    """The whole report of one task.

    Args:
        task: Task name.
        classes: Class names.
        positive: The class whose rates are reported in a two-class task; '' otherwise.
        n: Number of samples.
        overall: Metrics of all samples.
        confusion: Counts (C, C) of all samples, rows true.
        columns: One entry a column and combination.
        settings: Seed, replicates, confidence and the like.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> scores = rng.dirichlet((1, 1), 60)
        >>> groups = {'age': np.array(['young', 'old'] * 30)}
        >>> task = face_aux.TaskScores('light', ('dark', 'bright'), scores.argmax(1), scores, groups)
        >>> made = face_aux.metrics.report(task, ['age'], settings=face_aux.metrics.Settings(replicates=0))
        >>> made.n, made.overall['accuracy'].value
        (60, 1.0)
    """

    task: str
    classes: tuple[str, ...]
    positive: str
    n: int
    overall: dict[str, Value]
    confusion: list[list[int]]
    columns: list[ColumnReport]
    settings: dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """How a report is made.

    Args:
        replicates: Bootstrap replicates; 0 for no intervals.
        confidence: Coverage of the percentile intervals.
        seed: Seed of all chance in the report.
        positive: Index of the positive class in a two-class task.
        smallest: Groups with fewer members have no interval, for a bootstrap of one sample says nothing.
        min_size: Groups with fewer members are shown, but stay out of gaps, spreads and criteria.
    """

    replicates: int = 1000
    confidence: float = 0.95
    seed: int = 0
    positive: int = 1
    smallest: int = 2
    min_size: int = 1

    def interval(self, draws: np.ndarray) -> tuple[float, float] | None:
        """Percentile interval of the defined draws; None where fewer than half are."""
        draws = draws[np.isfinite(draws)]
        if not self.replicates or 2 * len(draws) < self.replicates:
            return None
        tail = 50 * (1 - self.confidence)
        low, high = np.percentile(draws, [tail, 100 - tail])
        return float(low), float(high)
