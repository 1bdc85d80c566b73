from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from bmoe_ground.errors import UserError
from face_aux.hooks import FitDescriptorHook
from face_aux.models import DescriptorModel
from face_aux.structures import FaceSample


def runner(model: Any) -> Any:
    lines: list[str] = []
    return SimpleNamespace(model=model, logger=SimpleNamespace(log=lambda level, text: lines.append(text)), lines=lines)


def test_each_pass_is_fitted_to_its_own_images() -> None:
    model = DescriptorModel(16, [{'type': 'HOG', 'cell': 8}], {'task': {'classes': ['a', 'b']}})
    hook, run = FitDescriptorHook(), runner(model)
    generator = torch.Generator().manual_seed(0)
    for count in (12, 8):
        data = {
            'inputs': torch.randn(count, 3, 16, 16, generator=generator),
            'data_samples': [FaceSample(gt={'task': i % 2}) for i in range(count)],
        }
        model.train_step(data, None)  # of a pass that was cut off
        hook.before_train_epoch(run)
        assert float(model.train_step(data, None)['gathered']) == count
        hook.after_train_epoch(run)
    assert [line.split(',')[0] for line in run.lines] == ['fitted task: 12 images', 'fitted task: 8 images']
    assert bool(model.fitted)


def test_another_model_is_refused() -> None:
    with pytest.raises(UserError, match='for the DescriptorModel, but the model is a Linear'):
        FitDescriptorHook().before_train_epoch(runner(torch.nn.Linear(1, 1)))
