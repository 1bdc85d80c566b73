from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from bmoe_ground.errors import UserError
from face_aux.hooks import FitDescriptorHook
from face_aux.models import DescriptorModel
from face_aux.samplers import BalancedSampler
from face_aux.structures import FaceSample


def runner(model: Any, sampler: Any = None) -> Any:
    lines: list[str] = []
    loader = SimpleNamespace(sampler=sampler)
    return SimpleNamespace(
        model=model,
        train_dataloader=loader,
        lines=lines,
        logger=SimpleNamespace(log=lambda level, text: lines.append(text)),
    )


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


def test_images_that_are_drawn_twice_are_refused() -> None:
    model = DescriptorModel(16, [{'type': 'HOG', 'cell': 8}], {'task': {'classes': ['a', 'b']}})
    balanced = object.__new__(BalancedSampler)
    with pytest.raises(UserError, match='BalancedSampler draws images twice'):
        FitDescriptorHook().before_train_epoch(runner(model, balanced))


def test_unlabelled_faces_are_refused() -> None:
    model = DescriptorModel(16, [{'type': 'HOG', 'cell': 8}], {'task': {'classes': ['a', 'b']}})
    data = {'inputs': torch.zeros(1, 3, 16, 16), 'data_samples': [], 'unlabelled_inputs': torch.zeros(1, 3, 16, 16)}
    with pytest.raises(UserError, match='unlabelled=null'):
        model.train_step(data, None)
