from __future__ import annotations

import math

import pytest
import torch

from bmoe_skel.models.router import CrossAttentionRouter, load_balance, masked_softmax


def slow_route(router: CrossAttentionRouter, query: torch.Tensor, regions: torch.Tensor, seen: torch.Tensor):
    """One step at a time, with sums written out."""
    n, t, r, d = regions.shape
    routed, weights = torch.zeros(n, t, d), torch.zeros(n, t, r)
    for i in range(n):
        for s in range(t):
            q = router.query(query[i, s])
            logits = [float(q @ router.key(regions[i, s, k])) / math.sqrt(d) for k in range(r)]
            allowed = [k for k in range(r) if seen[i, s, k]]
            if router.top_k is not None:
                allowed = sorted(allowed, key=lambda k: -logits[k])[: router.top_k]
            total = sum(math.exp(logits[k]) for k in allowed)
            for k in allowed:
                weights[i, s, k] = math.exp(logits[k]) / total
                routed[i, s] += weights[i, s, k] * router.value(regions[i, s, k])
    return routed, weights


@pytest.fixture
def example():
    generator = torch.Generator().manual_seed(0)
    query, regions = torch.randn(2, 5, 8, generator=generator), torch.randn(2, 5, 4, 8, generator=generator)
    seen = torch.rand(2, 5, 4, generator=generator) > 0.3
    seen[0, 0] = False
    seen[0, 1] = True
    return query * 3, regions * 3, seen


@pytest.mark.parametrize('top_k', [None, 1, 2, 3])
def test_equals_a_loop(example, top_k) -> None:
    torch.manual_seed(0)
    router = CrossAttentionRouter(8, top_k=top_k)
    with torch.no_grad():
        got, wanted = router(*example), slow_route(router, *example)
    torch.testing.assert_close(got[1], wanted[1])
    torch.testing.assert_close(got[0], wanted[0])


def test_unseen_regions_have_weight_zero_and_the_rest_sums_to_one(example) -> None:
    _, weights = CrossAttentionRouter(8)(*example)
    seen = example[2]
    assert (weights[~seen] == 0).all()
    torch.testing.assert_close(weights.sum(-1), seen.any(-1).float())


def test_permuting_regions_permutes_weights(example) -> None:
    query, regions, seen = example
    router = CrossAttentionRouter(8)
    order = [2, 0, 3, 1]
    routed, weights = router(query, regions, seen)
    routed_p, weights_p = router(query, regions[:, :, order], seen[:, :, order])
    torch.testing.assert_close(weights_p, weights[:, :, order])
    torch.testing.assert_close(routed_p, routed)


def test_top_4_of_4_is_dense(example) -> None:
    torch.manual_seed(0)
    dense = CrossAttentionRouter(8)
    top = CrossAttentionRouter(8, top_k=4)
    top.load_state_dict(dense.state_dict())
    for a, b in zip(dense(*example), top(*example), strict=True):
        assert torch.equal(a, b)


def test_what_an_unseen_region_holds_does_not_matter(example) -> None:
    query, regions, seen = example
    router = CrossAttentionRouter(8)
    other = torch.where(seen.unsqueeze(-1), regions, torch.full_like(regions, 50.0))
    assert torch.equal(router(query, regions, seen)[0], router(query, other, seen)[0])


def test_mean_router_weighs_seen_regions_alike(example) -> None:
    seen = example[2]
    _, weights = CrossAttentionRouter(8, kind='mean')(*example)
    torch.testing.assert_close(weights, seen / seen.sum(-1, keepdim=True).clamp(min=1))


def test_load_balance_is_1_when_even_and_r_when_one_has_all() -> None:
    seen = torch.ones(2, 3, 4, dtype=torch.bool)
    assert float(load_balance(torch.full((2, 3, 4), 0.25), seen)) == pytest.approx(1)
    one = torch.zeros(2, 3, 4)
    one[..., 2] = 1
    assert float(load_balance(one, seen)) == pytest.approx(4)


def test_softmax_of_nothing_is_zero() -> None:
    assert masked_softmax(torch.tensor([[3.0, 4.0]]), torch.tensor([[False, False]])).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize('bad', [{'kind': 'random'}, {'top_k': 0}])
def test_bad_arguments_are_named(bad) -> None:
    with pytest.raises(ValueError, match=r'router kind|top_k'):
        CrossAttentionRouter(8, **bad)
