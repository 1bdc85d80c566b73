from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss, top_k_accuracy_score

from bmoe_skel.metrics.classification import ActionMetric, top_k_accuracy


def random_case(seed: int, clips: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.random((clips, classes)), rng.integers(0, classes, clips)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(3, 9))
def test_equals_sklearn(seed: int, clips: int, classes: int) -> None:
    scores, labels = random_case(seed, clips, classes)
    predicted = scores.argmax(1)
    got = ActionMetric.calculate(scores, labels, topk=(1, 2))
    assert got['top1'] == pytest.approx(accuracy_score(labels, predicted))
    wanted = top_k_accuracy_score(labels, scores, k=2, labels=range(classes))
    assert got['top2'] == pytest.approx(wanted)
    recalls = [np.mean(predicted[labels == c] == c) for c in np.unique(labels)]
    assert got['mean_class_accuracy'] == pytest.approx(np.mean(recalls))
    assert got['f1_macro'] == pytest.approx(f1_score(labels, predicted, average='macro', zero_division=0))
    assert got['f1_micro'] == pytest.approx(got['top1'])


def test_balanced_accuracy_equals_sklearn() -> None:
    scores, labels = random_case(0, 200, 4)
    got = ActionMetric.calculate(scores, labels)['mean_class_accuracy']
    assert got == pytest.approx(balanced_accuracy_score(labels, scores.argmax(1)))


def test_log_loss_equals_sklearn_and_is_left_out_where_scores_are_no_probabilities() -> None:
    scores, labels = random_case(3, 50, 5)
    assert 'log_loss' not in ActionMetric.calculate(scores, labels)
    scores /= scores.sum(1, keepdims=True)
    got = ActionMetric.calculate(scores.astype(np.float32), labels)['log_loss']
    assert got == pytest.approx(log_loss(labels, scores, labels=range(5)), rel=1e-5)
    assert 'log_loss' not in ActionMetric.calculate(scores - 0.2, labels)


def test_log_loss_of_what_was_excluded_is_a_number() -> None:
    assert np.isfinite(ActionMetric.calculate(np.eye(2), np.array([1, 0]))['log_loss'])


def test_by_hand() -> None:
    scores = np.eye(3)[[0, 0, 1, 2]]
    got = ActionMetric.calculate(scores, np.array([0, 1, 1, 2]))
    # classes 0: precision 1/2, recall 1; 1: precision 1, recall 1/2; 2: both 1
    assert got == pytest.approx(
        {
            'top1': 0.75,
            'mean_class_accuracy': (1 + 0.5 + 1) / 3,
            'f1_macro': (2 / 3 + 2 / 3 + 1) / 3,
            'f1_micro': 0.75,
            'log_loss': -np.log(1e-12) / 4,  # one label was excluded
        }
    )


def test_top_k_larger_than_the_classes_is_certain_and_left_out_of_the_table() -> None:
    scores, labels = random_case(1, 10, 3)
    assert top_k_accuracy(scores, labels, 7) == 1
    assert 'top5' not in ActionMetric.calculate(scores, labels)


@pytest.mark.parametrize(
    ('scores', 'labels'), [(np.zeros((0, 3)), np.zeros(0, int)), (np.zeros((2, 3)), np.zeros(3, int)), ([1.0], [0])]
)
def test_mistakes(scores, labels) -> None:
    with pytest.raises(ValueError, match='expected scores'):
        ActionMetric.calculate(scores, labels)


def test_metric_collects_batches() -> None:
    scores, labels = random_case(2, 11, 6)
    metric = ActionMetric()
    metric.dataset_meta = {'classes': list('abcdef')}
    for part in (slice(0, 4), slice(4, 11)):
        samples = [
            {'pred_scores': torch.from_numpy(s), 'gt_label': torch.tensor(int(y))}
            for s, y in zip(scores[part], labels[part], strict=True)
        ]
        metric.process({}, samples)
    got = metric.evaluate(11)
    assert got == pytest.approx(ActionMetric.calculate(scores, labels))
    assert set(got) == {'top1', 'top5', 'mean_class_accuracy', 'f1_macro', 'f1_micro'}


@pytest.mark.parametrize('seed', range(3))
def test_ties_rank_as_argmax_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, labels = rng.integers(0, 2, (50, 4)).astype(float), rng.integers(0, 4, 50)
    got = ActionMetric.calculate(scores, labels)
    assert got['top1'] == pytest.approx(f1_score(labels, scores.argmax(1), average='micro'))
    assert got['top1'] == got['f1_micro']
    assert top_k_accuracy(np.zeros((2, 3)), np.array([1, 2]), 2) == 0.5


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_scores_that_are_no_numbers(bad: float) -> None:
    scores = np.array([[0.5, 0.5], [bad, 0.1]])
    for calculate in (ActionMetric.calculate, lambda s, y: top_k_accuracy(s, y, 1)):
        with pytest.raises(ValueError, match='1 of 2 samples, the first 1'):
            calculate(scores, np.array([0, 1]))
