"""What the metrics keep of each sample, and how it is gathered by task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from sklearn.metrics import confusion_matrix

from bmoe_ground.errors import UserError
from face_aux.labels import IGNORE, MISSING, UNKNOWN
from face_aux.metrics.functional import video_scores


def group_name(value: Any) -> str:
    """A group's name as text, :data:`UNKNOWN` where it is written as missing.

    Example:
        >>> group_name(float('nan')), group_name(' NA '), group_name(0)
        ('(unknown)', '(unknown)', '0')
    """
    text = str(value).strip()
    return UNKNOWN if text.lower() in MISSING else text


@dataclass(frozen=True)
class TaskScores:
    """Everything known about one single-label task over N samples.

    Args:
        name: Task name, or ``task:attribute`` for one entry of a multi-label task.
        classes: Class names.
        target: (N,) class indices.
        scores: (N, C) probabilities.
        groups: Column name to (N,) group names, :data:`UNKNOWN` where a sample has none.
        video_ids: (N,) video of each frame; None where no sample has one.

    Example:
        >>> scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
        >>> groups = {'age': np.array(['young', 'old', 'old'])}
        >>> task = face_aux.TaskScores('light', ('dark', 'bright'), np.array([0, 1, 1]), scores, groups)
        >>> task.predicted.tolist()
        [0, 1, 0]
    """

    name: str
    classes: tuple[str, ...]
    target: np.ndarray
    scores: np.ndarray
    groups: dict[str, np.ndarray]
    video_ids: list[str] | None = None

    @property
    def predicted(self) -> np.ndarray:
        """(N,) most probable class."""
        return self.scores.argmax(axis=1)

    @property
    def confusion(self) -> np.ndarray:
        """(C, C) counts; rows are the true class, columns the predicted one."""
        return confusion_matrix(self.target, self.predicted, labels=range(len(self.classes)))

    def by_video(self) -> TaskScores:
        """The same with one sample a video: mean scores, and the groups of its first frame."""
        if self.video_ids is None:
            raise UserError(f'task {self.name!r}: no sample names its video, so there are no scores by video')
        names, target, scores = video_scores(self.video_ids, self.target, self.scores)
        first: dict[str, int] = {}
        for i, name in enumerate(self.video_ids):
            first.setdefault(name, i)
        keep = [first[name] for name in names]
        groups = {column: values[keep] for column, values in self.groups.items()}
        return replace(self, target=target, scores=scores, groups=groups, video_ids=names)


def plain_sample(sample: dict[str, Any]) -> dict[str, Any]:
    """What is kept of one predicted sample until the end of an epoch: numpy arrays and plain values."""
    missing = [key for key in ('gt', 'scores') if key not in sample]
    if missing:
        raise ValueError(f'data sample lacks {missing}; the model must return FaceSample with scores in predict mode')
    return {
        'gt': {task: _array(label) for task, label in sample['gt'].items()},
        'scores': {task: _array(value) for task, value in sample['scores'].items()},
        'groups': dict(sample.get('groups') or {}),
        'path': sample.get('path', ''),
        'video_id': sample.get('video_id'),
    }


def _array(value: Any) -> np.ndarray:
    if isinstance(value, torch.Tensor):
        return value.detach().to('cpu', torch.float64).numpy()
    return np.asarray(value)


def task_names(results: Sequence[dict]) -> list[str]:
    """Every task that has scores, in order of appearance."""
    return list(dict.fromkeys(task for result in results for task in result['scores']))


def is_multi_label(results: Sequence[dict], task: str) -> bool:
    """Whether the ground truth of a task is a vector."""
    return any(np.ndim(r['gt'][task]) > 0 for r in results if task in r['gt'])


def gather(results: Sequence[dict], task: str, classes: Sequence[str] | None) -> list[TaskScores]:
    """One :class:`TaskScores` for a single-label task, one an attribute for a multi-label task.

    Samples without a label for the task are left out, as the losses do.

    Args:
        results: Samples as :func:`plain_sample` keeps them.
        task: The task.
        classes: Its class names; None for '0', '1', ...

    Raises:
        UserError: No sample has scores for the task, or their length differs from the classes.
    """
    having = [r for r in results if task in r['scores'] and task in r['gt']]
    if not having:
        raise UserError(f'no sample has scores and a label for task {task!r}; tasks with scores: {task_names(results)}')
    length = len(having[0]['scores'][task])
    names = tuple(classes) if classes is not None else tuple(map(str, range(length)))
    if len(names) != length:
        raise UserError(f'task {task!r}: {length} scores, but {len(names)} classes: {", ".join(names)}')
    if not is_multi_label(having, task):
        kept = [r for r in having if int(r['gt'][task]) != IGNORE]
        target = np.array([int(r['gt'][task]) for r in kept], dtype=np.int64)
        scores = np.array([r['scores'][task] for r in kept]).reshape(len(kept), length)
        return [TaskScores(task, names, target, scores, group_columns(kept), video_names(kept))]
    gathered = []
    for i, name in enumerate(names):
        kept = [r for r in having if r['gt'][task][i] != IGNORE]
        target = np.array([r['gt'][task][i] for r in kept]).astype(np.int64)
        positive = np.array([r['scores'][task][i] for r in kept])
        pair = np.stack([1 - positive, positive], axis=1) if kept else np.zeros((0, 2))
        groups, videos = group_columns(kept), video_names(kept)
        gathered.append(TaskScores(f'{task}:{name}', (f'not {name}', name), target, pair, groups, videos))
    return gathered


def group_columns(results: Sequence[dict]) -> dict[str, np.ndarray]:
    """Group name of every sample by column."""
    columns = dict.fromkeys(column for r in results for column in r['groups'])
    return {c: np.array([group_name(r['groups'].get(c, UNKNOWN)) for r in results], dtype=object) for c in columns}


def video_names(results: Sequence[dict]) -> list[str] | None:
    """Video of every sample; a still image among videos counts as a video of its own."""
    if all(r['video_id'] is None for r in results):
        return None
    return [r['video_id'] if r['video_id'] is not None else r['path'] for r in results]
