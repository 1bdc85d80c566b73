"""Finding gestures in time: segments from window scores, and mean average precision over temporal overlap."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.tables import read_table
from bmoe_skel.registry import METRICS
from mm_runtime.finite import check_scores
from mm_runtime.metric import SampleMetric

NONE = 'none'
"""Name of the class that is no segment."""
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
    right where that overlap reaches the threshold. Precision is made to fall with recall before it is summed. Of equal
    scores, and of equal overlaps, the later in its list comes first, as the reversed sort of these two has it.

    Args:
        truth: Segments that are there; at least one.
        found: Detections.
        threshold: Least overlap.

    Returns:
        0..1.

    Raises:
        ValueError: There is no truth, or a score is NaN or infinite.
    """
    if not truth:
        raise ValueError('average precision needs at least one true segment')
    check_scores([segment.score for segment in found])
    free = set(range(len(truth)))
    right = np.zeros(len(found), bool)
    for rank, i in enumerate(np.argsort([segment.score for segment in found], kind='stable')[::-1]):
        best, j = max(((temporal_iou(found[i], truth[j]), j) for j in free), default=(0.0, 0))
        if best >= threshold and best > 0:
            right[rank] = True
            free.remove(j)
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
    clip: str,
    times: np.ndarray,
    scores: np.ndarray,
    classes: Sequence[str],
    threshold: float = 0.3,
    background: str = NONE,
) -> list[Segment]:
    """Turn the scores of sliding windows into segments.

    For each class but the background, windows that overlap or touch and reach the threshold become one segment, from
    the middle of what the first sees alone to the middle of what the last does, and with their mean score.

    Args:
        clip: The video.
        times: (W, 2) start and end of each window, seconds, by rising start.
        scores: (W, C).
        classes: C names.
        threshold: Least score.
        background: The class that is no segment.

    Returns:
        The segments.
    """
    segments = []
    for c, name in enumerate(classes):
        if name == background:
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


def read_segments(path: str | os.PathLike[str], classes: Sequence[str], background: str = NONE) -> list[Segment]:
    """Read what is shown, and when, from a table.

    Args:
        path: CSV with the columns ``clip``, ``start``, ``end`` (seconds) and ``label``; others are not looked at.
        classes: What a label may be.
        background: The class that is no segment; its rows are left out.

    Returns:
        The segments.

    Raises:
        UserError: The table cannot be read or a row is wrong; the message has file and line.
    """
    segments = []
    for row in read_table(path, ('clip', 'start', 'end', 'label')):
        if row['label'] not in (*classes, background):
            raise UserError(f'{row.where}: unknown label {row["label"]!r}; choose of {", ".join(classes)}')
        start, end = row.number('start'), row.number('end')
        if not 0 <= start < end:
            raise UserError(f'{row.where}: expected 0 <= start < end, found {start} and {end}')
        if row['label'] != background:
            segments.append(Segment(row['clip'], start, end, row['label']))
    return segments


@METRICS.register_module()
class LocalizationMetric(SampleMetric):
    """:func:`mean_average_precision` of the segments that sliding windows merge into, by :meth:`calculate`.

    The samples are windows named ``<clip>@<start>-<end>`` in seconds.

    Args:
        table: The segments that are there, for :func:`read_segments`.
        threshold: For :func:`merge_windows`.
        thresholds: For :func:`mean_average_precision`.
        background: Class of a window that shows nothing.
        classes: C names in the order of the scores; None takes the data set's.
        **kwargs: For :class:`SampleMetric`.
    """

    def __init__(
        self,
        table: str,
        threshold: float = 0.3,
        thresholds: Sequence[float] = THRESHOLDS,
        background: str = NONE,
        classes: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table, self.threshold, self.thresholds = table, threshold, tuple(thresholds)
        self.background, self.classes = background, classes

    def keep(self, sample: dict[str, Any]) -> tuple[str, float, float, np.ndarray]:
        """Clip, start and end in seconds, and scores (C,) of a window."""
        if 'recording' not in sample:
            raise UserError(
                f'{sample.get("name")!r} does not say of which recording it is a window: LocalizationMetric is for '
                "SocialGestureDataset(task='localization')"
            )
        return sample['recording'], sample['start'], sample['end'], sample['pred_scores'].numpy()

    def options(self) -> dict[str, Any]:
        """The true segments and the classes.

        Raises:
            UserError: The table is wrong, or neither the metric's arguments nor the data set name the classes.
        """
        classes = self.classes or self.meta('classes')
        if classes is None:
            raise UserError('LocalizationMetric: the data set names no classes; give the metric classes=[...]')
        return {
            'truth': read_segments(self.table, classes, self.background),
            'classes': classes,
            'background': self.background,
            'threshold': self.threshold,
            'thresholds': self.thresholds,
        }

    @staticmethod
    def calculate(
        clips: np.ndarray,
        starts: np.ndarray,
        ends: np.ndarray,
        scores: np.ndarray,
        truth: Sequence[Segment],
        classes: Sequence[str],
        background: str = NONE,
        threshold: float = 0.3,
        thresholds: Sequence[float] = THRESHOLDS,
    ) -> dict[str, float]:
        """Merge each video's windows and score the segments.

        Args:
            clips: (N,) video of each window.
            starts: (N,) seconds.
            ends: (N,) seconds.
            scores: (N, C).
            truth: Segments that are there.
            classes: C names.
            background: Class of a window that shows nothing.
            threshold: For :func:`merge_windows`.
            thresholds: For :func:`mean_average_precision`.

        Returns:
            As :func:`mean_average_precision`.

        Raises:
            ValueError: A score is NaN or infinite.
        """
        check_scores(scores)
        found: list[Segment] = []
        for clip in np.unique(clips):
            members = np.flatnonzero(clips == clip)
            members = members[np.argsort(starts[members], kind='stable')]
            times = np.stack([starts[members], ends[members]], axis=1)
            found += merge_windows(str(clip), times, scores[members], classes, threshold, background)
        return mean_average_precision(truth, found, thresholds)
