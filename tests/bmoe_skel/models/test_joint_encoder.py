from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bmoe_skel.models.joint_encoder import GraphMixing, JointBlock, JointEncoder, halve_time, normalized_adjacency

EDGES = [(0, 1), (1, 2), (1, 3)]


def random_joints(n: int = 2, t: int = 5, v: int = 4, c: int = 8, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    visible = torch.rand(n, t, v, generator=generator) > 0.3
    visible[0, :, 2] = False
    return torch.randn(n, t, v, c, generator=generator) * visible.unsqueeze(-1), visible


def shaken(module: torch.nn.Module) -> torch.nn.Module:
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return module.eval()


def test_adjacency_by_hand() -> None:
    third, quarter = 1 / 3, 1 / 4
    wanted = [[0.5, 0.5, 0, 0], [quarter] * 4, [0, 0.5, 0.5, 0], [0, 0.5, 0, 0.5]]
    np.testing.assert_allclose(normalized_adjacency(4, EDGES), wanted)
    np.testing.assert_allclose(normalized_adjacency(3, [(0, 1), (1, 2)])[1], [third] * 3)


def test_graph_mixing_equals_a_slow_loop() -> None:
    layer = shaken(GraphMixing(8, 4, EDGES, heads=2))
    x, visible = random_joints()
    got = layer(x, visible)
    n, t, v, c = x.shape
    width, size = c // 2, 4
    wanted = torch.zeros_like(x)
    for i in range(n):
        pooled = []
        for j in range(v):
            frames = [x[i, f, j] for f in range(t) if visible[i, f, j]]
            pooled.append(sum(frames) / len(frames) if frames else torch.zeros(c))
        projected = [layer.query_key(p).view(2, 2, size) for p in pooled]  # (query or key, head, 4)
        for h in range(2):
            for a in range(v):
                logits = []
                for b in range(v):
                    score = sum(projected[a][0, h, k] * projected[b][1, h, k] for k in range(size)) / math.sqrt(size)
                    logits.append(score if visible[i, :, b].any() else torch.tensor(-math.inf))
                weights = torch.stack(logits).softmax(0)
                for f in range(t):
                    for b in range(v):
                        factor = layer.graph[h, a, b] + layer.gate[h, 0, 0] * weights[b]
                        part = slice(h * width, (h + 1) * width)
                        wanted[i, f, a, part] += factor * x[i, f, b, part]
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5)


def test_graph_starts_from_bones_and_identity() -> None:
    torch.manual_seed(0)
    layer = GraphMixing(8, 4, EDGES, heads=2)
    assert (layer.graph[0] - torch.eye(4)).abs().max() < 0.1
    assert (layer.graph[1] - torch.from_numpy(normalized_adjacency(4, EDGES))).abs().max() < 0.1
    assert not layer.gate.any()
    with pytest.raises(ValueError, match='dims 9 must be a multiple of heads 2'):
        GraphMixing(9, 4, EDGES, heads=2)


@pytest.mark.parametrize('frames', [1, 2, 5, 8])
def test_halve_time_equals_a_slow_loop(frames: int) -> None:
    x, visible = random_joints(t=frames)
    got, seen = halve_time(x + 100 * ~visible.unsqueeze(-1), visible)
    assert got.shape[1] == seen.shape[1] == math.ceil(frames / 2)
    for i, s, j in np.ndindex(*seen.shape):
        pair = [x[i, f, j] for f in (2 * s, 2 * s + 1) if f < frames and visible[i, f, j]]
        assert bool(seen[i, s, j]) == bool(pair)
        torch.testing.assert_close(got[i, s, j], sum(pair) / len(pair) if pair else torch.zeros(8))


def test_block_keeps_invisible_joints_at_zero_and_unheard() -> None:
    block = shaken(JointBlock(8, 4, EDGES, heads=2, kernel=3))
    x, visible = random_joints()
    out = block(x, visible)
    assert not out[~visible].any()
    assert out[visible].abs().sum() > 0
    assert torch.equal(block(x + 7 * ~visible.unsqueeze(-1), visible)[~visible], out[~visible])


def test_encoder_pools_groups_apart() -> None:
    joints, groups = [0, 1, 2, 3], [[0, 1], [2, 3]]
    torch.manual_seed(0)
    encoder = shaken(JointEncoder(6, joints, EDGES, 8, dims=(8,), depths=(1,), groups=groups, heads=2))
    features, visible = torch.randn(2, 5, 4, 6), torch.ones(2, 5, 4, dtype=torch.bool)
    visible[1, :, 2:] = False
    tokens, seen = encoder(features, visible)
    x = (encoder.embed(features) + encoder.identity) * visible.unsqueeze(-1)
    x = encoder.norm(encoder.stages[0](x, visible))
    for i in range(2):
        for f in range(5):
            parts = []
            for group in groups:
                shown = [x[i, f, j] for j in group if visible[i, f, j]]
                stacked = torch.stack(shown) if shown else torch.zeros(1, 8)
                parts += [stacked.mean(0), stacked.max(0).values]
            torch.testing.assert_close(tokens[i, f], encoder.pool(torch.cat(parts)), rtol=1e-4, atol=1e-5)
    assert seen.all()


@pytest.mark.parametrize(('depths', 'stride'), [((1,), 1), ((1, 1), 2), ((1, 2, 1), 4)])
def test_stride_and_length(depths, stride) -> None:
    encoder = JointEncoder(6, [0, 1, 2], EDGES, 8, dims=(8,) * len(depths), depths=depths, heads=2).eval()
    assert encoder.stride == stride
    for frames in (1, 7, 9):
        tokens, seen = encoder(torch.randn(1, frames, 4, 6), torch.ones(1, frames, 4, dtype=torch.bool))
        assert tokens.shape == (1, math.ceil(frames / stride), 8)
        assert seen.shape == tokens.shape[:2]


def test_encoder_sees_its_joints_only() -> None:
    encoder = shaken(JointEncoder(6, [1, 3], EDGES, 8, dims=(8,), depths=(1,), heads=2))
    features, visible = torch.randn(1, 4, 5, 6), torch.ones(1, 4, 5, dtype=torch.bool)
    before, _ = encoder(features, visible)
    other = features.clone()
    other[:, :, [0, 2, 4]] += 1
    assert torch.equal(encoder(other, visible)[0], before)
    other[:, :, 3] += 1
    assert not torch.equal(encoder(other, visible)[0], before)


def test_encoder_reads_the_distances_to_its_joints_only() -> None:
    encoder = shaken(JointEncoder(6 + 5, [1, 3], EDGES, 8, dims=(8,), depths=(1,), heads=2, columns=[*range(6), 7, 9]))
    features, visible = torch.randn(1, 4, 5, 11), torch.ones(1, 4, 5, dtype=torch.bool)
    before, _ = encoder(features, visible)
    for joint in range(5):
        other = features.clone()
        other[..., 6 + joint] += 1
        assert torch.equal(encoder(other, visible)[0], before) == (joint not in (1, 3))


def test_columns_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match='columns 2 to 6 are not all among 6 channels'):
        JointEncoder(6, [0, 1], EDGES, 8, dims=(8,), depths=(1,), columns=[2, 6])


def test_lengths_of_stages_must_agree() -> None:
    with pytest.raises(ValueError, match='must have the same length'):
        JointEncoder(6, [0, 1], EDGES, 8, dims=(8, 8), depths=(1,))
