from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, f1_score

from bmoe_skel.metrics.by_class import scores_by_class, wilson


def test_f1_is_that_of_scikit_learn_and_interval_that_of_scipy() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 6, 90)
    predicted = np.where(rng.random(90) < 0.5, labels, rng.integers(0, 6, 90))
    scores = scores_by_class(confusion_matrix(labels, predicted, labels=range(7)))
    assert scores.f1[:6] == pytest.approx(f1_score(labels, predicted, average=None))
    assert np.isnan([scores.f1[6], scores.low[6], scores.high[6]]).all()
    for c in range(6):
        hits = int(((labels == c) & (predicted == c)).sum())
        ends = binomtest(hits, int(((labels == c) | (predicted == c)).sum())).proportion_ci(method='wilson')
        assert [scores.low[c], scores.high[c]] == pytest.approx([2 * e / (1 + e) for e in ends])
    assert scores.clips.tolist() == [*np.bincount(labels, minlength=6), 0]


def test_few_clips_leave_a_wide_interval() -> None:
    low, high = wilson(np.array([5, 0, 0]), np.array([5, 5, 0]))
    assert low[0] < 0.6 and high[0] == pytest.approx(1)
    assert low[1] == pytest.approx(0) and high[1] > 0.4
    assert np.isnan(low[2])
