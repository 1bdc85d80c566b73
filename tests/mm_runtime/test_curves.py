from __future__ import annotations

import pytest
from mmengine.config import Config

from mm_runtime import curves

LOCAL, BOARD = {'type': 'LocalVisBackend'}, {'type': 'TensorboardVisBackend'}


def config(*backends: dict) -> Config:
    return Config({'visualizer': {'type': 'Visualizer', 'vis_backends': list(backends)}})


@pytest.mark.parametrize(('installed', 'left'), [(True, [LOCAL, BOARD]), (False, [LOCAL])])
def test_the_backend_stays_where_the_package_is_there(monkeypatch, capsys, installed, left) -> None:
    monkeypatch.setattr(curves, 'find_spec', lambda name: object() if installed else None)
    cfg = config(LOCAL, BOARD)
    curves.settle_tensorboard(cfg)
    assert cfg.visualizer.vis_backends == left
    assert ('no TensorBoard' in capsys.readouterr().out) is not installed


def test_nothing_is_said_where_nobody_asked_for_it(monkeypatch, capsys) -> None:
    monkeypatch.setattr(curves, 'find_spec', lambda name: None)
    for cfg in (config(LOCAL), Config({})):
        curves.settle_tensorboard(cfg)
        assert not curves.drop_tensorboard(cfg)
    assert capsys.readouterr().out == ''
