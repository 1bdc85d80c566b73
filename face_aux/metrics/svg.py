"""Plots of a fairness report as inline SVG, coloured by the page's style so that they follow light and dark."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from face_aux.metrics.fairness_types import Group, Value

ROW = 26
LEFT = 210
RIGHT = 60
WIDTH = 640
SERIES = 8
"""Number of ``series-*`` colours that the page's style defines."""


def axis_range(values: Sequence[float]) -> tuple[float, float]:
    """A range of tenths within 0..1 that holds all values, at least two tenths wide."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    low, high = math.floor(max(low, 0) * 10) / 10, math.ceil(min(high, 1) * 10) / 10
    while round(high - low, 6) < 0.2:
        low, high = max(0.0, round(low - 0.1, 1)), min(1.0, round(high + 0.1, 1))
    return low, high


def dot_plot(groups: Sequence[Group], metric: str, label: str, overall: Value | None, worst: str = '') -> str:
    """Values of one metric by group, with their intervals; groups without one say why.

    Args:
        groups: Rows, drawn from the best value down.
        metric: Key of the metric.
        label: Axis title.
        overall: Value of all samples, drawn as a line.
        worst: Group drawn in the warning colour.
    """
    values = [group.metrics[metric] for group in groups]
    numbers = [n for v in [*values, *([overall] if overall else [])] for n in (v.value, v.low, v.high) if n is not None]
    low, high = axis_range(numbers)
    height = ROW * len(groups) + 58

    def x(value: float) -> float:
        return LEFT + (min(max(value, low), high) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)} by group">']
    bottom = height - 40
    steps = round((high - low) * 10)
    for i in range(steps + 1):
        tick = low + i / 10
        parts.append(f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="6" y2="{bottom}"/>')
        parts.append(f'<text class="tick" x="{x(tick):.1f}" y="{bottom + 15}" text-anchor="middle">{tick:.1f}</text>')
    axis = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text class="axis" x="{axis}" y="{height - 6}" text-anchor="middle">{escape(label)}</text>')
    if overall and overall.value is not None:
        at = f'{x(overall.value):.1f}'
        parts.append(
            f'<line class="overall" x1="{at}" x2="{at}" y1="2" y2="{bottom}"><title>all: {overall}</title></line>'
        )
    ranks = [-2.0 if value.value is None else value.value for value in values]
    order = sorted(range(len(groups)), key=lambda i: -ranks[i])
    for row, i in enumerate(order):
        parts += _row(groups[i], values[i], 18 + row * ROW, x, groups[i].name == worst)
    return ''.join([*parts, '</svg>'])


def _row(group: Group, value: Value, y: float, x: Callable[[float], float], is_worst: bool) -> list[str]:
    name = group.name if len(group.name) <= 26 else group.name[:25] + '…'
    parts = [f'<text class="name" x="{LEFT - 12}" y="{y + 4}" text-anchor="end">{escape(name)} '
             f'<tspan class="n">n={group.n}</tspan></text>']  # fmt: skip
    if value.value is None:
        return [*parts, f'<text class="reason" x="{LEFT + 6}" y="{y + 4}">not defined ({escape(value.reason)})</text>']
    kind = 'worst' if is_worst else 'dot'
    if value.low is not None and value.high is not None:
        parts.append(f'<line class="{kind} bar" x1="{x(value.low):.1f}" x2="{x(value.high):.1f}" y1="{y}" y2="{y}"/>')
    parts.append(f'<circle class="{kind}" cx="{x(value.value):.1f}" cy="{y}" r="5">'
                 f'<title>{escape(group.name)}: {value}</title></circle>')  # fmt: skip
    parts.append(f'<text class="value" x="{WIDTH - RIGHT + 10}" y="{y + 4}">{value.value:.3f}</text>')
    return parts


def roc_plot(groups: Sequence[Group]) -> str:
    """ROC curves of the groups that have both classes; '' where none does."""
    curves = [group for group in groups if group.roc]
    if not curves:
        return ''
    side, left, top = 300, 44, 10
    height = max(side + 58, 30 + 20 * len(curves))
    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="ROC curves by group">']
    for i in range(6):
        at = i / 5
        px, py = left + at * side, top + (1 - at) * side
        parts.append(f'<line class="grid" x1="{px}" x2="{px}" y1="{top}" y2="{top + side}"/>')
        parts.append(f'<line class="grid" x1="{left}" x2="{left + side}" y1="{py}" y2="{py}"/>')
        parts.append(f'<text class="tick" x="{px}" y="{top + side + 15}" text-anchor="middle">{at:.1f}</text>')
        parts.append(f'<text class="tick" x="{left - 6}" y="{py + 4}" text-anchor="end">{at:.1f}</text>')
    parts.append(f'<line class="diagonal" x1="{left}" y1="{top + side}" x2="{left + side}" y2="{top}"/>')
    middle, floor = left + side / 2, top + side + 34
    parts.append(f'<text class="axis" x="{middle}" y="{floor}" text-anchor="middle">false positive rate</text>')
    parts.append(f'<text class="axis" x="12" y="{top + side / 2}" text-anchor="middle" '
                 f'transform="rotate(-90 12 {top + side / 2})">true positive rate</text>')  # fmt: skip
    for i, group in enumerate(curves):
        points = ' '.join(f'{left + a * side:.1f},{top + (1 - b) * side:.1f}' for a, b in group.roc)
        colour = f'series-{i % SERIES}{" dashed" if i >= SERIES else ""}'
        y = top + 14 + 20 * i
        value = group.metrics['auc'].value
        parts.append(
            f'<polyline class="curve {colour}" points="{points}"><title>{escape(group.name)}</title></polyline>'
        )
        parts.append(
            f'<line class="curve {colour}" x1="{left + side + 24}" x2="{left + side + 46}" y1="{y}" y2="{y}"/>'
        )
        text = f'{group.name}: AUC {value:.3f}' if value is not None else group.name
        parts.append(f'<text class="name" x="{left + side + 54}" y="{y + 4}">{escape(text)}</text>')
    return ''.join([*parts, '</svg>'])
