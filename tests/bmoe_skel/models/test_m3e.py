from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from bmoe_skel.models.layers import SelfAttention, masked_mean, sinusoidal_positions
from bmoe_skel.models.m3e import M3E, M3EBlock, ScalableGranularityBlock


def slow_attention(layer: SelfAttention, x: Tensor) -> Tensor:
    """Attention of one clip without padding, head by head and step by step."""
    steps, dims = x.shape
    y = F.layer_norm(x, (dims,), layer.norm.weight, layer.norm.bias)
    place = torch.zeros(steps, dims)
    for t in range(steps):
        for i in range(0, dims, 2):
            angle = t / 10000 ** (i / dims)
            place[t, i], place[t, i + 1] = math.sin(angle), math.cos(angle)
    qkv = (y + place) @ layer.qkv.weight.T + layer.qkv.bias
    query, key, value = qkv.split(dims, dim=1)
    size = dims // layer.heads
    out = torch.zeros(steps, dims)
    for h in range(layer.heads):
        part = slice(h * size, (h + 1) * size)
        for t in range(steps):
            weights = torch.softmax(torch.stack([query[t, part] @ key[s, part] / size**0.5 for s in range(steps)]), 0)
            out[t, part] = sum(weights[s] * value[s, part] for s in range(steps))
    return out @ layer.proj.weight.T + layer.proj.bias


def slow_micro(layer: ScalableGranularityBlock, x: Tensor) -> Tensor:
    """The micro block of one clip, channel by channel."""
    steps, dims = x.shape
    y = F.layer_norm(x, (dims,), layer.norm.weight, layer.norm.bias)
    out = x.clone()
    for c in range(dims):
        gate = max(float(y[:, c].mean() * layer.clip_gate.weight[c] + layer.clip_gate.bias[c]), 0.0)
        for t in range(steps):
            instant = (y[t, c] * layer.instant.weight[c] + layer.instant.bias[c]) * gate
            window = 0.0
            for conv in layer.windows:
                half = conv.weight.shape[-1] // 2
                window = window + conv.bias[c]
                for j in range(-half, half + 1):
                    if 0 <= t + j < steps:
                        window = window + conv.weight[c, 0, j + half] * y[t + j, c]
            psi = y[t, c] * layer.window_gate.weight[c] + layer.window_gate.bias[c]
            out[t, c] = x[t, c] + instant + window * psi + y[t, c]
    return out + layer.mlp(out)


def test_block_equals_a_slow_one() -> None:
    torch.manual_seed(0)
    block = M3EBlock(8, heads=2).eval()
    x = torch.randn(1, 9, 8)
    wanted = slow_micro(block.micro, x[0] + slow_attention(block.macro, x[0]))
    got = block(x, torch.ones(1, 9, dtype=torch.bool))[0]
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('training', [True, False])
@pytest.mark.parametrize('length', [1, 2, 7, 30])
def test_padding_changes_nothing(length: int, training: bool) -> None:
    torch.manual_seed(0)
    encoder = M3E(16, depth=2).train(training)
    x = torch.randn(2, length, 16)
    mask = torch.ones(2, length, dtype=torch.bool)
    padded = torch.cat([x, torch.full((2, 5, 16), 7.0)], dim=1)
    padded_mask = torch.cat([mask, torch.zeros(2, 5, dtype=torch.bool)], dim=1)
    wanted, got = encoder(x, mask), encoder(padded, padded_mask)
    torch.testing.assert_close(got[:, :length], wanted, rtol=1e-4, atol=1e-5)
    assert (got[:, length:] == 0).all()


def test_a_masked_step_inside_a_clip_is_not_looked_at() -> None:
    torch.manual_seed(0)
    encoder = M3E(16).eval()
    x, mask = torch.randn(1, 12, 16), torch.ones(1, 12, dtype=torch.bool)
    mask[0, 4] = False
    changed = x.clone()
    changed[0, 4] = 100.0
    assert torch.equal(encoder(x, mask), encoder(changed, mask))


def test_a_clip_without_any_step_is_zero() -> None:
    out = M3E(16).eval()(torch.randn(2, 5, 16), torch.tensor([[True] * 5, [False] * 5]))
    assert torch.isfinite(out).all()
    assert (out[1] == 0).all()


@pytest.mark.parametrize(('macro', 'micro'), [(True, False), (False, True), (False, False)])
def test_ablations_lack_what_they_say(macro: bool, micro: bool) -> None:
    encoder = M3E(16, macro=macro, micro=micro)
    names = {type(module).__name__ for module in encoder.modules()}
    assert ('SelfAttention' in names, 'ScalableGranularityBlock' in names) == (macro, micro)
    assert encoder(torch.randn(1, 6, 16), torch.ones(1, 6, dtype=torch.bool)).shape == (1, 6, 16)


def test_gradients_agree_with_finite_differences() -> None:
    torch.manual_seed(0)
    block = M3EBlock(4, heads=2, kernels=(3,)).double()
    mask = torch.tensor([[True, True, True, False]])
    x = torch.randn(1, 4, 4, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: block(x, mask), (x,), eps=1e-6, atol=1e-4)


def test_positions_tell_every_step_apart() -> None:
    place = sinusoidal_positions(200, 32)
    distance = torch.cdist(place, place) + torch.eye(200) * 100
    assert distance.min() > 0.1


def test_masked_mean_of_nothing_is_zero() -> None:
    x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    mask = torch.tensor([[True, False, True], [False, False, False]])
    assert masked_mean(x, mask, dim=1).tolist() == [2.0, 0.0]


def test_even_kernels_are_refused() -> None:
    with pytest.raises(ValueError, match='odd'):
        M3E(16, kernels=(3, 4))
