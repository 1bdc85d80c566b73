"""What every metric of faces keeps of a sample."""

from __future__ import annotations

from typing import Any

from face_aux.metrics.samples import plain_sample
from mm_runtime.metric import SampleMetric


class FaceMetric(SampleMetric):
    """Keeps every sample's labels, scores, groups and video; a subclass computes its scores from all of them.

    Args:
        **kwargs: For :class:`mm_runtime.metric.SampleMetric`.
    """

    def keep(self, sample: dict[str, Any]) -> dict[str, Any]:
        """See :func:`face_aux.metrics.samples.plain_sample`."""
        return plain_sample(sample)

    def classes_of(self, task: str) -> list[str] | None:
        """Class names of a task, as the data set states them; None where it does not know the task."""
        tasks = self.meta('tasks') or {}
        return list(tasks[task]['classes']) if task in tasks else None
