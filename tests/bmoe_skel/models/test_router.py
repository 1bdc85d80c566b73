from __future__ import annotations

import math

import pytest
import torch

from bmoe_skel.models.router import (
    CrossAttentionRouter,
    RegionRelations,
    Routed,
    load_balance,
    masked_softmax,
    region_loss,
)


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


def test_the_number_of_choices_has_nothing_to_do_with_that_of_steps(example) -> None:
    weights = CrossAttentionRouter(8, top_k=2)(*(part[:, 1:2] for part in example)).weights
    assert int((weights[0] > 0).sum()) == 2


def test_unseen_regions_have_weight_zero_and_the_rest_sums_to_one(example) -> None:
    weights = CrossAttentionRouter(8)(*example).weights
    seen = example[2]
    assert (weights[~seen] == 0).all()
    torch.testing.assert_close(weights.sum(-1), seen.any(-1).float())


def test_permuting_regions_permutes_weights(example) -> None:
    query, regions, seen = example
    router = CrossAttentionRouter(8)
    order = [2, 0, 3, 1]
    routed, weights, _ = router(query, regions, seen)
    routed_p, weights_p, _ = router(query, regions[:, :, order], seen[:, :, order])
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
    weights = CrossAttentionRouter(8, kind='mean')(*example).weights
    torch.testing.assert_close(weights, seen / seen.sum(-1, keepdim=True).clamp(min=1))


def test_load_balance_is_1_when_even_and_r_when_one_has_all() -> None:
    seen = torch.ones(2, 3, 4, dtype=torch.bool)

    def penalty(weights: torch.Tensor) -> float:
        return float(load_balance(Routed(weights, weights, weights), seen))

    assert penalty(torch.full((2, 3, 4), 0.25)) == pytest.approx(1)
    one = torch.zeros(2, 3, 4)
    one[..., 2] = 1
    assert penalty(one) == pytest.approx(4)


def test_load_balance_of_choices_is_the_penalty_of_switch(example) -> None:
    torch.manual_seed(0)
    router, seen = CrossAttentionRouter(8, top_k=1, gate=True), example[2]
    routed = router(*example)
    steps = [(n, t) for n in range(2) for t in range(5) if seen[n, t].any()]
    shares = [sum(float(routed.weights[n, t, r] > 0) for n, t in steps) / len(steps) for r in range(4)]
    means = [sum(float(routed.dense[n, t, r].detach()) for n, t in steps) / len(steps) for r in range(4)]
    wanted = 4 * sum(share * mean for share, mean in zip(shares, means, strict=True))
    found = load_balance(routed, seen)
    assert float(found) == pytest.approx(wanted, rel=1e-5)
    found.backward()
    assert router.key.weight.grad.abs().sum() > 0


@pytest.mark.parametrize('gate', [False, True])
def test_one_chosen_region_learns_from_the_class_only_through_the_gate(example, gate: bool) -> None:
    torch.manual_seed(0)
    router = CrossAttentionRouter(8, top_k=1, gate=gate)
    routed = router(*example)
    wanted = routed.dense.amax(-1, keepdim=True) if gate else 1.0
    chosen = torch.einsum('ntr,ntrd->ntd', routed.weights, router.value(example[1]))
    torch.testing.assert_close(routed.tokens, chosen * wanted)
    torch.testing.assert_close(routed.weights.sum(-1), example[2].any(-1).float())
    routed.tokens.square().sum().backward()
    assert (router.key.weight.grad.abs().max() > 1e-6) == gate


def test_relations_equal_a_loop_and_are_blind_to_what_is_not_seen(example) -> None:
    _, regions, seen = example
    torch.manual_seed(0)
    layer = RegionRelations(8)
    with torch.no_grad():
        found = layer(regions, seen)
        for n in range(2):
            for t in range(5):
                q, k, v = layer.mix(layer.norm(regions[n, t])).chunk(3, -1)
                there = [s for s in range(4) if seen[n, t, s]]
                for r in range(4):
                    scores = [math.exp(float(q[r] @ k[s]) / math.sqrt(8)) for s in there]
                    mixed = sum((a / sum(scores) * v[s] for a, s in zip(scores, there, strict=True)), torch.zeros(8))
                    torch.testing.assert_close(found[n, t, r], regions[n, t, r] + layer.out(mixed))
        other = torch.where(seen.unsqueeze(-1), regions, 50.0)
        torch.testing.assert_close(layer(other, seen)[seen], found[seen])


def test_related_regions_change_each_others_weights_but_not_what_a_weight_lets_through(example) -> None:
    query, regions, seen = example
    torch.manual_seed(0)
    router = CrossAttentionRouter(8, relations=True)
    torch.manual_seed(0)
    plain = CrossAttentionRouter(8)
    seen = torch.ones_like(seen)
    changed = regions.clone()
    changed[:, :, 3] += torch.randn(8)

    def ratio(one: CrossAttentionRouter, tokens: torch.Tensor) -> torch.Tensor:
        weights = one(query, tokens, seen).weights
        return weights[..., 0] / weights[..., 1]

    torch.testing.assert_close(ratio(plain, changed), ratio(plain, regions))  # each region by itself
    assert (ratio(router, changed) / ratio(router, regions) - 1).abs().max() > 1e-3
    tokens, weights, dense = router(query, regions, seen)
    torch.testing.assert_close(tokens, torch.einsum('ntr,ntrd->ntd', weights, router.value(regions)))
    assert dense is weights


def test_region_loss_is_that_of_the_wanted_regions(example) -> None:
    seen = example[2].clone()
    seen[1, :, 0] = False
    routed = CrossAttentionRouter(8)(example[0], example[1], seen)
    wanted = torch.tensor([[False, True, True, False], [True, False, False, False]])  # the second is not seen
    steps = [t for t in range(5) if seen[0, t].any()]
    believed = sum(float(routed.dense[0, t, r].detach()) for t in steps for r in (1, 2)) / len(steps)
    assert float(region_loss(routed.dense, seen, wanted)) == pytest.approx(-math.log(believed), rel=1e-5)
    assert float(region_loss(routed.dense, seen, torch.zeros(2, 4, dtype=torch.bool))) == 0
    weights = torch.zeros(2, 5, 4, requires_grad=True)
    region_loss(weights.softmax(-1), torch.ones(2, 5, 4, dtype=torch.bool), wanted).backward()
    even = torch.full((2, 5, 4), 0.25)
    two = region_loss(even, torch.ones(2, 5, 4, dtype=torch.bool), wanted)  # the mean over bodies
    assert float(two) == pytest.approx((math.log(2) + math.log(4)) / 2)
    assert (weights.grad[0].sum(0)[[1, 2]] < 0).all() and (weights.grad[0].sum(0)[[0, 3]] > 0).all()


def test_softmax_of_nothing_is_zero() -> None:
    assert masked_softmax(torch.tensor([[3.0, 4.0]]), torch.tensor([[False, False]])).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize('bad', [{'kind': 'random'}, {'top_k': 0}, {'gate': True}])
def test_bad_arguments_are_named(bad) -> None:
    with pytest.raises(ValueError, match=r'router kind|top_k'):
        CrossAttentionRouter(8, **bad)
