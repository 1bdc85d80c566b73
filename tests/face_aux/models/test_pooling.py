from __future__ import annotations

import pytest
import torch

from bmoe_ground.errors import UserError
from face_aux.models.encoder import VisionEncoder
from face_aux.models.pooling import FlatPool, make_pool

SMALL = {'name': 'vit_tiny_patch16_224', 'img_size': 24, 'patch_size': 6, 'embed_dim': 24, 'depth': 1, 'num_heads': 3}


def test_token_and_mean() -> None:
    encoder = VisionEncoder(**SMALL)
    tokens = torch.randn(2, 17, 24)
    assert torch.equal(make_pool('token', encoder)(tokens), tokens[:, 0])
    torch.testing.assert_close(make_pool('avg', encoder)(tokens), sum(tokens[:, i] for i in range(1, 17)) / 16)


def test_flat_keeps_every_patch_in_its_place() -> None:
    torch.manual_seed(0)
    pool = FlatPool(VisionEncoder(**SMALL), channels=5).eval()
    assert pool.num_features == 80
    tokens = torch.randn(3, 17, 24)
    pooled = pool(tokens)
    weight, bias = pool.reduce.weight, pool.reduce.bias
    expected = torch.cat([tokens[:, i] @ weight.T + bias for i in range(1, 17)], dim=1)
    expected = (expected - expected.mean(1, keepdim=True)) / (
        expected.var(1, keepdim=True, unbiased=False) + 1e-5
    ).sqrt()
    torch.testing.assert_close(pooled, expected)
    swapped = tokens[:, [0, *range(16, 0, -1)]]
    torch.testing.assert_close(pool(swapped).view(3, 16, 5), pooled.view(3, 16, 5).flip(1))
    assert torch.equal(pool(torch.cat([torch.zeros(3, 1, 24), tokens[:, 1:]], dim=1)), pooled)  # no class token


def test_wrong_pools_are_named() -> None:
    with pytest.raises(UserError, match="pool must be one of .*'max'"):
        make_pool('max', VisionEncoder(**SMALL))
    with pytest.raises(UserError, match='no class token'):
        make_pool('token', VisionEncoder(**SMALL, class_token=False))
