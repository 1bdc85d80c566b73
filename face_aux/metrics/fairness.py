"""For whom does it work? Metrics by group with bootstrap intervals, and the gaps between the groups.

Definitions, over groups g (one column's values, or combinations of several columns' values):

- largest gap: max_g - min_g of a metric; degree of bias: its population standard deviation over the groups.
- demographic parity difference: largest gap of the positive prediction rate; its ratio: min_g / max_g.
- equalised odds difference: the larger of the gaps of TPR and FPR; its ratio the smaller of the two ratios.
- equal opportunity difference: gap of the TPR. FPR gap: gap of the FPR.
- F_FPR = sum_g |FPR_g - FPR| and F_EO = sum_g (|FPR_g - FPR| + |TPR_g - TPR|), as the deepfake literature has them.

With more than two classes, rates are taken for each class against the rest and the worst class is reported. A rate
that a group does not have (no positives, no negatives, no members) is reported as such and stays out of the gaps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.metrics import confusion_matrix

from bmoe_ground.errors import UserError
from face_aux.metrics import functional as F
from face_aux.metrics.criteria import (
    RATES_OF,
    criteria_from_counts,
    criterion_draws,
    fairlearn_criteria,
    fairlearn_version,
    largest_gap,
    why_not_defined,
    worst_class,
)
from face_aux.metrics.fairness_types import JOINT, ColumnReport, FairnessReport, Group, Settings, Spread, Value
from face_aux.metrics.samples import UNKNOWN, TaskScores
from mm_runtime.finite import check_scores

LOWER_IS_BETTER = ('fpr', 'fnr')
FREELY_SHUFFLED = ('accuracy', 'f1_macro', 'selection_rate', 'demographic_parity_difference')
SPREAD_METRICS = ('accuracy', 'balanced_accuracy', 'f1_macro', 'auc', 'tpr', 'fpr')


def report(
    task: TaskScores,
    columns: Sequence[str] | None = None,
    intersections: Sequence[Sequence[str]] = (),
    settings: Settings | None = None,
) -> FairnessReport:
    """Measure a task by every group column and combination asked for.

    Args:
        task: Labels, scores and groups.
        columns: Group columns; None for all.
        intersections: Combinations of columns.
        settings: How; None for the defaults.

    Raises:
        UserError: A column that no sample has.
        ValueError: A score is NaN or infinite.
    """
    check_scores(task.scores, f'scores of task {task.name!r}')
    settings = settings or Settings()
    columns = list(task.groups) if columns is None else list(columns)
    wanted = [[c] for c in columns] + [list(c) for c in intersections]
    if unknown := {c for combination in wanted for c in combination} - set(task.groups):
        raise UserError(f'no sample has the group column {sorted(unknown)}; columns found: {sorted(task.groups)}')
    two = len(task.classes) == 2
    everyone = np.ones(len(task.target), dtype=bool)
    overall = _measure(task, everyone, settings, np.random.default_rng(settings.seed))
    return FairnessReport(
        task=task.name,
        classes=task.classes,
        positive=task.classes[settings.positive] if two else '',
        n=len(task.target),
        overall=overall.values,
        confusion=overall.counts.tolist(),
        columns=[_column_report(task, combination, settings) for combination in wanted],
        settings={**vars(settings), 'degree_of_bias': 'population standard deviation over groups'},
    )


def group_names(task: TaskScores, columns: Sequence[str]) -> np.ndarray:
    """(N,) group of each sample; unknown where any of the columns is."""
    stacked = [task.groups[c] for c in columns]
    return np.array(
        [UNKNOWN if UNKNOWN in names else JOINT.join(names) for names in zip(*stacked, strict=True)], object
    )


def _column_report(task: TaskScores, columns: Sequence[str], settings: Settings) -> ColumnReport:
    names = group_names(task, columns)
    known = sorted(set(names.tolist()) - {UNKNOWN})
    measured = [
        _measure(task, names == name, settings, np.random.default_rng([settings.seed, i]))
        for i, name in enumerate(known)
    ]
    groups = [
        Group(
            name=name,
            n=int(part.counts.sum()),
            per_class=dict(zip(task.classes, part.counts.sum(axis=1).tolist(), strict=True)),
            metrics=part.values,
            roc=_roc_points(task, names == name, settings),
            thresholds=group_thresholds(task, names == name, settings),
        )
        for name, part in zip(known, measured, strict=True)
    ]
    shuffled = _shuffled(task, names, [g.name for g in groups if g.n >= settings.min_size], settings)
    spreads = {m: s for m in SPREAD_METRICS if (s := _spread(m, groups, measured, shuffled, settings))}
    criteria, source = _criteria(task, groups, measured, shuffled, settings)
    unknown = int((names == UNKNOWN).sum())
    return ColumnReport(JOINT.join(columns), groups, unknown, spreads, criteria, source)


@dataclass(frozen=True)
class Measured:
    """One group's counts (C, C), metric values, and bootstrap draws: counts (B, C, C) and metrics (B,)."""

    counts: np.ndarray
    values: dict[str, Value]
    drawn: np.ndarray
    draws: dict[str, np.ndarray]


def _metric_functions(settings: Settings, classes: int) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Metric name to a function of counts (..., C, C)."""
    functions: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        'accuracy': F.accuracy,
        'balanced_accuracy': F.balanced_accuracy,
        'f1_macro': _f1_of_two_or_more,
    }
    if classes == 2:
        p = settings.positive
        functions['selection_rate'] = lambda counts: F.selection_rates(counts)[..., p]
        functions['tpr'] = lambda counts: F.recalls(counts)[..., p]
        functions['fpr'] = lambda counts: F.false_positive_rates(counts)[..., p]
        functions['fnr'] = lambda counts: 1 - F.recalls(counts)[..., p]
        functions['tnr'] = lambda counts: 1 - F.false_positive_rates(counts)[..., p]
    return functions


def _f1_of_two_or_more(counts: np.ndarray) -> np.ndarray:
    """Macro F1, NaN for a group of one class: there it says how often another class is predicted at all."""
    return np.where((counts.sum(axis=-1) > 0).sum(axis=-1) > 1, F.f1_macro(counts), np.nan)


def _measure(task: TaskScores, members: np.ndarray, settings: Settings, rng: np.random.Generator) -> Measured:
    """Values of one group with their intervals.

    Resampling a group's samples with replacement is drawing its confusion matrix from a multinomial distribution,
    which is what makes a thousand replicates cheap.
    """
    target, scores = task.target[members], task.scores[members]
    classes, n = len(task.classes), int(members.sum())
    counts = confusion_matrix(target, task.predicted[members], labels=range(classes))
    replicates = settings.replicates if n >= settings.smallest else 0
    drawn = np.zeros((0, classes, classes), dtype=np.int64)
    if replicates:
        drawn = rng.multinomial(n, (counts / n).ravel(), size=replicates).reshape(-1, classes, classes)
    values, draws = {}, {}
    for name, function in _metric_functions(settings, classes).items():
        draws[name] = function(drawn)
        values[name] = _value(float(function(counts)), draws[name], _why_not(name, counts, settings), n, settings)
    try:
        auc = F.multiclass_auc(target, scores)
        draws['auc'] = F.bootstrap_auc(target, scores, replicates, rng) if replicates else np.zeros(0)
        values['auc'] = _value(auc, draws['auc'], '', n, settings)
    except F.NotDefinedError as error:
        draws['auc'] = np.full(replicates, np.nan)
        values['auc'] = Value(None, reason=str(error))
    return Measured(counts, values, drawn, draws)


def _value(value: float, draws: np.ndarray, reason: str, n: int, settings: Settings) -> Value:
    if not np.isfinite(value):
        return Value(None, reason=reason)
    interval = settings.interval(draws)
    if interval is None:
        return Value(value, reason=f'no interval (n={n})' if settings.replicates else '')
    return Value(value, *interval)


def _why_not(metric: str, confusion: np.ndarray, settings: Settings) -> str:
    """The reason if a metric has no value on these counts."""
    per_class = confusion.sum(axis=1)
    if not per_class.sum():
        return 'no samples'
    if metric in ('balanced_accuracy', 'f1_macro') and len(per_class) > 2:
        return 'only one class'
    positives = per_class[settings.positive] if len(per_class) == 2 else 0
    return 'no positives' if not positives else 'no negatives'


def _roc_points(
    task: TaskScores, members: np.ndarray, settings: Settings, most: int = 120
) -> list[tuple[float, float]]:
    if len(task.classes) != 2:
        return []
    try:
        p = settings.positive
        fpr, tpr = F.roc_curve(task.target[members] == p, task.scores[members][:, p])
    except F.NotDefinedError:
        return []
    keep = np.unique(np.linspace(0, len(fpr) - 1, most).round().astype(int))
    return [(round(float(x), 4), round(float(y), 4)) for x, y in zip(fpr[keep], tpr[keep], strict=True)]


def group_thresholds(task: TaskScores, members: np.ndarray, settings: Settings) -> dict[str, float]:
    """Thresholds that would give a group the rates of all samples at 0.5; of equally good ones the nearest to 0.5.

    Args:
        task: A two-class task; others have none.
        members: (N,) which samples are the group's.
        settings: Names the positive class.

    Returns:
        ``tpr`` and ``fpr``, each where group and whole have samples of that class.
    """
    if len(task.classes) != 2:
        return {}
    p = settings.positive
    found = {}
    for name, of_class in (('tpr', task.target == p), ('fpr', task.target != p)):
        inside = np.sort(task.scores[members & of_class, p])
        if not len(inside):
            continue
        wanted = float((task.scores[of_class].argmax(axis=1) == p).mean())
        between = np.concatenate([[0.0], (inside[1:] + inside[:-1]) / 2, [1.0], [0.5]])
        rates = 1 - np.searchsorted(inside, between) / len(inside)
        found[name] = float(min(zip(np.abs(rates - wanted), np.abs(between - 0.5), between, strict=True))[2])
    return found


@dataclass(frozen=True)
class Shuffled:
    """Counts (B, G, C, C) under shuffled group names: among all samples, and only among those of one true class."""

    freely: np.ndarray
    within_class: np.ndarray

    def of(self, name: str) -> np.ndarray:
        """The counts to hold a metric or criterion against: error rates are about samples of one class."""
        return self.freely if name in FREELY_SHUFFLED else self.within_class


def _shuffled(task: TaskScores, names: np.ndarray, known: Sequence[str], settings: Settings) -> Shuffled | None:
    """Counts under shuffled group names; None where nothing can be shuffled."""
    if not settings.replicates or len(known) < 2:
        return None
    inside = np.isin(names.astype(str), known)
    target, predicted = task.target[inside], task.predicted[inside]
    order = np.argsort(target, kind='stable')
    target, predicted = target[order], predicted[order]
    index = np.searchsorted(known, names[inside].astype(str))[order]
    classes, width = len(task.classes), len(task.classes) ** 2
    cells = target * classes + predicted
    ends = np.searchsorted(target, np.arange(1, classes))
    rng = np.random.default_rng([settings.seed, len(known), 1])

    def draw(parts: Sequence[np.ndarray]) -> np.ndarray:
        joint = np.concatenate([rng.permutation(part) for part in parts]) * width + cells
        return np.bincount(joint, minlength=len(known) * width)

    shape = (settings.replicates, len(known), classes, classes)
    freely = np.stack([draw([index]) for _ in range(settings.replicates)]).reshape(shape)
    by_class = np.split(index, ends)
    within = np.stack([draw(by_class) for _ in range(settings.replicates)]).reshape(shape)
    return Shuffled(freely, within)


def _chance(gaps: np.ndarray) -> float | None:
    """95th percentile of the gaps that are defined."""
    defined = gaps[np.isfinite(gaps)]
    return float(np.percentile(defined, 95)) if len(defined) else None


def _spread(
    metric: str, groups: Sequence[Group], measured: Sequence[Measured], shuffled: Shuffled | None, settings: Settings
) -> Spread | None:
    """Spread of one metric over the groups that have it; None where fewer than two do."""
    left_out = {g.name: _left_out(g, metric, settings) for g in groups if metric in g.metrics}
    having = [i for i, g in enumerate(groups) if left_out.get(g.name) == '']
    if len(having) < 2:
        return None
    values = np.array([groups[i].metrics[metric].value for i in having], dtype=float)
    high, low = having[int(values.argmax())], having[int(values.argmin())]
    draws = [measured[i].draws[metric] for i in (high, low)]
    gaps = draws[0] - draws[1] if len(draws[0]) == len(draws[1]) else np.zeros(0)
    gap = _value(float(values.max() - values.min()), gaps, '', min(groups[high].n, groups[low].n), settings)
    function = _metric_functions(settings, len(measured[0].counts)).get(metric)
    if shuffled is not None and function is not None:
        gap = replace(gap, chance=_chance(largest_gap(function(shuffled.of(metric)), axis=1)))
    best, worst = (low, high) if metric in LOWER_IS_BETTER else (high, low)
    lowest = float(groups[worst].metrics[metric].value or 0.0)
    return Spread(
        metric=metric,
        best=groups[best].name,
        worst=groups[worst].name if int((values == lowest).sum()) == 1 else '',
        lowest=lowest,
        gap=gap,
        ratio=float(values.min() / values.max()) if values.max() > 0 else None,
        degree_of_bias=float(values.std()),
        left_out={name: reason for name, reason in left_out.items() if reason},
    )


def _left_out(group: Group, metric: str, settings: Settings) -> str:
    """Why a group stays out of a metric's spread; '' where it does not."""
    if group.n < settings.min_size:
        return f'n={group.n}, fewer than {settings.min_size}'
    return group.metrics[metric].reason if group.metrics[metric].value is None else ''


def _criteria(
    task: TaskScores,
    groups: Sequence[Group],
    measured: Sequence[Measured],
    shuffled: Shuffled | None,
    settings: Settings,
) -> tuple[dict[str, Value], str]:
    """The column's criteria with intervals, and whose formulas gave them."""
    positive = settings.positive if len(task.classes) == 2 else None
    kept = [i for i, g in enumerate(groups) if g.n >= settings.min_size]
    if not kept:
        return {}, 'own formulas'
    counts = np.stack([measured[i].counts for i in kept])
    points = criteria_from_counts(counts, positive)
    source = 'own formulas'
    whole = positive is not None and len(kept) > 1 and bool((counts.sum(axis=-1) > 0).all())
    theirs = fairlearn_criteria(counts, positive) if whole and positive is not None else None
    if theirs is not None:
        points.update({name: np.array([value]) for name, value in theirs.items()})
        source = fairlearn_version()
    has_draws = all(len(measured[i].drawn) == settings.replicates > 0 for i in kept)
    drawn = np.stack([measured[i].drawn for i in kept], axis=1) if has_draws else None
    fewest = min(groups[i].n for i in kept)
    result = {}
    for name, values in points.items():
        worst = worst_class(name, values)
        if worst is None:
            result[name] = Value(None, reason=why_not_defined(counts, positive))
            continue
        draws = criterion_draws(name, counts, drawn, positive, worst) if drawn is not None else np.zeros(0)
        value = _value(float(values[worst]), draws, '', fewest, settings)
        if name in RATES_OF and not name.endswith('ratio') and shuffled is not None:
            by_chance = criteria_from_counts(shuffled.of(name), positive)[name]
            value = replace(value, chance=_chance(np.where(np.isfinite(by_chance), by_chance, -np.inf).max(axis=-1)))
        if name not in RATES_OF:
            value = replace(value, reason='')
        result[name] = replace(value, note='' if positive is not None else f'worst class: {task.classes[worst]}')
    return result, source
