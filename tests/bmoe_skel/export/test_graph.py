"""The network that holds its preprocessing answers as the inferencer with its numpy transforms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from skeleton_clips import SMALL, clip_with_holes, config_text, small_model, write_checkpoint

from bmoe_ground.errors import UserError
from bmoe_skel.checkpoint import load_trained
from bmoe_skel.export.graph import RecognizerGraph
from bmoe_skel.inferencer import MicroActionInferencer

SAMPLE: dict[str, Any] = {'type': 'SampleFrames', 'num_frames': 16, 'random': False}


def checkpoint_with(path: Path, steps: list[dict[str, Any]], skeleton: str = 'coco17', coordinates: int = 2) -> Path:
    model = {'type': 'BMoE', 'num_classes': 3, 'skeleton': skeleton, 'coordinates': coordinates, **SMALL}
    facts = {'classes': ['arms', 'head', 'legs'], 'skeleton': skeleton, 'coordinates': coordinates}
    weights = small_model(skeleton, coordinates).state_dict()
    torch.save({'state_dict': weights, 'meta': {'cfg': config_text(model, steps), 'dataset_meta': facts}}, path)
    return path


@pytest.mark.parametrize(('persons', 'frames'), [(1, 1), (2, 2), (1, 7), (3, 24), (2, 61)])
@pytest.mark.parametrize(
    ('steps', 'skeleton', 'coordinates'),
    [
        ([{'type': 'NormalizePose'}, SAMPLE, {'type': 'PackPose', 'max_persons': None}], 'coco17', 2),
        ([{'type': 'NormalizePose', 'min_score': 0.5}, SAMPLE, {'type': 'PackPose'}], 'coco17', 2),
        (
            [
                {'type': 'NormalizePose'},
                SAMPLE | {'num_clips': 5, 'crop': (0.8, 1.0)},
                {'type': 'AddMirrored'},
                {'type': 'PackPose', 'max_persons': None},
            ],
            'kinect20',
            3,
        ),
    ],
)
def test_equals_the_inferencer(
    tmp_path: Path, steps: list[dict[str, Any]], skeleton: str, coordinates: int, persons: int, frames: int
) -> None:
    path = checkpoint_with(tmp_path / 'model.pth', steps, skeleton, coordinates)
    inferencer, graph = MicroActionInferencer(path), RecognizerGraph(load_trained(path)).eval()
    for seed in range(4):
        clip = clip_with_holes(persons, frames, skeleton, coordinates, seed)
        wanted, routing = inferencer.predict_clip(**{name: value.copy() for name, value in clip.items()})
        given = [torch.from_numpy(clip[name]).float()[None] for name in ('keypoint', 'score', 'frame_times')]
        with torch.no_grad():
            found, weights = graph(*given)
        np.testing.assert_allclose(found[0].numpy(), wanted, atol=2e-5)
        assert routing is not None
        np.testing.assert_allclose(weights[0].numpy(), routing, atol=2e-5)


@pytest.mark.parametrize(
    ('steps', 'says'),
    [
        ([{'type': 'NormalizePose'}, SAMPLE, {'type': 'LoadFeature'}, {'type': 'PackPose'}], 'LoadFeature'),
        ([{'type': 'NormalizePose'}, SAMPLE | {'mode': 'window'}, {'type': 'PackPose'}], "mode='resample'"),
        ([{'type': 'NormalizePose'}, {'type': 'SampleFrames'}, {'type': 'PackPose'}], 'random=False'),
        ([SAMPLE, {'type': 'NormalizePose'}, {'type': 'PackPose'}], 'SampleFrames, NormalizePose'),
        ([{'type': 'NormalizePose', 'view': 'yaw'}, SAMPLE, {'type': 'PackPose'}], 'needs 3D'),
    ],
)
def test_what_cannot_go_into_the_network_is_named(tmp_path: Path, steps: list[dict[str, Any]], says: str) -> None:
    trained = load_trained(checkpoint_with(tmp_path / 'model.pth', steps))
    with pytest.raises(UserError, match=says):
        RecognizerGraph(trained)


def test_a_plain_checkpoint_of_the_tests_can_be_exported(tmp_path: Path) -> None:
    assert RecognizerGraph(load_trained(write_checkpoint(tmp_path / 'model.pth'))).routes
