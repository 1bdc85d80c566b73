from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from bmoe_ground.errors import UserError
from bmoe_skel.datasets.ma52.classes import ACTIONS, BODY_OF_ACTION, BODY_PARTS
from bmoe_skel.metrics import MicroActionMetric
from bmoe_skel.metrics import f1_mean as f1_mean_of

f1_mean = partial(f1_mean_of, body_of_action=BODY_OF_ACTION)
micro_action_scores = partial(MicroActionMetric.calculate, body_of_action=BODY_OF_ACTION)


def slow_f1(true: list[int], pred: list[int]) -> tuple[float, float]:
    """Macro and micro F1 from counts, over the labels in truth or prediction."""
    each, hits, misses = [], 0, 0
    for label in sorted(set(true) | set(pred)):
        tp = sum(t == label and p == label for t, p in zip(true, pred, strict=True))
        fp = sum(t != label and p == label for t, p in zip(true, pred, strict=True))
        fn = sum(t == label and p != label for t, p in zip(true, pred, strict=True))
        each.append(2 * tp / (2 * tp + fp + fn))
        hits, misses = hits + tp, misses + fp + fn
    return sum(each) / len(each), 2 * hits / (2 * hits + misses)


def part_of(action: int) -> int:
    """The official script's chain of comparisons."""
    for part, last in enumerate((4, 10, 23, 31, 37, 47, 51)):
        if action <= last:
            return part
    raise ValueError(action)


def test_classes_are_the_published_ones(shared_data) -> None:
    lines = (shared_data / 'ma52' / 'label_name.txt').read_text(encoding='utf-8').split('\n')
    rows = [line.strip().split('\t') for line in lines if line.strip()]
    assert [int(number) for number, _ in rows] == list(range(52))
    assert tuple(name for _, name in rows) == ACTIONS


def test_body_part_of_each_action() -> None:
    assert len(ACTIONS) == len(BODY_OF_ACTION) == len(set(ACTIONS)) == 52
    assert list(BODY_OF_ACTION) == [part_of(action) for action in range(52)]
    assert len(BODY_PARTS) == 7


labels = st.lists(st.tuples(st.integers(0, 51), st.integers(0, 51)), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(labels)
def test_equals_counting_and_scikit_learn(pairs) -> None:
    true, pred = (list(column) for column in zip(*pairs, strict=True))
    found = f1_mean(true, pred)
    bodies = [part_of(t) for t in true], [part_of(p) for p in pred]
    parts = []
    for level, (t, p) in (('body', bodies), ('action', (true, pred))):
        macro, micro = slow_f1(t, p)
        assert found[f'f1_macro_{level}'] == pytest.approx(macro, abs=1e-12)
        assert found[f'f1_micro_{level}'] == pytest.approx(micro, abs=1e-12)
        # to the last digit
        assert found[f'f1_macro_{level}'] == f1_score(t, p, average='macro', zero_division=0)
        assert found[f'f1_micro_{level}'] == f1_score(t, p, average='micro', zero_division=0)
        assert found[f'accuracy_{level}'] == pytest.approx(micro, abs=1e-12)
        parts += [macro, micro]
    assert found['f1_mean'] == pytest.approx(sum(parts) / 4, abs=1e-12)


def test_by_hand() -> None:
    # actions: 0 right, 5 taken for 6 (same part), 11 taken for 24 (another part)
    found = f1_mean([0, 5, 11], [0, 6, 24])
    assert found['f1_micro_action'] == pytest.approx(1 / 3)
    assert found['f1_macro_action'] == pytest.approx(1 / 5)  # of 0, 5, 6, 11, 24
    assert found['f1_micro_body'] == pytest.approx(2 / 3)
    assert found['f1_macro_body'] == pytest.approx(2 / 4)  # of body, head, upper limb, lower limb
    assert found['f1_mean'] == pytest.approx((1 / 3 + 1 / 5 + 2 / 3 + 1 / 2) / 4)


def test_own_body_predictions() -> None:
    derived, own = f1_mean([0, 5], [5, 5]), f1_mean([0, 5], [5, 5], body_pred=[0, 1])
    assert (derived['accuracy_body'], own['accuracy_body']) == (0.5, 1.0)
    assert derived['f1_macro_action'] == own['f1_macro_action']
    assert own['f1_mean'] > derived['f1_mean']


def test_published_scores_and_answers_agree(shared_data) -> None:
    """MANet's answers against its own scores: the best answer is the highest score."""
    folder = shared_data / 'ma52'
    scores = np.load(folder / 'manet_test_scores.npz')['scores']
    answers = np.loadtxt(folder / 'prediction.csv', delimiter=',', skiprows=1, usecols=(1, 6), dtype=int)
    found = f1_mean(answers[:, 0], scores.argmax(1))
    assert all(value == 1 for value in found.values())
    assert (answers[:, 1] == np.array(BODY_OF_ACTION)[scores.argmax(1)]).all()


@pytest.mark.parametrize(
    ('true', 'pred', 'body', 'message'),
    [
        ([], [], None, 'N > 0'),
        ([0, 1], [0], None, 'expected 2 labels'),
        ([0], [52], None, r'action_pred: 52 is not in 0\.\.51'),
        ([-1], [0], None, 'action_true: -1'),
        ([0], [0], [7], r'body_pred: 7 is not in 0\.\.6'),
        ([0.0], [0], None, 'integers'),
    ],
)
def test_wrong_labels_are_named(true, pred, body, message) -> None:
    with pytest.raises(ValueError, match=message):
        f1_mean(true, pred, body)


def test_labels_in_a_column_are_refused() -> None:
    with pytest.raises(ValueError, match=r'integers with N > 0, got int64 of shape \(2, 1\)'):
        f1_mean(np.array([[0], [1]]), [0, 1])


def test_top_five_of_both_levels() -> None:
    scores = np.zeros((2, 52))
    scores[0, [9, 8, 7, 6, 5]] = [5, 4, 3, 2, 1]
    scores[1, [9, 8, 7, 6, 0]] = [5, 4, 3, 2, 1]
    found = micro_action_scores(scores, np.array([5, 1]))
    assert (found['top1_action'], found['top5_action']) == (0, 0.5)
    assert (found['top1_body'], found['top5_body']) == (0.5, 1.0)  # the fifth answer 0 lies in the body, as 1 does
    own = np.eye(7)[[1, 6]] + 1e-3 * np.arange(7)[::-1]
    found = micro_action_scores(scores, np.array([5, 1]), own)
    assert (found['top1_body'], found['top5_body']) == (0.5, 1.0)
    assert found['accuracy_body'] == found['top1_body']


def test_scores_are_checked() -> None:
    with pytest.raises(ValueError, match=r'\(N, 52\)'):
        micro_action_scores(np.zeros((2, 51)), np.array([0, 1]))
    with pytest.raises(ValueError, match='NaN'):
        micro_action_scores(np.full((2, 52), np.nan), np.array([0, 1]))


class TestMetric:
    def samples(self, scores, labels, body=None):
        rows = [
            {'pred_scores': torch.tensor(s), 'gt_label': torch.tensor(y)} for s, y in zip(scores, labels, strict=True)
        ]
        for row, own in zip(rows, body if body is not None else (), strict=False):
            row['pred_body_scores'] = torch.tensor(own)
        return rows

    @pytest.mark.parametrize('mode', ['action', 'own'])
    def test_in_batches_equals_the_function(self, mode) -> None:
        rng = np.random.default_rng(0)
        scores, body, labels = rng.random((20, 52)), rng.random((20, 7)), rng.integers(0, 52, 20)
        metric = MicroActionMetric(body=mode)
        metric.dataset_meta = {'body_parts': list(BODY_OF_ACTION)}
        rows = self.samples(scores, labels, body)
        for start in range(0, 20, 8):
            metric.process(None, rows[start : start + 8])
        expected = micro_action_scores(scores, labels, body if mode == 'own' else None)
        assert metric.evaluate(20) == expected

    def test_hidden_labels_give_no_score(self) -> None:
        metric = MicroActionMetric()
        metric.process(None, self.samples(np.eye(52)[:3], [-1, -1, -1]))
        assert metric.evaluate(3) == {}

    def test_body_parts_come_from_the_data_set_or_by_argument(self) -> None:
        rows = self.samples(np.eye(4), [0, 1, 3, 2])
        found = []
        for metric, facts in (
            (MicroActionMetric(), {'body_parts': [0, 0, 1, 1]}),
            (MicroActionMetric(body_of_action=[0, 0, 1, 1]), {'body_parts': [0, 1, 2, 3]}),
        ):
            metric.dataset_meta = facts
            metric.process(None, rows)
            found.append(metric.evaluate(4))
        assert found[0] == found[1]
        assert (found[0]['accuracy_body'], found[0]['accuracy_action']) == (1.0, 0.5)
        with pytest.raises(UserError, match='states no body_parts; give the metric body_of_action'):
            MicroActionMetric().dataset_meta = {'classes': ['a', 'b']}

    def test_own_needs_a_body_answer(self) -> None:
        with pytest.raises(ValueError, match='body_mode'):
            MicroActionMetric(body='own').process(None, self.samples(np.eye(52)[:1], [0]))
        with pytest.raises(ValueError, match="unknown body 'both'"):
            MicroActionMetric(body='both')
