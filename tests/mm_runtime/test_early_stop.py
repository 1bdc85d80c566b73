from __future__ import annotations

import uuid
from types import SimpleNamespace

import pytest
from mmengine.hooks import CheckpointHook
from mmengine.logging import MessageHub, MMLogger

from bmoe_ground.errors import UserError
from mm_runtime.early_stop import StopEarlyHook


def runner(save_best: str | None = 'f1_macro', rule: str | None = 'greater', val_loop: object = 1) -> SimpleNamespace:
    return SimpleNamespace(
        hooks=[CheckpointHook(save_best=save_best, rule=rule)],
        val_loop=val_loop,
        train_loop=SimpleNamespace(stop_training=False),
        logger=MMLogger('test'),
        message_hub=MessageHub(uuid.uuid4().hex),
    )


def validations(hook: StopEarlyHook, run: SimpleNamespace, metric: str, values: list[float]) -> int:
    """After how many validations it stops; 0 for never."""
    hook.before_train(run)
    for i, value in enumerate(values, 1):
        hook.after_val_epoch(run, {metric: value})
        if run.train_loop.stop_training:
            return i
    return 0


@pytest.mark.parametrize(
    ('values', 'stops'),
    [
        ([0.1, 0.2, 0.3, 0.4], 0),
        ([0.5, 0.4, 0.3], 3),
        ([0.5, 0.5005, 0.5006], 3),  # less than min_delta is not better
        ([0.5, 0.4, 0.6, 0.5, 0.55], 5),
        ([0.5, float('nan')], 2),
    ],
)
def test_stops_after_patience(values, stops) -> None:
    assert validations(StopEarlyHook(patience=2), runner(), 'f1_macro', values) == stops


@pytest.mark.parametrize('cut', [1, 2, 3])
def test_counts_on_when_resumed(cut) -> None:
    run, values = runner(), [0.5, 0.4, 0.3, 0.2]
    validations(StopEarlyHook(patience=3), run, 'f1_macro', values[:cut])
    assert not run.train_loop.stop_training
    assert validations(StopEarlyHook(patience=3), run, 'f1_macro', values[cut:]) == 4 - cut


def test_a_run_that_had_stopped_trains_no_further() -> None:
    run = runner()
    assert validations(StopEarlyHook(patience=1), run, 'f1_macro', [0.5, 0.4]) == 2
    run.train_loop.stop_training = False  # a new loop
    StopEarlyHook(patience=1).before_train(run)
    assert run.train_loop.stop_training


def test_follows_the_rule_of_the_best_checkpoint() -> None:
    run = runner('mae', 'less')
    assert validations(StopEarlyHook(patience=1), run, 'mae', [3.0, 2.0, 1.0, 1.5]) == 4


def test_off_unless_asked_for() -> None:
    assert validations(StopEarlyHook(), runner(None, None, None), 'x', [0.5, 0.4] * 50) == 0


@pytest.mark.parametrize('run', [runner(None, None), runner('auto'), runner(val_loop=None)])
def test_needs_a_metric_and_validation(run) -> None:
    with pytest.raises(UserError, match='needs validation and default_hooks.checkpoint.save_best'):
        StopEarlyHook(patience=2).before_train(run)


def test_patience_is_checked() -> None:
    with pytest.raises(UserError, match='at least 1 validation, or null for never, got 0'):
        StopEarlyHook(patience=0)
