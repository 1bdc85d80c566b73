"""The network of a checkpoint alone, as load_model gives it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from skeleton_clips import config_text, random_inputs, small_model, write_checkpoint

from bmoe_ground.errors import UserError
from bmoe_skel.checkpoint import load_model, load_trained


def test_the_model_is_ready_and_knows_its_classes(tmp_path: Path) -> None:
    model = load_model(write_checkpoint(tmp_path / 'best.pth'))
    assert not any(part.training for part in model.modules())
    assert (model.classes, model.skeleton) == (['arms', 'head', 'legs'], 'coco17')
    expected = small_model().eval()
    with torch.no_grad():
        torch.testing.assert_close(model(random_inputs()), expected(random_inputs()), rtol=0, atol=0)


def test_a_device_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="device 'toaster'"):
        load_model(write_checkpoint(tmp_path / 'best.pth'), 'toaster')


def test_a_registered_class_that_recognises_nothing_is_refused(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / 'best.pth')
    facts = torch.load(path, weights_only=True)
    facts['meta']['cfg'] = config_text({'type': 'PosePreprocessor'}, [])
    torch.save(facts, path)
    with pytest.raises(UserError, match='PosePreprocessor is no model that recognises actions'):
        load_model(path)


@pytest.mark.parametrize(
    ('key', 'value', 'message'),
    [
        ('classes', 'arms', 'classes are no list of names'),
        ('classes', [1, 2, 3], 'classes are no list of names'),
        ('skeleton', 17, 'skeleton is no name'),
    ],
)
def test_facts_of_another_kind_are_refused(tmp_path: Path, key: str, value: object, message: str) -> None:
    path = write_checkpoint(tmp_path / 'best.pth')
    facts = torch.load(path, weights_only=True)
    facts['meta']['dataset_meta'][key] = value
    torch.save(facts, path)
    with pytest.raises(UserError, match=message):
        load_model(path)


def test_the_duration_of_the_training_clips_is_read(tmp_path: Path) -> None:
    assert load_trained(write_checkpoint(tmp_path / 'a.pth', clip_seconds=[2, 3.5])).clip_seconds == (2.0, 3.5)
    assert load_trained(write_checkpoint(tmp_path / 'b.pth')).clip_seconds is None


@pytest.mark.parametrize(
    'value', [2.0, [1.0], [2.0, 1.0], [0.0, 1.0], ['1', '2'], [1.0, float('nan')], [1.0, 1e9], [True, 2]]
)
def test_durations_that_are_none_are_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(UserError, match='clip_seconds are no two rising durations'):
        load_trained(write_checkpoint(tmp_path / 'a.pth', clip_seconds=value))
