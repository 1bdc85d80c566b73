from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score

from bmoe_skel.metrics import MultiLabelMetric, macro_average_precision


def slow_average_precision(scores: np.ndarray, labels: np.ndarray) -> float:
    """Sum of precision times step in recall over the distinct scores, highest first."""
    total, area, recall = labels.sum(), 0.0, 0.0
    for threshold in sorted(set(scores.tolist()), reverse=True):
        chosen = scores >= threshold
        hits = labels[chosen].sum()
        area += (hits / total - recall) * hits / chosen.sum()
        recall = hits / total
    return area


@pytest.mark.parametrize('levels', [3, 1000])
def test_equals_slow_loop_and_scikit_learn(levels) -> None:
    rng = np.random.default_rng(levels)
    labels = (rng.random((80, 14)) < 0.2).astype(int)
    scores = rng.integers(0, levels, (80, 14)) / levels
    mean, each = macro_average_precision(scores, labels)
    assert mean == average_precision_score(labels, scores, average='macro')
    for c in range(14):
        assert each[c] == pytest.approx(slow_average_precision(scores[:, c], labels[:, c]), abs=1e-12)


def test_classes_without_a_positive_clip_do_not_count() -> None:
    mean, each = macro_average_precision(np.array([[0.9, 0.1], [0.2, 0.3]]), np.array([[1, 0], [0, 0]]))
    assert mean == 1
    assert np.isnan(each[1])


def test_wrong_input_is_named() -> None:
    with pytest.raises(ValueError, match='one shape'):
        macro_average_precision(np.zeros((2, 3)), np.zeros((2, 2)))
    with pytest.raises(ValueError, match='0 and 1'):
        macro_average_precision(np.zeros((1, 2)), np.array([[2, 0]]))
    with pytest.raises(ValueError, match='no class'):
        macro_average_precision(np.zeros((1, 2)), np.zeros((1, 2)))


def test_metric() -> None:
    metric = MultiLabelMetric()
    metric.dataset_meta = {'classes': ['fumble', 'groom']}
    scores, labels = torch.tensor([[0.9, 0.1], [0.2, 0.7]]), torch.tensor([[1.0, 1.0], [0.0, 0.0]])
    metric.process(None, [{'pred_scores': s, 'gt_label': y} for s, y in zip(scores, labels, strict=True)])
    assert metric.evaluate(2) == {'mean_ap': 0.75, 'ap/fumble': 1.0, 'ap/groom': 0.5}
    columns = (scores.numpy(), labels.numpy())
    assert MultiLabelMetric.calculate(*columns) == {'mean_ap': 0.75, 'ap/0': 1.0, 'ap/1': 0.5}
    assert MultiLabelMetric.calculate(*columns, per_class=False) == {'mean_ap': 0.75}
