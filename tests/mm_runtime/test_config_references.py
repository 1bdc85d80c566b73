from __future__ import annotations

import pytest

from bmoe_ground.errors import UserError
from mm_runtime.config_references import look_up, resolve, resolve_base


def test_references_keep_the_type_of_what_they_refer_to() -> None:
    cfg = {'n': 3, 'size': (1, 2), 'a': {'b': '${n}', 'c': ['${size}', 'x_${n}_${a.b}']}, 'd': '${a}'}
    found = resolve(cfg, 'x.py')
    assert found['a'] == {'b': 3, 'c': [(1, 2), 'x_3_3']}
    assert found['d'] == found['a'] and found['d'] is not found['a']
    assert cfg['a']['b'] == '${n}'


def test_a_key_is_found_behind_a_reference() -> None:
    assert look_up({'a': '${b}', 'b': {'c': '${d}'}, 'd': {'e': 5}}, 'a.c.e', 'x.py') == 5


@pytest.mark.parametrize(
    ('cfg', 'message'),
    [
        ({'max_epochs': 3, 'a': '${max_epoch}'}, r"\$\{max_epoch\} leads nowhere; did you mean 'max_epochs'"),
        ({'a': 1, 'b': '${a.c}'}, r'\$\{a\.c\} leads nowhere; known: none'),
        ({'a': '${b}', 'b': ['${a}']}, r'leads back to itself: b -> a -> b'),
    ],
)
def test_references_that_lead_nowhere(cfg: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        resolve(cfg, 'x.py')


def test_references_to_the_config_before_a_preset() -> None:
    base = {'model': {'dims': '${n}', 'head': {'drop': 0.1}}, 'n': 4}
    preset = {'model': {'_delete_': True, 'dims': '${_base_.model.dims}', 'head': '${_base_.model.head}', 'x': '${n}'}}
    found = resolve_base(preset, base, 'x.py')
    assert found['model'] == {'_delete_': True, 'dims': '${n}', 'head': {'drop': 0.1}, 'x': '${n}'}
    found['model']['head']['drop'] = 0.5
    assert base['model']['head']['drop'] == 0.1
