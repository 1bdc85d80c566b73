from __future__ import annotations

import math

import pytest
import torch

from bmoe_ground.errors import UserError
from face_aux.models.heads import TaskHead, make_heads
from face_aux.structures import FaceSample


def test_multi_class_loss_by_hand() -> None:
    head = TaskHead('sex', 4, 2)
    logits = torch.tensor([[2.0, 0.0], [0.0, 1.0], [5.0, 5.0]])
    target = head.targets([FaceSample(gt={'sex': 0}), FaceSample(gt={'sex': 0}), FaceSample(gt={})])
    assert target.tolist() == [0, 0, -1]
    expected = (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(1))) / 2
    assert float(head.loss(logits, target)) == pytest.approx(expected)


def test_label_smoothing_by_hand() -> None:
    head = TaskHead('sex', 4, 2, label_smoothing=0.1)
    log_p, log_q = -math.log(1 + math.exp(-2)), -math.log(1 + math.exp(2))
    loss = head.loss(torch.tensor([[2.0, 0.0]]), torch.tensor([0]))
    assert float(loss) == pytest.approx(-(0.95 * log_p + 0.05 * log_q))


def test_multi_label_loss_leaves_unannotated_labels_out() -> None:
    head = TaskHead('attributes', 4, 3, type='multi_label')
    samples = [FaceSample(gt={'attributes': torch.tensor([1.0, 0.0, -1.0])}), FaceSample(gt={'attributes': -1})]
    target = head.targets(samples)
    assert target.tolist() == [[1, 0, -1], [-1, -1, -1]]
    logits = torch.tensor([[0.5, -1.0, 9.0], [7.0, 7.0, 7.0]])
    expected = (math.log(1 + math.exp(-0.5)) + math.log(1 + math.exp(-1))) / 2
    assert float(head.loss(logits, target)) == pytest.approx(expected)


@pytest.mark.parametrize('kind', ['multi_class', 'multi_label'])
def test_a_batch_without_labels_gives_zero_and_a_zero_gradient(kind: str) -> None:
    head = TaskHead('sex', 4, 2, type=kind)
    loss = head.loss(head(torch.randn(3, 4)), head.targets([FaceSample(gt={})] * 3))
    loss.backward()
    assert float(loss) == 0
    assert head.fc.weight.grad is not None and (head.fc.weight.grad == 0).all()


def test_decisions() -> None:
    single, multi = TaskHead('sex', 4, 3), TaskHead('look', 4, 3, type='multi_label')
    logits = torch.tensor([[0.0, 2.0, 1.0]])
    probabilities = single.probabilities(logits)[0]
    torch.testing.assert_close(probabilities, logits[0].exp() / logits[0].exp().sum())
    assert single.decide(probabilities) == 1
    assert multi.decide(multi.probabilities(torch.tensor([[0.0, 2.0, -1.0]]))[0]).tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({}, 'give num_classes, or classes'),
        ({'num_classes': 3, 'classes': ['a', 'b']}, 'num_classes=3, but there are 2'),
        ({'num_classes': 2, 'type': 'ordinal'}, "must be one of .*'multi_class'"),
        ({'num_classes': 2, 'class_weights': [1.0]}, '1 class_weights for 2'),
        ({'num_clases': 2}, 'num_clases'),
    ],
)
def test_wrong_descriptions_are_named(options: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        make_heads({'sex': options}, 4)


def test_wrong_labels_and_names_are_named() -> None:
    with pytest.raises(UserError, match=r'task sex: labels \[0, 2\] for 2 classes'):
        TaskHead('sex', 4, 2).targets([FaceSample(gt={'sex': 2}), FaceSample(gt={'sex': 0})])
    with pytest.raises(UserError, match='not 3 values'):
        TaskHead('look', 4, 3, type='multi_label').targets([FaceSample(gt={'look': torch.ones(2)})])
    with pytest.raises(UserError, match='no heads'):
        make_heads({}, 4)
    with pytest.raises(UserError, match='hair_loss'):
        make_heads({'hair_loss': {'num_classes': 2}}, 4)
