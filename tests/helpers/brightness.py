"""A face model whose answer is known, and a checkpoint of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.model import BaseModel

from face_aux.registry import MODELS
from face_aux.structures import FaceSample

TASKS = {'light': {'classes': ['dark', 'bright'], 'multi_label': False}}


@MODELS.register_module()
class BrightnessModel(BaseModel):
    """P(bright) is the mean of the pixels, 0..1, so that a test knows what must come out."""

    def __init__(self, heads: dict, auxiliary: dict | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.scale = torch.nn.Parameter(torch.ones(1))
        self.batches: list[int] = []

    def forward(self, inputs: torch.Tensor, mode: str = 'predict') -> list[FaceSample]:
        self.batches.append(len(inputs))
        samples = []
        for image in inputs:
            p = (image.mean() * self.scale[0]).clamp(0, 1)
            scores = {'light': torch.stack([1 - p, p])}
            if 'flags' in self.heads:
                scores['flags'] = torch.stack([p, 1 - p, p])
            samples.append(FaceSample(scores=scores))
        return samples


def checkpoint(
    path: Path, load: dict | None = None, change: Callable[[dict], None] | None = None, **extra: Any
) -> Path:
    pipeline = [load or {'type': 'LoadFace'}, {'type': 'Resize', 'size': 8},
                {'type': 'Normalize', 'mean': [0.0] * 3, 'std': [1.0] * 3}, {'type': 'PackFaceInputs'}]  # fmt: skip
    cfg = {
        'model': {
            'type': 'BrightnessModel',
            'heads': {name: {'classes': task['classes']} for name, task in TASKS.items()},
            'auxiliary': {'kind': 'codes'},
        },
        'test_dataloader': {'dataset': {'pipeline': pipeline}},
        **extra,
    }
    content = {
        'state_dict': {'scale': torch.ones(1), 'auxiliary.decoder.weight': torch.zeros(3)},
        'meta': {'cfg': Config(cfg).pretty_text, 'dataset_meta': {'tasks': TASKS}},
    }
    if change:
        change(content)
    torch.save(content, path)
    return path
