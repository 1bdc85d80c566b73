"""Finding gestures in time: segments from window scores, and mean average precision over temporal overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from mmengine.evaluator import BaseMetric

from bmoe_skel.datasets.social_gesture import GESTURES, NONE, read_gestures
from bmoe_skel.registry import METRICS

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)


class Segment(NamedTuple):
    """Something that is shown, or said to be.

    Attributes:
        clip: Which video.
        start: Seconds.
        end: Seconds.
        label: What.
        score: How sure; unused for truth.
    """

    clip: str
    start: float
    end: float
    label: str
    score: float = 1.0


def temporal_iou(a: Segment, b: Segment) -> float:
    """Overlap of two segments in time, intersection over union; 0 in different videos.

    Args:
        a: One.
        b: The other.
    """
    both = min(a.end, b.end) - max(a.start, b.start)
    if a.clip != b.clip or both <= 0:
        return 0.0
    return both / (max(a.end, b.end) - min(a.start, b.start))


def average_precision(truth: Sequence[Segment], found: Sequence[Segment], threshold: float) -> float:
    """Average precision of one class, as ActivityNet and ActionFormer compute it.

    Detections are taken in falling score; each takes the truth with the largest overlap that is still free, and is
    right where that overlap reaches the threshold. Precision is made to fall with recall before it is summed.

    Args:
        truth: Segments that are there; at least one.
        found: Detections.
        threshold: Least overlap.

    Returns:
        0..1.

    Raises:
        ValueError: There is no truth.
    """
    if not truth:
        raise ValueError('average precision needs at least one true segment')
    free = set(range(len(truth)))
    right = np.zeros(len(found), bool)
    for rank, i in enumerate(np.argsort([-segment.score for segment in found], kind='stable')):
        overlaps = [(temporal_iou(found[i], truth[j]), -j) for j in free]
        best, j = max(overlaps, default=(0.0, 0))
        if best >= threshold and best > 0:
            right[rank] = True
            free.remove(-j)
    recall = np.cumsum(right) / len(truth)
    precision = np.cumsum(right) / np.arange(1, len(found) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * envelope))


def mean_average_precision(
    truth: Sequence[Segment], found: Sequence[Segment], thresholds: Sequence[float] = THRESHOLDS
) -> dict[str, float]:
    """Mean over the classes that occur, and over thresholds.

    Args:
        truth: Segments that are there.
        found: Detections.
        thresholds: Least overlaps.

    Returns:
        ``map@<threshold>`` for each, and their mean ``map``.

    Raises:
        ValueError: There is no truth, or no threshold.
    """
    labels = sorted({segment.label for segment in truth})
    if not labels or not thresholds:
        raise ValueError('mean average precision needs at least one true segment and one threshold')
    result = {}
    for threshold in thresholds:
        each = [
            average_precision([t for t in truth if t.label == c], [f for f in found if f.label == c], threshold)
            for c in labels
        ]
        result[f'map@{threshold:g}'] = float(np.mean(each))
    return {**result, 'map': float(np.mean(list(result.values())))}


def merge_windows(
    clip: str, times: np.ndarray, scores: np.ndarray, classes: Sequence[str], threshold: float = 0.3
) -> list[Segment]:
    """Turn the scores of sliding windows into segments.

    For each class but ``none``, windows that overlap or touch and reach the threshold become one segment, from the
    middle of what the first sees alone to the middle of what the last does, and with their mean score.

    Args:
        clip: The video.
        times: (W, 2) start and end of each window, seconds, by rising start.
        scores: (W, C).
        classes: C names.
        threshold: Least score.

    Returns:
        The segments.
    """
    segments = []
    for c, name in enumerate(classes):
        if name == NONE:
            continue
        run: list[int] = []
        for w in [*np.flatnonzero(scores[:, c] >= threshold).tolist(), -1]:
            if run and (w < 0 or times[w, 0] > times[run[-1], 1] or w != run[-1] + 1):
                # a window is labelled by what fills half of it, so that a quarter at either end is not the gesture's
                margin = (times[run[0], 1] - times[run[0], 0]) / 4
                start, end = float(times[run[0], 0] + margin), float(times[run[-1], 1] - margin)
                segments.append(Segment(clip, start, end, name, float(scores[run, c].mean())))
                run = []
            run.append(w)
    return segments


@METRICS.register_module()
class LocalizationMetric(BaseMetric):
    """:func:`mean_average_precision` of the windows of a ``SocialGestureDataset`` of task 'localization'.

    Args:
        table: The table of gestures.
        threshold: For :func:`merge_windows`.
        thresholds: For :func:`mean_average_precision`.
        **kwargs: For mmengine's ``BaseMetric``.
    """

    default_prefix = 'localization'

    def __init__(
        self,
        table: str,
        threshold: float = 0.3,
        thresholds: Sequence[float] = THRESHOLDS,
        prefix: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(prefix=prefix, **kwargs)
        self.prefix = prefix
        self.table, self.threshold, self.thresholds = table, threshold, tuple(thresholds)

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep a batch's scores.

        Args:
            data_batch: Unused.
            data_samples: Samples as dicts, with ``recording``, ``start``, ``end`` and ``pred_scores``.
        """
        for sample in data_samples:
            if 'recording' not in sample:
                raise ValueError(
                    f'{sample.get("name")!r} does not say of which recording it is a window: LocalizationMetric is for '
                    "SocialGestureDataset(task='localization')"
                )
            place = (sample['recording'], sample['start'], sample['end'])
            self.results.append((*place, sample['pred_scores'].numpy()))

    def compute_metrics(self, results: list[tuple[str, float, float, np.ndarray]]) -> dict[str, float]:
        """Merge each video's windows and score the segments.

        Args:
            results: Video, start, end and scores of each window.

        Returns:
            As :func:`mean_average_precision`.
        """
        found: list[Segment] = []
        for clip in sorted({row[0] for row in results}):
            rows = sorted((row for row in results if row[0] == clip), key=lambda row: row[1])
            times, scores = np.array([row[1:3] for row in rows]), np.stack([row[3] for row in rows])
            found += merge_windows(clip, times, scores, (NONE, *GESTURES), self.threshold)
        truth = [Segment(g.clip, g.start, g.end, g.label) for g in read_gestures(self.table) if g.label != NONE]
        return mean_average_precision(truth, found, self.thresholds)
