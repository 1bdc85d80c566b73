from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from sklearn import metrics as sk

from bmoe_ground.errors import UserError
from face_aux.metrics import FairnessMetric, Settings, report
from face_aux.metrics.criteria import criteria_from_counts, largest_gap, smallest_ratio
from face_aux.metrics.report_text import summary
from face_aux.metrics.samples import UNKNOWN, TaskScores
from face_aux.structures import FaceSample
from mm_runtime.metric import name_source


def made_task(n: int = 900, classes: int = 2, seed: int = 0) -> TaskScores:
    """Scores that are worse in group B, and shifted up in group C."""
    rng = np.random.default_rng(seed)
    race = rng.choice(['A', 'B', 'C'], size=n, p=[0.5, 0.3, 0.2]).astype(object)
    gender = rng.choice(['f', 'm'], size=n).astype(object)
    target = rng.integers(classes, size=n)
    strength = np.where(race == 'B', 0.4, 1.6)
    logits = rng.normal(size=(n, classes)) + strength[:, None] * np.eye(classes)[target]
    logits[:, 1] += np.where(race == 'C', 1.0, 0.0)
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    names = tuple(f'class{i}' for i in range(classes))
    return TaskScores('task', names, target, scores, {'race': race, 'gender': gender})


FAST = Settings(replicates=200)


def test_group_values_against_sklearn() -> None:
    task = made_task()
    column = report(task, ['race'], settings=FAST).columns[0]
    assert [g.name for g in column.groups] == ['A', 'B', 'C']
    for group in column.groups:
        inside = task.groups['race'] == group.name
        target, predicted = task.target[inside], task.predicted[inside]
        assert group.n == inside.sum()
        assert group.per_class == {'class0': (target == 0).sum(), 'class1': (target == 1).sum()}
        expected = {
            'accuracy': sk.accuracy_score(target, predicted),
            'balanced_accuracy': sk.balanced_accuracy_score(target, predicted),
            'auc': sk.roc_auc_score(target, task.scores[inside, 1]),
            'tpr': sk.recall_score(target, predicted),
            'fpr': 1 - sk.recall_score(target, predicted, pos_label=0),
            'selection_rate': predicted.mean(),
        }
        for name, value in expected.items():
            assert group.metrics[name].value == pytest.approx(value), name
        assert group.metrics['fnr'].value == pytest.approx(1 - expected['tpr'])


def graded(right: dict[str, tuple[int, int]]) -> TaskScores:
    """A task of which group, right decisions and size are given."""
    groups = np.array([name for name, (_, n) in right.items() for _ in range(n)], dtype=object)
    hits = np.array([i < hit for hit, n in right.values() for i in range(n)])
    target = np.arange(len(groups)) % 2
    scores = np.where((np.arange(2) == target[:, None]) == hits[:, None], 0.8, 0.2)
    return TaskScores('task', ('no', 'yes'), target, scores, {'race': groups})


def test_nobody_is_the_worst_among_ties() -> None:
    spread = (
        report(graded({'A': (80, 100), 'B': (40, 50), 'C': (90, 100)}), settings=FAST).columns[0].spreads['accuracy']
    )
    assert (spread.worst, spread.lowest, spread.best) == ('', pytest.approx(0.8), 'C')
    assert report(graded({'A': (80, 100), 'B': (39, 50)}), settings=FAST).columns[0].spreads['accuracy'].worst == 'B'


def test_one_sentence_says_for_whom_it_works() -> None:
    task = graded({'A': (80, 100), 'B': (30, 50), 'tiny': (0, 2)})
    task.groups['age'] = np.array(['old', 'young'] * 76, dtype=object)
    made = report(task, settings=Settings(replicates=200, min_size=10))
    assert summary(made) == 'task: no gap beyond chance by age; told worse for B (30 of 50 right) by race'
    even = summary(report(graded({'A': (80, 100), 'B': (40, 50)}), settings=FAST))
    assert even == 'task: no gap beyond chance by race'
    assert summary(report(task, settings=Settings(replicates=0))).endswith('not held against chance by age')


def test_thresholds_give_a_group_the_rates_of_all() -> None:
    task = made_task(n=3000)
    made = report(task, ['race'], settings=Settings(replicates=0))
    for group in made.columns[0].groups:
        inside = task.groups['race'] == group.name
        for rate, of_class in (('tpr', 1), ('fpr', 0)):
            scores = task.scores[inside & (task.target == of_class), 1]
            reached = float((scores >= group.thresholds[rate]).mean())
            assert reached == pytest.approx(made.overall[rate].value, abs=0.51 / len(scores))
    assert report(made_task(classes=3), ['race'], settings=FAST).columns[0].groups[0].thresholds == {}


def test_spread_by_hand() -> None:
    column = report(made_task(), ['race'], settings=FAST).columns[0]
    values = np.array([g.metrics['accuracy'].value for g in column.groups])
    spread = column.spreads['accuracy']
    assert spread.worst == 'B'
    assert spread.gap.value == pytest.approx(values.max() - values.min())
    assert spread.ratio == pytest.approx(values.min() / values.max())
    assert spread.degree_of_bias == pytest.approx(np.sqrt(np.mean((values - values.mean()) ** 2)))
    fpr = column.spreads['fpr']
    assert fpr.worst == max(column.groups, key=lambda g: g.metrics['fpr'].value).name  # lower is better


def test_criteria_against_fairlearn() -> None:
    fairlearn = pytest.importorskip('fairlearn.metrics')
    for seed in range(5):
        task = made_task(seed=seed)
        for columns in (['race'], ['gender'], ['race', 'gender']):
            groups = {c: task.groups[c].astype(str) for c in columns}
            names = np.array(['/'.join(t) for t in zip(*groups.values(), strict=True)])
            counts = np.stack(
                [
                    sk.confusion_matrix(task.target[names == g], task.predicted[names == g], labels=[0, 1])
                    for g in np.unique(names)
                ]
            )
            ours = criteria_from_counts(counts, positive=1)
            arguments = {'y_true': task.target, 'y_pred': task.predicted, 'sensitive_features': groups}
            for name in ('demographic_parity_difference', 'demographic_parity_ratio', 'equalized_odds_difference',
                         'equalized_odds_ratio', 'equal_opportunity_difference'):  # fmt: skip
                import pandas as pd

                expected = getattr(fairlearn, name)(**{**arguments, 'sensitive_features': pd.DataFrame(groups)})
                assert ours[name][0] == pytest.approx(expected), name
            frame = fairlearn.MetricFrame(
                metrics={'fpr': fairlearn.false_positive_rate, 'accuracy': sk.accuracy_score}, **arguments
            )
            assert ours['fpr_gap'][0] == pytest.approx(frame.difference()['fpr'])
            away = (frame.by_group['fpr'] - frame.overall['fpr']).abs().sum()
            assert ours['f_fpr'][0] == pytest.approx(away)


def test_report_takes_fairlearns_numbers_and_says_so() -> None:
    pytest.importorskip('fairlearn')
    task = made_task()
    column = report(task, ['race'], settings=FAST).columns[0]
    from fairlearn import metrics as fairlearn

    arguments = {'y_true': task.target, 'y_pred': task.predicted, 'sensitive_features': task.groups['race'].astype(str)}
    theirs = {
        name: getattr(fairlearn, name)(**arguments)
        for name in ('demographic_parity_difference', 'demographic_parity_ratio', 'equalized_odds_difference',
                     'equalized_odds_ratio')
    }  # fmt: skip
    assert column.criteria_by.startswith('fairlearn ')
    for name, value in theirs.items():
        assert column.criteria[name].value == pytest.approx(value)
        low, high = column.criteria[name].low, column.criteria[name].high
        assert low is not None and high is not None and low <= value <= high


def test_report_without_fairlearn(monkeypatch: pytest.MonkeyPatch) -> None:
    task = made_task()
    theirs = report(task, ['race'], settings=FAST).columns[0]
    monkeypatch.setitem(sys.modules, 'fairlearn', None)  # the import fails
    ours = report(task, ['race'], settings=FAST).columns[0]
    assert ours.criteria_by == 'own formulas'
    for name, value in theirs.criteria.items():
        assert ours.criteria[name].value == pytest.approx(value.value)


def test_multiclass_criteria_by_hand() -> None:
    task = made_task(classes=4)
    column = report(task, ['gender'], settings=Settings(replicates=0)).columns[0]
    gaps = []
    for c in range(4):
        rates = [(task.predicted[task.groups['gender'] == g] == c).mean() for g in 'fm']
        gaps.append(abs(rates[0] - rates[1]))
    value = column.criteria['demographic_parity_difference']
    assert value.value == pytest.approx(max(gaps))
    assert value.note == f'worst class: class{int(np.argmax(gaps))}'
    assert column.criteria_by == 'own formulas'
    assert 'tpr' not in column.groups[0].metrics


def test_intersections() -> None:
    task = made_task()
    made = report(task, ['race'], [['gender', 'race']], FAST)
    assert [c.name for c in made.columns] == ['race', 'gender × race']
    groups = {g.name: g for g in made.columns[1].groups}
    assert set(groups) == {f'{g} × {r}' for g in 'fm' for r in 'ABC'}
    inside = (task.groups['gender'] == 'f') & (task.groups['race'] == 'B')
    assert groups['f × B'].n == inside.sum()
    assert groups['f × B'].metrics['accuracy'].value == pytest.approx((task.target == task.predicted)[inside].mean())


def test_intervals_cover_the_truth() -> None:
    """Of a hundred data sets with accuracy 0.8, about 95 have it in their 95 percent interval."""
    covered = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        target = rng.integers(2, size=150)
        right = rng.random(150) < 0.8
        scores = np.eye(2)[np.where(right, target, 1 - target)]
        task = TaskScores('t', ('a', 'b'), target, scores, {})
        value = report(task, settings=Settings(replicates=400)).overall['accuracy']
        assert value.low is not None and value.high is not None
        covered += value.low <= 0.8 <= value.high
    assert 88 <= covered <= 99


def test_chance_gap_tells_noise_from_bias() -> None:
    biased = report(made_task(), ['race'], settings=FAST).columns[0].spreads['accuracy']
    fair = report(made_task(), ['gender'], settings=FAST).columns[0].spreads['accuracy']
    assert biased.gap.chance is not None and biased.gap.value is not None and biased.gap.value > biased.gap.chance
    assert fair.gap.chance is not None and fair.gap.value is not None and fair.gap.value < fair.gap.chance


def test_chance_of_error_rates_is_within_the_class() -> None:
    """Groups that are the classes: shuffled freely they would mix, within the class they cannot."""
    task = made_task()
    task.groups['race'] = np.array([f'{g}{t}' for g, t in zip(task.groups['gender'], task.target, strict=True)], object)
    made = report(task, ['race', 'gender'], settings=FAST)
    for column in made.columns:
        chance = column.criteria['fpr_gap'].chance
        assert chance is not None
        assert chance == pytest.approx(made.columns[1].criteria['fpr_gap'].chance, rel=0.25)
    value = made.columns[1].criteria['fpr_gap'].value
    assert made.columns[0].criteria['fpr_gap'].value == pytest.approx(value)


def test_chance_against_a_plain_permutation_test() -> None:
    task = made_task(n=300)
    spread = report(task, ['gender'], settings=Settings(replicates=2000)).columns[0].spreads
    rng = np.random.default_rng(9)
    right, negative = task.target == task.predicted, task.target == 0
    free, within = [], []
    for _ in range(2000):
        shuffled = rng.permutation(task.groups['gender']) == 'f'
        free.append(abs(right[shuffled].mean() - right[~shuffled].mean()))
        inside = rng.permutation(task.groups['gender'][negative]) == 'f'
        wrong = task.predicted[negative] == 1
        within.append(abs(wrong[inside].mean() - wrong[~inside].mean()))
    assert spread['accuracy'].gap.chance == pytest.approx(np.percentile(free, 95), rel=0.1)
    assert spread['fpr'].gap.chance == pytest.approx(np.percentile(within, 95), rel=0.1)


def test_seed_repeats() -> None:
    first, again = (report(made_task(), settings=Settings(replicates=50, seed=s)) for s in (1, 1))
    other = report(made_task(), settings=Settings(replicates=50, seed=2))
    assert first == again
    assert first != other


def small_groups() -> TaskScores:
    race = np.array(['A'] * 6 + ['B'] * 4 + ['C'] + [UNKNOWN] * 2, dtype=object)
    target = np.array([0, 1, 0, 1, 0, 1] + [1, 1, 1, 1] + [0] + [0, 1])
    predicted = np.array([0, 1, 1, 1, 0, 0] + [1, 1, 1, 0] + [1] + [0, 1])
    return TaskScores('t', ('real', 'fake'), target, np.eye(2)[predicted], {'race': race})


def test_nothing_is_dropped_silently() -> None:
    column = report(small_groups(), settings=FAST).columns[0]
    groups = {g.name: g for g in column.groups}
    assert column.unknown == 2
    assert str(groups['B'].metrics['fpr']) == 'not defined (no negatives)'
    assert str(groups['B'].metrics['auc']) == 'not defined (no negatives)'
    assert str(groups['C'].metrics['tpr']) == 'not defined (no positives)'
    assert groups['C'].metrics['accuracy'].value == 0.0
    assert groups['C'].metrics['accuracy'].low is None
    assert groups['C'].metrics['accuracy'].reason == 'no interval (n=1)'
    assert column.spreads['fpr'].left_out == {'B': 'no negatives'}
    assert column.spreads['accuracy'].gap.value == 0.75
    assert column.spreads['accuracy'].gap.low is None
    assert column.criteria['fpr_gap'].value == pytest.approx(1 - 1 / 3)
    assert column.criteria_by == 'own formulas'  # fairlearn would take B's missing rate as zero
    assert 'auc' not in column.spreads


def test_min_size_keeps_a_group_of_one_out_of_the_gap() -> None:
    column = report(small_groups(), settings=Settings(replicates=50, min_size=3)).columns[0]
    assert [g.n for g in column.groups] == [6, 4, 1]
    assert column.spreads['accuracy'].left_out == {'C': 'n=1, fewer than 3'}
    assert column.spreads['accuracy'].gap.value == pytest.approx(0.75 - 4 / 6)
    assert column.criteria['fpr_gap'].value is None
    assert column.criteria['fpr_gap'].reason == 'fewer than two groups have negatives'


def test_one_group_only() -> None:
    task = small_groups()
    task.groups['race'][:] = 'A'
    column = report(task, settings=FAST).columns[0]
    assert column.spreads == {}
    assert str(column.criteria['demographic_parity_difference']) == 'not defined (fewer than two groups)'


def test_gap_and_ratio_of_partly_defined_values() -> None:
    values = np.array([[0.2, np.nan, np.nan], [0.5, 0.4, np.nan], [np.nan, np.nan, np.nan]])
    np.testing.assert_allclose(largest_gap(values), [0.3, np.nan, np.nan])
    np.testing.assert_allclose(smallest_ratio(values), [0.4, np.nan, np.nan])
    np.testing.assert_allclose(smallest_ratio(np.zeros((2, 1))), [np.nan])


def evaluate(metric: FairnessMetric, video: bool = False) -> dict[str, float]:
    task = made_task(n=300)
    evaluator = Evaluator([metric])
    evaluator.dataset_meta = {'tasks': {'fake': {'classes': ['real', 'fake'], 'multi_label': False}}}
    samples = [
        FaceSample(
            gt={'fake': int(t)},
            groups={'race': r},
            path=str(i),
            video_id=f'{r}{t}{i % 20}' if video else None,
            scores={'fake': torch.tensor(s)},
        )
        for i, (t, s, r) in enumerate(zip(task.target, task.scores, task.groups['race'], strict=True))
    ]
    evaluator.process(samples)
    return evaluator.evaluate(len(samples))


@pytest.mark.parametrize('bad', [float('nan'), float('inf')])
def test_scores_that_are_no_numbers_are_no_report(bad: float) -> None:
    metric = FairnessMetric(replicates=0)
    evaluator = Evaluator([metric])
    name_source(evaluator, 'checkpoint a.pth')
    sample = FaceSample(gt={'fake': 1}, groups={'race': 'A'}, path='7.jpg', scores={'fake': torch.tensor([0.5, bad])})
    with pytest.raises(UserError, match=r"^checkpoint a\.pth: scores 'fake' of '7\.jpg' are NaN or infinite"):
        evaluator.process([sample])
    task = made_task(30)
    task.scores[4, 0] = bad
    with pytest.raises(ValueError, match="scores of task 'task': hold NaN or infinite numbers, 1 of 30 .*first 4"):
        report(task, ['race'])


def test_metric_returns_the_key_figures() -> None:
    metric = FairnessMetric(replicates=20, positive={'fake': 'real'})
    result = evaluate(metric)
    column = metric.reports[0].columns[0]
    assert metric.reports[0].positive == 'real'
    worst = column.spreads['accuracy'].worst
    values = {g.name: g.metrics['accuracy'].value for g in column.groups}
    assert result['fake/race/accuracy_worst'] == values[worst]
    assert result['fake/worst_group'] == min(value for key, value in result.items() if key.endswith('accuracy_worst'))
    assert result['fake/race/degree_of_bias'] == pytest.approx(np.std(list(values.values())))
    assert result['fake/race/equalized_odds_difference'] == column.criteria['equalized_odds_difference'].value


def test_metric_by_video() -> None:
    metric = FairnessMetric(replicates=0, by_video=True)
    evaluate(metric, video=True)
    assert metric.reports[0].n < 130
    with pytest.raises(UserError, match='no sample names its video'):
        evaluate(FairnessMetric(by_video=True))


def test_metric_messages() -> None:
    with pytest.raises(UserError, match=r"group column \['age'\]; columns found: \['race'\]"):
        evaluate(FairnessMetric(columns=['age']))
    with pytest.raises(UserError, match=r"positive\['fake'\]='forged' is not one of its classes"):
        evaluate(FairnessMetric(positive={'fake': 'forged'}))
    with pytest.raises(ValueError, match='confidence must lie in'):
        FairnessMetric(confidence=95)
