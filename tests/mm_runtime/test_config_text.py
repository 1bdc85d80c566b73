from __future__ import annotations

import pytest
from mmengine.config import Config

from bmoe_ground.errors import UserError
from mm_runtime.config_text import parse_config_text, section


def test_round_trip_of_what_mmengine_writes() -> None:
    content = {
        'model': {'type': 'M', 'depth': -3, 'rate': 1e-4, 'none': None, 'flag': True, 'name': "it's"},
        'steps': [{'type': 'A', 'size': (3, 4)}, {'type': 'B'}],
        'by_number': {1: 'a', '5_o_Clock': 2},
        'empty': {},
    }
    assert parse_config_text(Config(content).pretty_text, 'x.pth') == content


@pytest.mark.parametrize(
    'text',
    [
        'import os',
        'a = __import__("os").system("true")',
        'a = dict(**b)',
        'a = dict([(1, 2)])',
        'a = [x for x in (1, 2)]',
        'a.b = 1',
        'a = open("x")',
        'a = (lambda: 1)()',
        'def f(): pass',
        'a = -"x"',
    ],
)
def test_nothing_is_run(text: str) -> None:
    with pytest.raises(UserError, match=r'x.pth: line 1 of its config'):
        parse_config_text(text, 'x.pth')


def test_broken_text_is_named() -> None:
    with pytest.raises(UserError, match=r'x.pth: its config is not readable'):
        parse_config_text('a = (', 'x.pth')


@pytest.mark.parametrize('text', ['a = ' + '[' * 5000 + ']' * 5000, 'a = {[]: 1}', 'a = {{}}', 'a = "\x00"'])
def test_text_that_python_cannot_hold_is_named(text: str) -> None:
    with pytest.raises(UserError, match=r'x.pth: '):
        parse_config_text(text, 'x.pth')


def test_section_follows_keys_and_forgives() -> None:
    config = {'a': {'b': {'c': 1}}, 'd': [1]}
    assert section(config, 'a', 'b') == {'c': 1}
    assert section(config, 'a', 'b', 'c') == section(config, 'd', 'e') == section(None, 'x') == {}
