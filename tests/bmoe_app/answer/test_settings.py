"""How a model may be asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from bmoe_app.answer.settings import ModelSettings, means_nothing
from bmoe_ground.errors import UserError


@pytest.mark.parametrize(
    'label', ['nothing', 'None', 'STILL', 'no_action', 'no micro-action', 'Background', 'sitting still']
)
def test_names_that_mean_nothing(label: str) -> None:
    assert means_nothing(label)


@pytest.mark.parametrize('label', ['nod', 'nodding', 'standing', 'other', '', 'stillness of the hand', 'noise'])
def test_names_that_mean_something(label: str) -> None:
    assert not means_nothing(label)


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'threshold': 1.2}, r'threshold: must be within 0\.\.1, got 1\.2'),
        ({'threshold': float('nan')}, 'threshold'),
        ({'min_seconds': -1}, 'min_seconds: must be seconds, 0 or more'),
        ({'max_gap': float('nan')}, 'max_gap'),
        ({'nms_seconds': -0.1}, 'nms_seconds: must be seconds, 0 or more'),
        ({'window': 0}, 'window: must be seconds above 0'),
        ({'stride': float('inf')}, 'stride'),
    ],
)
def test_values_out_of_range_are_named(values: dict[str, float], message: str) -> None:
    with pytest.raises(UserError, match=message):
        ModelSettings(Path('best.pth'), **values)  # type: ignore[arg-type]
