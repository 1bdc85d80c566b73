"""Figures of the page as SVG. Every scale goes from 0 to 1, but for the loss, which has no upper end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bmoe_ground.pages import escape
from bmoe_skel.metrics.calibration import Reliability
from pose_extract.skeletons import REGIONS

_DARK = (8, 48, 107)  # white to this blue: its lightness alone tells the value
_WIDTH, _HEIGHT, _LEFT, _TOP = 340, 220, 44, 10


def shade(share: float) -> str:
    """The colour of a share 0..1; grey for NaN.

    Example:
        >>> shade(0.0), shade(1.0)
        ('#ffffff', '#08306b')
    """
    if not np.isfinite(share):
        return '#d0d0d0'
    return '#' + ''.join(f'{round(255 + (end - 255) * min(max(share, 0), 1)):02x}' for end in _DARK)


def _short(name: str, length: int = 26) -> str:
    return name if len(name) <= length else name[: length - 1] + '…'


def confusion_svg(confusion: np.ndarray, names: Sequence[str], label: str) -> str:
    """A confusion matrix as shares of the true class; each cell says on hover what it counts.

    Args:
        confusion: (C, C) counts, rows are the labels.
        names: C names.
        label: What it is, for those who do not see it.
    """
    count = len(names)
    cell = 15 if count > 20 else 30
    longest = max(len(_short(name)) for name in names)
    left, top = 20 + 6 * longest, 20 + 5 * longest  # of letters 10 pixels high, upright and slanted
    size = cell * count
    share = confusion / np.maximum(confusion.sum(1, keepdims=True), 1)
    parts = [f'<svg class="matrix" width="{left + size + 8}" height="{top + size + 8}" role="img" '
             f'aria-label="{escape(label)}">',
             f'<rect x="{left}" y="{top}" width="{size}" height="{size}" fill="#fff" stroke="#888"/>']  # fmt: skip
    for i, name in enumerate(names):
        at = i * cell + cell / 2 + 4
        text = f'<title>{escape(name)}</title>{escape(_short(name))}'
        parts.append(f'<text x="{left - 6}" y="{top + at}" text-anchor="end">{text}</text>')
        parts.append(f'<text transform="translate({left + at},{top - 6}) rotate(-55)">{text}</text>')
    for i, j in zip(*np.nonzero(confusion), strict=True):
        x, y = left + j * cell, top + i * cell
        words = f'{names[i]} taken for {names[j]}' if i != j else f'{names[i]} recognised'
        parts.append(f'<rect x="{x}" y="{y}" width="{cell}" height="{cell}" fill="{shade(share[i, j])}"><title>'
                     f'{escape(words)}: {confusion[i, j]} of {confusion[i].sum()}</title></rect>')  # fmt: skip
        if count <= 20:
            ink = '#fff' if share[i, j] > 0.5 else '#111'
            parts.append(f'<text class="count" x="{x + cell / 2}" y="{y + cell / 2 + 4}" fill="{ink}">'
                         f'{confusion[i, j]}</text>')  # fmt: skip
    return ''.join([*parts, '</svg>'])


def _axes(label: str, across: str, up: str, highest: float = 1.0, ends: tuple[str, str] = ('0', '1')) -> list[str]:
    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}">']
    for i in range(6):
        y = _y(i / 5)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - 8}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{highest * i / 5:.3g}</text>')
    parts.append(f'<text x="{_LEFT}" y="{_HEIGHT - 22}">{escape(ends[0])}</text>')
    parts.append(f'<text x="{_WIDTH - 8}" y="{_HEIGHT - 22}" text-anchor="end">{escape(ends[1])}</text>')
    parts.append(f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(across)}</text>')
    parts.append(f'<text transform="translate(11,{_y(0.5):.1f}) rotate(-90)" text-anchor="middle">{escape(up)}</text>')
    return parts


def _x(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - 8)


def _y(share: float) -> float:
    return _HEIGHT - 36 - share * (_HEIGHT - 36 - _TOP)


def routing_svg(routing: np.ndarray, label: str) -> str:
    """Weight of each region over the clip.

    Args:
        routing: (R, steps) 0..1.
        label: Whose it is.
    """
    parts = _axes(f'weight of each region over time: {label}', 'share of the clip', 'weight')
    for region, row in zip(REGIONS, routing, strict=True):
        points = ' '.join(f'{_x((i + 0.5) / len(row)):.1f},{_y(value):.1f}' for i, value in enumerate(row))
        parts.append(f'<polyline class="curve" style="stroke:var(--{region})" points="{points}">'
                     f'<title>{region}: mean {row.mean():.2f}</title></polyline>')  # fmt: skip
    return ''.join([*parts, '</svg>'])


def reliability_svg(found: Reliability) -> str:
    """Accuracy of each bin of confidence, against the diagonal of a calibrated model.

    Args:
        found: The bins.
    """
    parts = _axes('accuracy by confidence', 'confidence', 'share that is right')
    parts.append(f'<line class="diagonal" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>')
    bins = len(found.clips)
    for i in np.nonzero(found.clips)[0]:
        y = _y(found.accuracy[i])
        parts.append(f'<rect class="bin" x="{_x(i / bins) + 1:.1f}" y="{y:.1f}" width="{_x(1 / bins) - _x(0) - 2:.1f}" '
                     f'height="{_y(0) - y:.1f}"><title>confidence {found.confidence[i]:.2f}, right '
                     f'{found.accuracy[i]:.2f}, {found.clips[i]} clips</title></rect>')  # fmt: skip
    return ''.join([*parts, '</svg>'])


def curve_svg(points: Sequence[tuple[float, float]], label: str, highest: float) -> str:
    """A curve over the epochs.

    Args:
        points: (epoch, value), at least one.
        label: Name of the value.
        highest: Upper end of the scale, which begins at 0.
    """
    last = max(points[-1][0], 1e-9)
    parts = _axes(f'{label} over the epochs', 'epoch', label, highest, ('0', f'{last:.3g}'))
    line = ' '.join(f'{_x(epoch / last):.1f},{_y(min(max(value / highest, 0), 1)):.1f}' for epoch, value in points)
    parts.append(f'<polyline class="curve" points="{line}"/>')
    return ''.join([*parts, '</svg>'])
