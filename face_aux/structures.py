"""What travels beside an image: its ground truth, its groups and, after prediction, its scores."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.structures import BaseDataElement

_FIELD_TYPES: dict[str, type | tuple[type, ...]] = {
    'gt': dict,
    'groups': dict,
    'path': str,
    'video_id': (str, type(None)),
    'scores': dict,
    'pred': dict,
}


class FaceSample(BaseDataElement):
    """One face image or face clip.

    Attributes:
        gt: Task name to class index, or to a multi-hot float tensor (C,) with 1, 0 and -1 for "not annotated".
            A task that this sample has no label for is absent, or -1.
        groups: Group column (``'gender'``, ``'race'``, ...) to the value it has here; perceived or machine labels.
        path: Where the image or video came from.
        video_id: The video that a frame belongs to, for scores by video; None for still images.
        scores: After prediction, task name to probabilities (C,).
        pred: After prediction, task name to class index, or to a 0/1 tensor (C,) for a multi-label task.

    Example:
        >>> sample = FaceSample(gt={'gender': 1}, groups={'race': 'Asian'}, path='1.jpg')
        >>> sample.gt['gender']
        1
    """

    gt: dict[str, int | torch.Tensor]
    groups: dict[str, str]
    path: str
    video_id: str | None
    scores: dict[str, torch.Tensor]
    pred: dict[str, int | torch.Tensor]

    def __setattr__(self, name: str, value: Any) -> None:
        wanted = _FIELD_TYPES.get(name)
        if wanted is not None and not isinstance(value, wanted):
            raise TypeError(f'FaceSample.{name} must be {wanted}, but got {type(value).__name__}: {value!r}')
        super().__setattr__(name, value)
