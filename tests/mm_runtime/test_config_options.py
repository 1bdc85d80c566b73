"""Options that name steps and hooks, take effect everywhere, or are refused with the right key."""

from __future__ import annotations

from pathlib import Path

import pytest

from bmoe_ground.errors import UserError
from mm_runtime.config import load_config, parse_cfg_options

TEXT = """
n = 4
held_out = dict(share=0.1)
train_pipeline = dict(Cut=dict(frames='${n}'), Jitter=dict(joint=0.1), Pack=dict())
train_dataloader = dict(dataset=dict(split='train', pipeline='${train_pipeline}', **held_out))
test_dataloader = dict(dataset=dict(pipeline='${train_pipeline}'))
dataset = dict(tracks='poses')
listed = [dict(type='Resize', size=3), dict(type='Crop', size=3), dict(type='Resize', size=5)]
val_dataloader = dict(dataset=dict(split='val', pipeline=listed))
custom_hooks = dict(Seed=dict(), early_stop=dict(type='StopEarlyHook', patience=None))
default_hooks = dict(checkpoint=dict(type='CheckpointHook', interval=1))
env_cfg = dict(mp_cfg=dict(mp_start_method='fork'))
presets = dict(long=dict(n=9, train_pipeline=dict(Mirror=dict(_before_='Pack'))), none=dict(dataset=dict(tracks='x')))
"""


@pytest.fixture
def load(tmp_path: Path):
    path = tmp_path / 'config.py'
    path.write_text(TEXT)

    def read(*options: str):
        return load_config(path, parse_cfg_options(options))

    return read


def step(cfg, loader: str, kind: str) -> dict:
    (found,) = [step for step in cfg[loader].dataset.pipeline if step.type == kind]
    return found


def test_a_value_that_others_refer_to_changes_everywhere(load) -> None:
    cfg = load('n=7', 'train_pipeline.Jitter.joint=0.5')
    for loader in ('train_dataloader', 'test_dataloader'):
        assert step(cfg, loader, 'Cut').frames == 7
        assert step(cfg, loader, 'Jitter').joint == 0.5


@pytest.mark.parametrize('turned', [False, True])
def test_a_step_of_one_loader_alone(load, turned: bool) -> None:
    options = ['train_dataloader.dataset.pipeline.Jitter.joint=0.5', 'train_pipeline.Cut.frames=3']
    cfg = load(*(reversed(options) if turned else options))
    assert step(cfg, 'train_dataloader', 'Jitter').joint == 0.5
    assert step(cfg, 'test_dataloader', 'Jitter').joint == 0.1
    assert step(cfg, 'train_dataloader', 'Cut').frames == step(cfg, 'test_dataloader', 'Cut').frames == 3


def test_hooks_are_called_by_name(load) -> None:
    cfg = load('early_stop.patience=4', 'checkpoint.interval=5', 'Seed=null')
    assert cfg.custom_hooks == [{'type': 'StopEarlyHook', 'patience': 4}]
    assert cfg.default_hooks.checkpoint.interval == 5
    assert load('custom_hooks.StopEarlyHook.patience=2').custom_hooks[1].patience == 2


def test_steps_of_a_list_are_called_by_type(load) -> None:
    cfg = load('val_dataloader.dataset.pipeline.Crop.size=9', 'val_dataloader.dataset.pipeline.Resize:2.size=8')
    assert [step['size'] for step in cfg.val_dataloader.dataset.pipeline] == [3, 9, 8]


def test_presets_lie_between_file_and_options(load) -> None:
    cfg = load('preset=[long,none]', 'train_pipeline.Mirror.prob=0.3')
    assert [step.type for step in cfg.train_dataloader.dataset.pipeline] == ['Cut', 'Jitter', 'Mirror', 'Pack']
    assert step(cfg, 'test_dataloader', 'Mirror').prob == 0.3
    assert (step(cfg, 'train_dataloader', 'Cut').frames, cfg.dataset.tracks) == (9, 'x')
    assert load('preset=long', 'n=2').train_dataloader.dataset.pipeline[0].frames == 2
    assert 'presets' not in cfg


@pytest.mark.parametrize(
    ('option', 'message'),
    [
        ('train_pipeline.1.joint=0.2', r'changed by name, not by index: train_pipeline\.Jitter\.joint'),
        ('custom_hooks.1.patience=4', r'by name, not by index: custom_hooks\.early_stop\.patience'),
        ('val_dataloader.dataset.pipeline.0.size=4', r'by index: val_dataloader\.dataset\.pipeline\.Resize:1\.size'),
        ('val_dataloader.dataset.pipeline.Resize.size=4', r'there are several, say which: Resize:1, Resize:2'),
        ('train_pipeline.Jiter.joint=0.2', r"no 'Jiter'; did you mean 'Jitter'\?; there are: Cut, Jitter, Pack"),
        ('train_pipeline.Cutt=null', r"no 'Cutt'; did you mean 'Cut'"),
        ('early_stp.patience=4', r"no 'early_stp'; did you mean 'early_stop'"),
        ('default_hooks.chekpoint.interval=4', r"no 'default_hooks\.chekpoint'; did you mean 'checkpoint'"),
        ('train_pipeline.Cut.frames.x=4', r"train_pipeline\.Cut\.frames is 4 and has no 'x'"),
        ('env_cfg.mp_cfg.mp_start_metod=spawn', r"mp_cfg has no 'mp_start_metod'; did you mean 'mp_start_method'"),
        ('held_out.share=0.2', r'would have no effect; set train_dataloader\.dataset\.share$'),
        ('listed.Crop.size=4', r'no effect; set val_dataloader\.dataset\.pipeline\.Crop\.size$'),
        ('dataset.split=test', r'set train_dataloader\.dataset\.split, val_dataloader\.dataset\.split$'),
        ('preset=lnog', r"unknown preset 'lnog'; did you mean 'long'\?; known: long, none"),
        ('presets.long.n=3', r"has no 'presets'"),
        ('resume=true', r'use --resume'),
        ('launcher=pytorch', r'use --launcher'),
    ],
)
def test_what_would_miss_is_refused(load, option: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        load(option)
    assert '\n' not in str(caught.value)


def test_a_value_set_to_what_it_is_may_be_set(load) -> None:
    assert load('held_out.share=0.1').pretty_text == load().pretty_text
