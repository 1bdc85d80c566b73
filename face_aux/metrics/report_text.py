"""The fairness report for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

from face_aux.metrics.fairness_types import ColumnReport, FairnessReport, Group, Spread, Value

LABELS = {
    'accuracy': 'accuracy',
    'balanced_accuracy': 'balanced accuracy',
    'f1_macro': 'F1 (macro)',
    'auc': 'AUC',
    'selection_rate': 'selection rate',
    'tpr': 'TPR',
    'fpr': 'FPR',
    'fnr': 'FNR',
    'tnr': 'TNR',
    'demographic_parity_difference': 'demographic parity difference',
    'demographic_parity_ratio': 'demographic parity ratio',
    'equalized_odds_difference': 'equalised odds difference',
    'equalized_odds_ratio': 'equalised odds ratio',
    'equal_opportunity_difference': 'equal opportunity difference',
    'fpr_gap': 'FPR gap',
    'f_fpr': 'F_FPR (sum of distances)',
    'f_eo': 'F_EO (sum of distances)',
}
TABLE_METRICS = ('accuracy', 'balanced_accuracy', 'auc', 'tpr', 'fpr')
FEW = 30
"""Groups with fewer members are marked: their values say little."""


def to_plain(value: Any) -> Any:
    """A report, or a part of one, as what JSON can hold."""
    if isinstance(value, Value):
        return value.to_dict()
    if is_dataclass(value) and not isinstance(value, type):
        return {key: to_plain(getattr(value, key)) for key in asdict(value)}
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    return value


def shown_metrics(made: FairnessReport) -> list[str]:
    """The metrics worth a column in a table of this task."""
    return [name for name in TABLE_METRICS if name in made.overall]


def terminal_table(reports: Sequence[FairnessReport]) -> str:
    """All reports as aligned text, group by group, with what is not defined and what was left out."""
    return '\n\n'.join(_task_text(made) for made in reports)


def summary(made: FairnessReport) -> str:
    """One sentence: by which columns the accuracy differs beyond chance, and for whom it is the lowest.

    Example:
        ``'gender: no gap beyond chance by age; told worse for Black (31 of 37 right) by race'``
    """
    parts = []
    even = []
    for column in made.columns:
        spread = column.spreads.get('accuracy')
        if spread is None:
            parts.append(f'fewer than two groups by {column.name}')
        elif spread.gap.chance is None:
            parts.append(f'not held against chance by {column.name}')
        elif (spread.gap.value or 0.0) <= spread.gap.chance:
            even.append(column.name)
        else:
            lowest = [g for g in column.groups if g.name not in spread.left_out and _accuracy(g) == spread.lowest]
            shown = ' and '.join(f'{g.name} ({round(spread.lowest * g.n)} of {g.n} right)' for g in lowest)
            parts.append(f'told worse for {shown} by {column.name}')
    if even:
        parts.insert(0, f'no gap beyond chance by {", ".join(even)}')
    return f'{made.task}: {"; ".join(parts) or "no groups"}'


def _accuracy(group: Group) -> float | None:
    return group.metrics['accuracy'].value


def _task_text(made: FairnessReport) -> str:
    positive = f', positive class {made.positive!r}' if made.positive else ''
    lines = [summary(made), f'== {made.task}: {made.n} samples{positive}']
    for column in made.columns:
        lines += ['', *_column_text(made, column)]
    return '\n'.join(lines)


def _column_text(made: FairnessReport, column: ColumnReport) -> list[str]:
    names = shown_metrics(made)
    rows = [[column.name, 'n', *(LABELS[name] for name in names)]]
    for group in column.groups:
        few = ' *' if group.n < FEW else ''
        rows.append([group.name, f'{group.n}{few}', *(str(group.metrics[name]) for name in names)])
    rows.append(['all', str(made.n), *(str(made.overall[name]) for name in names)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ['  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, '  '.join('-' * width for width in widths))
    return lines + [f'  {line}' for line in summary_lines(column)]


def worst_name(spread: Spread) -> str:
    """The worst group, or that there is none."""
    return spread.worst or 'none, several are alike'


def by_chance(value: Value) -> str:
    """How large a gap shuffled group names make, as the end of a line."""
    return '' if value.chance is None else f'; by chance up to {value.chance:.3f}'


def summary_lines(column: ColumnReport) -> list[str]:
    """Worst group, gap, spread and criteria of one column, a line each."""
    lines = []
    if spread := column.spreads.get('accuracy'):
        lines.append(f'worst accuracy: {worst_name(spread)}; largest gap {spread.gap}{by_chance(spread.gap)}')
        lines.append(f'degree of bias (standard deviation over groups): {spread.degree_of_bias:.4f}')
    for name in ('demographic_parity_difference', 'equalized_odds_difference', 'fpr_gap'):
        if value := column.criteria.get(name):
            note = f' ({value.note})' if value.note else ''
            lines.append(f'{LABELS[name]}: {value}{by_chance(value)}{note}')
    left_out = {n: r for s in column.spreads.values() for n, r in s.left_out.items() if s.metric == 'accuracy'}
    lines += [f'out of the gaps: {name} ({reason})' for name, reason in left_out.items()]
    if column.unknown:
        lines.append(f'{column.unknown} samples have no value in this column')
    if any(group.n < FEW for group in column.groups):
        lines.append(f'* fewer than {FEW} samples')
    return lines
