from __future__ import annotations

import pytest

from mm_runtime.config import load_config, parse_cfg_options
from mm_runtime.errors import UserError


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


def test_missing_config() -> None:
    with pytest.raises(UserError, match=r'config not found: nowhere\.py'):
        load_config('nowhere.py')
