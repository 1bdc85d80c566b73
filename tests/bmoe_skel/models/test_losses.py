from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from bmoe_ground.errors import UserError
from bmoe_skel.models.losses import ActionLoss, TreeLoss, tree_log_probabilities


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(6, 4, generator=generator), torch.tensor([0, 1, 2, 3, 3, 0])


@pytest.mark.parametrize('smoothing', [0.0, 0.1, 0.5])
def test_plain_and_smoothed_equal_torch(batch, smoothing) -> None:
    logits, target = batch
    ours = ActionLoss(4, label_smoothing=smoothing)(logits, target)
    torch.testing.assert_close(ours, torch.nn.CrossEntropyLoss(label_smoothing=smoothing)(logits, target))


def test_smoothing_by_hand(batch) -> None:
    logits, target = batch
    probability = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(1, keepdims=True)
    wanted = np.eye(4)[target.numpy()] * 0.8 + 0.2 / 4
    hand = -(wanted * np.log(probability)).sum(1).mean()
    assert ActionLoss(4, label_smoothing=0.2)(logits, target).item() == pytest.approx(hand, rel=1e-5)


def test_class_balanced_by_hand(batch) -> None:
    loss = ActionLoss(3, balance='class_balanced', class_counts=[1, 10, 1000], beta=0.9)
    # (1 - 0.9) / (1 - 0.9^n): n = 1 -> 1, n = 10 -> 0.1535339, n = 1000 -> 0.1
    raw = np.array([1.0, 0.15353399, 0.1])
    np.testing.assert_allclose(loss.weight, raw / raw.mean(), rtol=1e-5)
    logits, target = batch[0][:3, :3], torch.tensor([0, 2, 2])
    wanted = torch.nn.CrossEntropyLoss(weight=loss.weight)(logits, target)
    torch.testing.assert_close(loss(logits, target), wanted)


def test_logit_adjustment_by_hand(batch) -> None:
    logits, target = batch
    loss = ActionLoss(4, balance='logit_adjusted', class_counts=[1, 2, 3, 4], tau=2.0)
    hand = 0.0
    for row, label in zip(logits.tolist(), target.tolist(), strict=True):
        shifted = [x + 2 * math.log(n / 10) for x, n in zip(row, (1, 2, 3, 4), strict=True)]
        hand += math.log(sum(math.exp(x) for x in shifted)) - shifted[label]
    assert loss(logits, target).item() == pytest.approx(hand / 6, rel=1e-5)


def test_logit_adjustment_pays_for_rare_classes() -> None:
    loss = ActionLoss(2, balance='logit_adjusted', class_counts=[99, 1])
    even = torch.zeros(1, 2)
    assert loss(even, torch.tensor([1])) > 10 * loss(even, torch.tensor([0]))


def test_binary_cross_entropy_equals_torch(batch) -> None:
    logits = batch[0]
    target = (torch.arange(24).view(6, 4) % 3 == 0).float()
    torch.testing.assert_close(
        ActionLoss(4, multi_label=True)(logits, target), torch.nn.BCEWithLogitsLoss()(logits, target)
    )
    balanced = ActionLoss(4, multi_label=True, balance='class_balanced', class_counts=[1, 2, 3, 4])
    wanted = torch.nn.BCEWithLogitsLoss(weight=balanced.weight)(logits, target)
    torch.testing.assert_close(balanced(logits, target), wanted)


@pytest.mark.parametrize('multi_label', [False, True])
def test_sample_weights(batch, multi_label) -> None:
    logits, target = batch
    if multi_label:
        target = F.one_hot(target, 4).float()
    loss = ActionLoss(4, multi_label=multi_label)
    weight = torch.tensor([1.0, 0.0, 2.0, 0.0, 0.0, 1.0])
    each = torch.stack([loss(logits[i : i + 1], target[i : i + 1]) for i in range(6)])
    torch.testing.assert_close(loss(logits, target, weight), (each * weight).sum() / 4)
    torch.testing.assert_close(loss(logits, target, torch.ones(6)), loss(logits, target))
    assert loss(logits, target, torch.zeros(6)) == 0


def test_losses_stay_finite_for_extreme_logits() -> None:
    logits = torch.tensor([[1e4, -1e4]], requires_grad=True)
    for loss, target in [
        (ActionLoss(2, label_smoothing=0.1), torch.tensor([1])),
        (ActionLoss(2, multi_label=True), torch.tensor([[0.0, 1.0]])),
    ]:
        value = loss(logits, target)
        assert torch.isfinite(value)
        assert torch.isfinite(torch.autograd.grad(value, logits)[0]).all()


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        ({'balance': 'magic'}, "unknown loss balance 'magic'"),
        ({'balance': 'class_balanced'}, 'needs class_counts of 3 classes, got None'),
        ({'balance': 'logit_adjusted', 'class_counts': [1, 2]}, 'needs class_counts of 3 classes, got 2'),
    ],
)
def test_mistakes(kwargs, message) -> None:
    with pytest.raises(UserError, match=message):
        ActionLoss(3, **kwargs)


def brute_force_marginals(coarse: np.ndarray, fine: np.ndarray, parents: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Enumerate all on-off states of all nodes and keep the legal ones."""
    count, parts = len(fine), len(coarse)
    total, coarse_sum, fine_sum = 0.0, np.zeros(parts), np.zeros(count)
    for state in itertools.product((0, 1), repeat=parts + count):
        on_coarse, on_fine = np.array(state[:parts]), np.array(state[parts:])
        exclusive = on_coarse.sum() <= 1 and on_fine.sum() <= 1
        implied = all(on_coarse[parents[c]] for c in range(count) if on_fine[c])
        if not (exclusive and implied):
            continue
        potential = math.exp((on_coarse * coarse).sum() + (on_fine * fine).sum())
        total += potential
        coarse_sum += potential * on_coarse
        fine_sum += potential * on_fine
    return coarse_sum / total, fine_sum / total


@pytest.mark.parametrize('parents', [[0, 0, 1, 2], [2, 1, 0, 0, 1], [0, 0, 2]])
def test_tree_marginals_equal_enumeration(parents) -> None:
    rng = np.random.default_rng(0)
    coarse, fine = rng.normal(0, 2, (3, max(parents) + 1)), rng.normal(0, 2, (3, len(parents)))
    got = tree_log_probabilities(torch.from_numpy(coarse), torch.from_numpy(fine), torch.tensor(parents))
    for i in range(3):
        wanted = brute_force_marginals(coarse[i], fine[i], parents)
        for logs, marginals in zip(got, wanted, strict=True):
            np.testing.assert_allclose(logs[i].exp(), marginals, rtol=1e-9)


def test_tree_loss_is_the_negative_log_of_both_marginals() -> None:
    rng = np.random.default_rng(1)
    parents, target = [0, 0, 1, 2], [3, 1]
    coarse, fine = rng.normal(size=(2, 3)), rng.normal(size=(2, 4))
    wanted = 0.0
    for i, label in enumerate(target):
        part, action = brute_force_marginals(coarse[i], fine[i], parents)
        wanted -= (math.log(part[parents[label]]) + math.log(action[label])) / 2
    got = TreeLoss(parents)(torch.from_numpy(coarse), torch.from_numpy(fine), torch.tensor(target))
    assert got.item() == pytest.approx(wanted, rel=1e-5)


def test_tree_loss_gradient_by_finite_differences() -> None:
    coarse = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    fine = torch.randn(2, 4, dtype=torch.float64, requires_grad=True)
    parents = torch.tensor([0, 0, 1, 2])
    assert torch.autograd.gradcheck(lambda c, f: tree_log_probabilities(c, f, parents), (coarse, fine))
