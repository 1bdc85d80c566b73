from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from bmoe_ground.errors import UserError
from face_aux.metrics import functional as F


def data(seed: int, n: int = 200, classes: int = 2, ties: bool = True) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    target = rng.integers(classes, size=n)
    logits = rng.normal(size=(n, classes)) + 1.2 * np.eye(classes)[target]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return target, np.round(scores, 2) if ties else scores


@pytest.mark.parametrize('classes', [2, 3, 7])
@pytest.mark.parametrize('seed', range(4))
def test_counts_against_sklearn(classes: int, seed: int) -> None:
    target, scores = data(seed, classes=classes)
    predicted = scores.argmax(axis=1)
    confusion = sk.confusion_matrix(target, predicted, labels=range(classes))
    assert F.accuracy(confusion) == pytest.approx(sk.accuracy_score(target, predicted))
    assert F.balanced_accuracy(confusion) == pytest.approx(sk.balanced_accuracy_score(target, predicted))
    assert F.f1_macro(confusion) == pytest.approx(sk.f1_score(target, predicted, average='macro'))
    np.testing.assert_allclose(F.recalls(confusion), sk.recall_score(target, predicted, average=None))


@pytest.mark.parametrize('ties', [True, False])
@pytest.mark.parametrize('seed', range(4))
def test_ranking_against_sklearn(seed: int, ties: bool) -> None:
    target, scores = data(seed, ties=ties)
    positive, score = target == 1, scores[:, 1]
    assert F.roc_auc(positive, score) == pytest.approx(sk.roc_auc_score(target, score))
    assert F.average_precision(positive, score) == pytest.approx(sk.average_precision_score(target, score))
    fpr, tpr = F.roc_curve(positive, score)
    theirs_fpr, theirs_tpr, _ = sk.roc_curve(target, score, drop_intermediate=False)
    np.testing.assert_allclose(fpr, theirs_fpr)
    np.testing.assert_allclose(tpr, theirs_tpr)


def test_multiclass_auc_against_sklearn() -> None:
    target, scores = data(0, classes=5, ties=False)
    expected = sk.roc_auc_score(target, scores, multi_class='ovr', average='macro')
    assert F.multiclass_auc(target, scores) == pytest.approx(expected)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 12)), min_size=2, max_size=40))
def test_equal_error_rate_by_search(samples: list[tuple[bool, int]]) -> None:
    positive = np.array([p for p, _ in samples])
    scores = np.array([s for _, s in samples], dtype=float)
    if positive.all() or not positive.any():
        with pytest.raises(F.NotDefinedError):
            F.equal_error_rate(positive, scores)
        return
    fpr, tpr = F.roc_curve(positive, scores)
    path = np.linspace(0, len(fpr) - 1, 60003)
    x, y = np.interp(path, range(len(fpr)), fpr), 1 - np.interp(path, range(len(fpr)), tpr)
    best = np.argmin(np.abs(x - y))
    assert F.equal_error_rate(positive, scores) == pytest.approx(x[best], abs=2e-3)


def test_equal_error_rate_by_hand() -> None:
    positive = np.array([1, 1, 1, 1, 0, 0, 0, 0], dtype=bool)
    scores = np.array([9, 8, 7, 3, 6, 2, 1, 0], dtype=float)
    assert F.equal_error_rate(positive, scores) == 0.25
    assert F.equal_error_rate(positive, scores + 100 * positive) == 0.0
    assert F.equal_error_rate(positive, -scores - 100 * positive) == 1.0
    assert F.equal_error_rate(positive, np.zeros(8)) == 0.5


def test_reasons_are_given() -> None:
    scores = np.array([0.1, 0.9])
    with pytest.raises(F.NotDefinedError, match='no negatives'):
        F.roc_auc(np.array([True, True]), scores)
    with pytest.raises(F.NotDefinedError, match='no positives'):
        F.average_precision(np.array([False, False]), scores)
    with pytest.raises(F.NotDefinedError, match='no samples'):
        F.roc_auc(np.zeros(0, bool), np.zeros(0))
    with pytest.raises(F.NotDefinedError, match='only one class'):
        F.multiclass_auc(np.array([2, 2]), np.zeros((2, 3)))
    one_class = np.array([[3, 1], [0, 0]])
    assert np.isnan(F.balanced_accuracy(one_class))
    assert F.accuracy(one_class) == 0.75
    assert np.isnan(F.accuracy(np.zeros((2, 2), int)))
    np.testing.assert_array_equal(F.false_positive_rates(one_class), [np.nan, 0.25])


def test_stacks_of_counts_are_measured_one_by_one() -> None:
    counts = np.random.default_rng(0).integers(0, 4, size=(5, 6, 3, 3))
    for function in (F.accuracy, F.balanced_accuracy, F.f1_macro, F.recalls, F.selection_rates, F.false_positive_rates):
        whole = function(counts)
        for i in np.ndindex(5, 6):
            np.testing.assert_array_equal(whole[i], function(counts[i]))


@pytest.mark.parametrize('classes', [2, 4])
def test_bootstrap_auc_follows_a_plain_loop(classes: int) -> None:
    target, scores = data(1, n=80, classes=classes)
    fast = F.bootstrap_auc(target, scores, 3000, np.random.default_rng(0), chunk=10_000)
    rng = np.random.default_rng(1)
    slow = []
    for _ in range(3000):
        chosen = rng.integers(80, size=80)
        slow.append(F.multiclass_auc(target[chosen], scores[chosen]))
    assert fast.shape == (3000,)
    assert np.mean(fast) == pytest.approx(np.mean(slow), abs=0.004)
    assert np.std(fast) == pytest.approx(np.std(slow), rel=0.08)


def test_bootstrap_auc_of_many_samples() -> None:
    target, scores = data(3, n=F.BINNED_FROM + 1000, ties=False)
    binned = F.bootstrap_auc(target, scores, 1000, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    slow = []
    for _ in range(1000):
        chosen = rng.integers(len(target), size=len(target))
        slow.append(F.multiclass_auc(target[chosen], scores[chosen]))
    assert np.mean(binned) == pytest.approx(F.multiclass_auc(target, scores), abs=5e-4)
    assert np.std(binned) == pytest.approx(np.std(slow), rel=0.1)


def test_weighted_auc_is_the_auc_of_repeated_samples() -> None:
    target, scores = data(2, n=30)
    counts = np.random.default_rng(3).integers(0, 4, size=(6, 30))
    order = np.argsort(scores[:, 1], kind='stable')
    starts = np.flatnonzero(np.append(True, np.diff(scores[order, 1]) != 0))
    fast = F._weighted_auc(counts[:, order], starts, target[order] == 1)
    for row, value in zip(counts, fast, strict=True):
        expected = sk.roc_auc_score(np.repeat(target, row), np.repeat(scores[:, 1], row))
        assert value == pytest.approx(expected)


def test_video_scores() -> None:
    ids = ['b', 'a', 'b', 'a', 'c']
    scores = np.array([[0.2, 0.8], [0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.5, 0.5]])
    names, target, means = F.video_scores(ids, np.array([1, 0, 1, 0, 1]), scores)
    assert names == ['a', 'b', 'c']
    assert target.tolist() == [0, 1, 1]
    np.testing.assert_allclose(means, [[0.8, 0.2], [0.3, 0.7], [0.5, 0.5]])
    with pytest.raises(UserError, match="video 'a': its frames have different labels"):
        F.video_scores(ids, np.array([1, 0, 1, 1, 1]), scores)
