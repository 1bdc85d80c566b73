from __future__ import annotations

import numpy as np
import pytest
import torch
from skeleton_clips import random_inputs

from bmoe_ground.errors import UserError
from bmoe_skel.models import PosePreprocessor


def test_pads_shorter_clips_with_invisible_frames() -> None:
    short, long = random_inputs(1, frames=5), random_inputs(1, frames=8)
    data = {key: [short[key][0], long[key][0]] for key in short}
    batch = PosePreprocessor()({'inputs': data, 'data_samples': None})['inputs']
    assert batch['keypoint'].shape == (2, 1, 1, 8, 17, 2)
    assert batch['visible'][0, :, :, :5].all()
    assert not batch['visible'][0, :, :, 5:].any()
    assert torch.equal(batch['keypoint'][1], long['keypoint'][0])


def test_some_without_features_is_an_error() -> None:
    one = random_inputs(1)
    data = {key: [one[key][0]] * 2 for key in one} | {'feature': [torch.zeros(4, 3)]}
    with pytest.raises(UserError, match='only 1 of 2 clips'):
        PosePreprocessor()({'inputs': data})


def test_rgb_is_normalised() -> None:
    one = random_inputs(1)
    frames = torch.full((2, 3, 4, 4), 124, dtype=torch.uint8)
    data = {key: [one[key][0]] for key in one} | {'rgb': [frames]}
    rgb = PosePreprocessor()({'inputs': data})['inputs']['rgb']
    np.testing.assert_allclose(rgb[0, 0, :, 0, 0], [(124 - 123.675) / 58.395, 0.13533, 0.35678], atol=1e-3)
