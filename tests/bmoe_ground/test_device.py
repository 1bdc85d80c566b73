from __future__ import annotations

import pytest
import torch

from bmoe_ground.device import choose_device
from bmoe_ground.errors import UserError


def test_each_rank_takes_the_gpu_of_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 4)
    assert choose_device('auto') == torch.device('cuda:0')
    monkeypatch.setenv('SLURM_LOCALID', '5')
    assert choose_device('auto') == torch.device('cuda:1')
    monkeypatch.setenv('LOCAL_RANK', '3')
    assert choose_device('auto') == torch.device('cuda:3')
    assert choose_device('cpu') == torch.device('cpu')
    with pytest.raises(UserError, match='4 usable CUDA devices'):
        choose_device('cuda:4')
    with pytest.raises(UserError, match='not a device'):
        choose_device('gpu')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    assert choose_device('auto') == torch.device('cpu')


def test_what_is_not_here_is_refused_by_name() -> None:
    for name in ('tpu', 'cuda:x', 'vulkan'):
        with pytest.raises(UserError, match=f"device '{name}'"):
            choose_device(name)
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match="device 'cuda': this machine has 0 usable"):
            choose_device('cuda')
