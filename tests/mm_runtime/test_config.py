from __future__ import annotations

import mmengine.optim  # noqa: F401  (registers the schedulers)
import numpy as np
import pytest
import torch
from mmengine.registry import PARAM_SCHEDULERS

from bmoe_ground.errors import UserError
from mm_runtime.config import drop_empty_schedules, load_config, parse_cfg_options, set_epochs


@pytest.fixture
def config(tmp_path):
    def write(text: str = "model = dict(type='A', depth=3, parts=[dict(n=1)])\ntrain_cfg = dict(max_epochs=2)\n"):
        path = tmp_path / 'config.py'
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('3', 3),
        ('-2', -2),
        ('1e-3', 0.001),
        ('0.5', 0.5),
        ('true', True),
        ('None', None),
        ('null', None),
        ('[1, 2]', [1, 2]),
        ('(1,2)', [1, 2]),
        ('poses/my set', 'poses/my set'),
        ('', ''),
        ('a=b', 'a=b'),
    ],
)
def test_option_values(text: str, value) -> None:
    got = parse_cfg_options([f'key.path={text}'])['key.path']
    assert got == value
    assert type(got) is type(value)


def test_options_are_merged(config) -> None:
    options = parse_cfg_options(['model.depth=5', 'model.parts.0.n=7', 'train_cfg.val_interval=2', 'work_dir=x'])
    cfg = load_config(config(), options)
    assert (cfg.model.depth, cfg.model.parts[0].n, cfg.train_cfg.val_interval, cfg.work_dir) == (5, 7, 2, 'x')


def test_options_below_a_null_make_a_dict(config) -> None:
    cfg = load_config(config('model = dict(parts=None)\n'), parse_cfg_options(['model.parts.a=1', 'model.parts.b=x']))
    assert cfg.model.parts == {'a': 1, 'b': 'x'}


@pytest.mark.parametrize(
    ('option', 'message'),
    [
        ('modle.depth=5', "has no 'modle'"),
        ('model.haed.x=5', r"has no 'model\.haed'"),
        ('modle=5', "has no key 'modle'"),
        ('model.parts.4.n=1', 'list of 1 items'),
    ],
)
def test_unknown_options_are_named(config, option: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_config(config(), parse_cfg_options([option]))


def test_option_without_value() -> None:
    with pytest.raises(UserError, match="'model': expected KEY=VALUE"):
        parse_cfg_options(['model'])


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('model = dict(', 'SyntaxError'),
        ("_base_ = ['missing.py']\n", 'missing'),
        ('x = unknown_name\n', 'unknown_name'),
        ('train_dataloder = dict()\n', "unknown key 'train_dataloder'; did you mean 'train_dataloader'"),
        ('optim_wraper = dict()\n', "did you mean 'optim_wrapper'"),
    ],
)
def test_broken_configs_are_named(config, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_config(config(text))


SCHEDULED = """
train_cfg = dict(by_epoch=True, max_epochs=20)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=True, begin=0, end=3, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', by_epoch=True, begin=3, end=20, T_max=17, convert_to_iter_based=True),
]
"""


def rates(cfg, steps: int) -> list[float]:
    """The learning rates that mmengine makes of a config, 100 iterations an epoch."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedulers = [
        PARAM_SCHEDULERS.build({**scheduler, 'optimizer': optimizer}, default_args={'epoch_length': 100})
        for scheduler in cfg.param_scheduler
    ]
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return found


@pytest.mark.parametrize('epochs', [2, 10, 40])
def test_other_number_of_epochs_keeps_the_course(config, epochs: int) -> None:
    cfg, changed = load_config(config(SCHEDULED)), load_config(config(SCHEDULED))
    set_epochs(changed, epochs)
    assert changed.train_cfg.max_epochs == epochs
    before, after = rates(cfg, 2000), rates(changed, 100 * epochs)
    assert max(after) == pytest.approx(1.0)
    assert after[-1] < 0.02  # the decay ends with the training
    at = np.linspace(0, 1, 50)
    near = [np.interp(at, np.linspace(0, 1, len(course)), course) for course in (before, after)]
    assert np.abs(near[0] - near[1]).max() < 0.1


def test_epochs_of_a_schedule_by_epoch_stay_whole(config) -> None:
    schedule = "param_scheduler = dict(type='MultiStepLR', milestones=[5, 8], end=float('inf'))"
    cfg = load_config(config(f'train_cfg = dict(max_epochs=9)\n{schedule}\n'))
    set_epochs(cfg, 3)
    assert cfg.param_scheduler.milestones == [2, 3]
    assert cfg.param_scheduler.end == float('inf')


@pytest.mark.parametrize(('steps', 'kept'), [(2, ['CosineAnnealingLR']), (20, ['LinearLR', 'CosineAnnealingLR'])])
def test_a_warm_up_shorter_than_a_step_is_left_out(config, steps: int, kept: list[str]) -> None:
    cfg = load_config(config(SCHEDULED))
    set_epochs(cfg, 2)  # the warm-up is 0.3 of an epoch
    drop_empty_schedules(cfg, steps)
    assert [schedule.type for schedule in cfg.param_scheduler] == kept


def test_a_schedule_that_begins_after_the_training_is_left_out_and_said(config) -> None:
    cfg = load_config(config(SCHEDULED))
    cfg.train_cfg.max_epochs = 1  # as --cfg-options does, which stretches nothing
    (note,) = drop_empty_schedules(cfg, 20)
    assert note.startswith('note: CosineAnnealingLR is left out: it begins after epoch 3 and the training has 1.')
    assert note.endswith('--epochs 1')
    assert [schedule.type for schedule in cfg.param_scheduler] == ['LinearLR']
    assert drop_empty_schedules(load_config(config(SCHEDULED)), 20) == []


def test_a_warm_up_of_no_epoch_is_left_out(config) -> None:
    cfg = load_config(
        config("param_scheduler = [dict(type='LinearLR', begin=0, end=0), dict(type='CosineAnnealingLR')]")
    )
    drop_empty_schedules(cfg, 20)
    assert [schedule.type for schedule in cfg.param_scheduler] == ['CosineAnnealingLR']


def test_epochs_that_cannot_be(config) -> None:
    for text, epochs, message in (
        ('train_cfg = dict(max_iters=9)\n', 3, 'does not train by epochs'),
        ('train_cfg = dict(max_epochs=9)\n', 0, '--epochs 0: expected a positive number'),
    ):
        with pytest.raises(UserError, match=message):
            set_epochs(load_config(config(text)), epochs)


def test_missing_config() -> None:
    with pytest.raises(UserError, match=r'config not found: nowhere\.py'):
        load_config('nowhere.py')
