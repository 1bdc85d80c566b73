"""The fairness report as a metric of mmengine's evaluator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bmoe_ground.errors import UserError
from face_aux.metrics.base import FaceMetric
from face_aux.metrics.fairness import report
from face_aux.metrics.fairness_types import FairnessReport, Settings
from face_aux.metrics.samples import gather, task_names
from face_aux.registry import METRICS


@METRICS.register_module()
class FairnessMetric(FaceMetric):
    """Accuracy and error rates by group, and the gaps between groups.

    Keys: ``<task>/worst_group``, the lowest accuracy of any group in any column, by which ``save_best`` may choose a
    checkpoint; and for each task and column: ``<task>/<column>/accuracy_worst``, ``.../accuracy_gap``,
    ``.../degree_of_bias`` (of the accuracy), and the criteria of :mod:`face_aux.metrics.fairness`, such as
    ``.../equalized_odds_difference``; NaN where not defined. The whole tables are in :attr:`reports`, which
    :class:`FairnessReportHook` prints and writes after a test.

    Args:
        tasks: Tasks to report; None for every task with scores. Each attribute of a multi-label task is a task.
        columns: Group columns; None for all that the samples have.
        intersections: Combinations of columns, such as ``[('gender', 'race')]``.
        positive: Positive class of the two-class tasks by task; the second class where not given.
        by_video: Report on videos (mean of the frames' scores), not frames.
        replicates: Bootstrap replicates; 0 for no intervals.
        confidence: Coverage of the intervals.
        seed: Seed of the bootstrap.
        min_size: Groups with fewer members are shown, but stay out of the gaps.
        **kwargs: For :class:`FaceMetric`.
    """

    def __init__(
        self,
        tasks: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
        intersections: Sequence[Sequence[str]] = (),
        positive: dict[str, str] | None = None,
        by_video: bool = False,
        replicates: int = 1000,
        confidence: float = 0.95,
        seed: int = 0,
        min_size: int = 10,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not 0 < confidence < 1 or replicates < 0 or min_size < 1:
            raise ValueError(
                f'confidence must lie in (0, 1), replicates be at least 0 and min_size at least 1; '
                f'got {confidence}, {replicates}, {min_size}'
            )
        self.tasks, self.columns, self.intersections = tasks, columns, intersections
        self.positive, self.by_video = dict(positive or {}), by_video
        self.settings = Settings(replicates, confidence, seed, min_size=min_size)
        self.reports: list[FairnessReport] = []

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Make the reports and return their key figures."""
        self.reports = []
        for task in self.tasks or task_names(results):
            for part in gather(results, task, self.classes_of(task)):
                part = part.by_video() if self.by_video else part
                settings = self._settings(part.name, part.classes)
                self.reports.append(report(part, self.columns, self.intersections, settings))
        metrics: dict[str, float] = {}
        for made in self.reports:
            metrics.update(key_figures(made))
        return metrics

    def _settings(self, task: str, classes: Sequence[str]) -> Settings:
        if task not in self.positive:
            return self.settings
        if self.positive[task] not in classes:
            raise UserError(f'positive[{task!r}]={self.positive[task]!r} is not one of its classes {list(classes)}')
        return Settings(**{**vars(self.settings), 'positive': list(classes).index(self.positive[task])})


def key_figures(made: FairnessReport) -> dict[str, float]:
    """The numbers of a report that are worth comparing between runs."""
    figures: dict[str, float] = {}
    nan = float('nan')
    lowest = [column.spreads['accuracy'].lowest for column in made.columns if 'accuracy' in column.spreads]
    figures[f'{made.task}/worst_group'] = min(lowest, default=nan)
    for column in made.columns:
        key = f'{made.task}/{column.name.replace(" ", "")}'
        spread = column.spreads.get('accuracy')
        figures[f'{key}/accuracy_worst'] = nan if spread is None else spread.lowest
        figures[f'{key}/accuracy_gap'] = nan if spread is None or spread.gap.value is None else spread.gap.value
        figures[f'{key}/degree_of_bias'] = nan if spread is None else spread.degree_of_bias
        for name, value in column.criteria.items():
            figures[f'{key}/{name}'] = nan if value.value is None else value.value
    return figures
