from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from skeleton_clips import write_checkpoint

from bmoe_ground.errors import UserError
from bmoe_skel import load_model
from bmoe_skel.hooks.start_from import StartFromHook
from mm_runtime.checkpoint import load_checkpoint


def start(hook: StartFromHook, model: torch.nn.Module, skeleton: str, **more: Any) -> None:
    loader = SimpleNamespace(dataset=SimpleNamespace(metainfo={'skeleton': skeleton}))
    facts = {'model': model, 'train_dataloader': loader, '_resume': False, '_load_from': None, **more}
    hook.before_train(SimpleNamespace(**facts))  # type: ignore[arg-type]


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, torch.nn.Module]:
    source = write_checkpoint(tmp_path / 'a.pth')
    model = load_model(source)
    with torch.no_grad():
        for weight in model.parameters():
            weight.fill_(7.0)
    return source, model


def test_everything_but_the_classifiers_is_loaded(two: tuple[Path, torch.nn.Module]) -> None:
    source, model = two
    start(StartFromHook(source), model, 'coco17')
    theirs = load_checkpoint(source)['state_dict']
    for key, value in model.state_dict().items():
        own = key.startswith(('head.', 'side_heads.'))
        assert torch.equal(value, torch.full_like(value, 7)) if own and value.is_floating_point() else (
            torch.equal(value, theirs[key])
        ), key  # fmt: skip


def test_parts_can_be_frozen_and_a_resumed_run_is_left_alone(two: tuple[Path, torch.nn.Module]) -> None:
    source, model = two
    start(StartFromHook(source.with_name('none.pth'), frozen=('experts',)), model, 'coco17', _resume=True)
    trained = {key.split('.')[0] for key, weight in model.named_parameters() if weight.requires_grad}
    assert 'experts' not in trained and 'head' in trained
    assert all((weight == 7).all() for weight in model.parameters())
    with pytest.raises(UserError, match=r"frozen='wheels' names no part of the model; it has experts, "):
        start(StartFromHook(source, frozen=('wheels',)), model, 'coco17')


def test_what_does_not_fit_is_refused(two: tuple[Path, torch.nn.Module], tmp_path: Path) -> None:
    source, model = two
    with pytest.raises(UserError, match=r'a\.pth reads coco17, the clips have halpe26: .*dataset\.layout=coco17'):
        start(StartFromHook(source), model, 'halpe26')
    with pytest.raises(UserError, match='would both start the model'):
        start(StartFromHook(source), model, 'coco17', _load_from='b.pth')
    loaded = load_checkpoint(source)
    loaded['state_dict'].pop(next(key for key in loaded['state_dict'] if key.startswith('experts')))
    torch.save(loaded, tmp_path / 'b.pth')
    with pytest.raises(UserError, match=r'b\.pth is of another model: experts\..* and 0 more weights do not fit'):
        start(StartFromHook(tmp_path / 'b.pth'), model, 'coco17')
