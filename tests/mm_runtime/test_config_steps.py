from __future__ import annotations

import pytest

from bmoe_ground.errors import UserError
from mm_runtime.config_steps import is_steps, step_names, to_lists


def kinds(pipeline: dict) -> list[str]:
    return [step['type'] for step in to_lists({'train_pipeline': pipeline})['train_pipeline']]


def test_a_dict_becomes_a_list_in_order() -> None:
    steps = {'LoadFace': {}, 'First': {'type': 'Resize', 'size': 8}, 'Resize': {'size': 4}}
    assert to_lists({'pipeline': steps}) == {
        'pipeline': [{'type': 'LoadFace'}, {'type': 'Resize', 'size': 8}, {'type': 'Resize', 'size': 4}]
    }


def test_steps_are_left_out_and_put_in() -> None:
    assert kinds({'A': {}, 'B': None, 'C': {}}) == ['A', 'C']
    assert kinds({'A': {}, 'C': {}, 'B': {'_before_': 'C'}}) == ['A', 'B', 'C']
    assert kinds({'A': {}, 'C': {}, 'B': {'_after_': 'A'}, 'D': {'_after_': 'B'}}) == ['A', 'B', 'D', 'C']
    with pytest.raises(UserError, match=r"train_pipeline\.B: _before_='Pakc' is no step; did you mean 'Pack'"):
        kinds({'Pack': {}, 'B': {'_before_': 'Pakc'}})


def test_steps_inside_of_loaders_are_found() -> None:
    cfg = {'val_dataloader': {'dataset': {'pipeline': {'A': {'pipeline': {'B': {}}}}}}}
    expected = [{'type': 'A', 'pipeline': [{'type': 'B'}]}]
    assert to_lists(cfg)['val_dataloader']['dataset']['pipeline'] == expected


@pytest.mark.parametrize(
    ('key', 'value', 'expected'),
    [
        ('custom_hooks', {'A': {}}, True),
        ('test_pipeline', {}, True),
        ('param_scheduler', {'type': 'MultiStepLR', 'milestones': [1]}, False),  # one schedule
        ('val_evaluator', {'metrics': [1]}, False),
        ('model', {'A': {}}, False),
        ('pipeline', [], False),
    ],
)
def test_which_dicts_are_steps(key: str, value, expected: bool) -> None:
    assert is_steps(key, value) is expected
    assert isinstance(to_lists({key: value})[key], list) is (expected or isinstance(value, list))


def test_names_of_a_list() -> None:
    assert step_names([{'type': 'A'}, {'type': 'B'}, {'type': 'A'}]) == ['A:1', 'B', 'A:2']
    assert step_names([{'n': 1}]) == []
