"""The learning curve, read from the log that a training leaves in its work folder."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LOG = '*/vis_data/scalars.json'
_POINTS = 400  # more than a screen shows; a long training has thousands of lines


@dataclass(frozen=True)
class Curve:
    """What a training logged.

    Attributes:
        loss: (epoch, loss) of the training, epochs as fractions.
        score: (epoch, value) of the validation's chosen metric; empty without validation.
        metric: That metric's name.
        source: The logs that were read, as named in the work folder.
    """

    loss: list[tuple[float, float]]
    score: list[tuple[float, float]]
    metric: str
    source: str


def read_curve(folder: Path, metric: str | None = None) -> Curve | None:
    """Read a training's curve; where it was resumed, its logs are joined, the later one right where both have a step.

    Args:
        folder: The training's work folder.
        metric: The metric of the validation that chose the checkpoint; None, or one that was not logged, takes
            ``f1_macro``, ``top1`` or the first there is.

    Returns:
        The curve, or None where no log in the folder has a loss.
    """
    losses: dict[int, tuple[float, float]] = {}
    scores: dict[int, dict[str, float]] = {}
    sources = []
    for path in sorted(folder.glob(_LOG)):
        rows = _rows(path)
        trained = [row for row in rows if _number(row, 'loss') and _number(row, 'epoch') and _number(row, 'iter')]
        if not trained:
            continue  # the log of a test
        sources.append(path.parents[1].name)
        first = min(row['iter'] for row in trained)
        losses = {step: value for step, value in losses.items() if step < first}
        losses |= {int(row['iter']): (row['epoch'], row['loss']) for row in trained}
        for row in rows:
            if not _number(row, 'loss') and _number(row, 'step'):
                scores[int(row['step'])] = {key: row[key] for key in row if _number(row, key)}
    if not losses:
        return None
    logged = dict.fromkeys(key for row in scores.values() for key in row if key not in ('step', 'time', 'data_time'))
    chosen = next((key for key in (metric, 'f1_macro', 'top1', *logged) if key in logged), '') or ''
    return Curve(
        _fractions(losses),
        [(float(step), row[chosen]) for step, row in sorted(scores.items()) if chosen in row],
        chosen,
        ', '.join(sources),
    )


def _rows(path: Path) -> list[dict[str, Any]]:
    """The log's lines; one that was cut off when a training died is left out."""
    rows = []
    for line in path.read_text('utf-8', errors='replace').splitlines():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows


_MOST = 2**53  # what is larger, infinite or NaN is no number of a curve


def _number(row: dict[str, Any], key: str) -> bool:
    value = row.get(key)
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _MOST


def _fractions(losses: dict[int, tuple[float, float]]) -> list[tuple[float, float]]:
    """(epoch as a fraction, loss), thinned; the log has whole epochs and the iteration since the beginning."""
    rows = [(step, epoch, loss) for step, (epoch, loss) in sorted(losses.items())]
    # a line comes at the same places of every epoch: the last step of the last epoch is the training's end
    a_epoch = max(rows[-1][0] / max(rows[-1][1], 1), 1.0)
    every = math.ceil(len(rows) / _POINTS)
    return [(step / a_epoch, loss) for step, _, loss in rows[::every]]
