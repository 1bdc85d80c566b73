from __future__ import annotations

import pytest
import torch

from bmoe_ground.pixels import IMAGENET_MEAN, IMAGENET_STD
from bmoe_skel.models.preprocessor import PosePreprocessor


def test_they_are_timm_s() -> None:
    constants = pytest.importorskip('timm.data.constants')
    assert constants.IMAGENET_DEFAULT_MEAN == IMAGENET_MEAN
    assert constants.IMAGENET_DEFAULT_STD == IMAGENET_STD


def test_scaled_to_eight_bits_they_are_the_published_numbers() -> None:
    """Of the RGB stream's input; those of checkpoints of 0.1 to the last bit."""
    preprocessor = PosePreprocessor()
    assert torch.equal(preprocessor.mean.flatten(), torch.tensor([123.675, 116.28, 103.53]))
    assert torch.equal(preprocessor.std.flatten(), torch.tensor([58.395, 57.12, 57.375]))
