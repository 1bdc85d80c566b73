from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from bmoe_ground.errors import UserError
from bmoe_skel.structures import ActionSample
from face_aux.structures import FaceSample
from mm_runtime.finite_loss import FiniteLossHook

BAD = float('nan')


def stopped(outputs: dict[str, Any], batch: Any) -> str:
    runner: Any = SimpleNamespace(epoch=4)
    with pytest.raises(UserError) as error:
        FiniteLossHook().after_train_iter(runner, 6, batch, outputs)
    return str(error.value)


def test_step_losses_and_clips_are_named() -> None:
    clips = [ActionSample(metainfo={'name': f'nod/{i}.mp4'}) for i in range(10)]
    keypoint = [torch.zeros(2, 3) for _ in clips]
    batch = {'inputs': {'keypoint': keypoint}, 'data_samples': clips}
    losses = {'loss': torch.tensor(BAD), 'loss_cls': torch.tensor(0.5), 'loss_head': torch.tensor(BAD)}
    FiniteLossHook().after_train_iter(None, 0, batch, {'loss': torch.tensor(0.5)})  # type: ignore[arg-type]
    said = stopped(losses, batch)
    assert said.startswith('training stopped at epoch 5, step 7: loss_head = nan; its inputs are numbers')
    assert "'nod/7.mp4' and 2 more" in said and "'nod/8.mp4'" not in said and '--resume' in said
    keypoint[8][1, 1] = float('inf')
    assert "NaN or infinite numbers in keypoint of 'nod/8.mp4'." in stopped(losses, batch)


def test_faces_sums_and_batches_of_another_form() -> None:
    faces = [FaceSample(gt={'age': 0}, path='1.jpg'), FaceSample(gt={'age': 0}, path='2.jpg')]
    images = torch.tensor([[0.0], [BAD]])
    assert "inputs of '2.jpg'." in stopped({'loss': torch.tensor(BAD)}, {'inputs': images, 'data_samples': faces})
    assert ': loss = inf; its inputs are numbers' in stopped({'loss': float('inf')}, None)
