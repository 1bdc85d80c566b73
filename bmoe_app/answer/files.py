"""An answer as files: events, signals and noise floor as CSV, and the whole as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bmoe_app.answer.answer import Answer
from bmoe_app.answer.events import Event
from bmoe_app.signals.files import write_noise, write_signals
from bmoe_ground.cells import csv_bytes
from bmoe_ground.files import atomic_write
from pose_extract.body_parts import REGIONS

COLUMNS = ('start', 'end', 'person', 'label', 'score', 'region', 'source', *(f'routing_{name}' for name in REGIONS))
"""Of a table of events: times in seconds, empty cells where nothing is known."""


def write_answer(stem: Path, answer: Answer) -> None:
    """Write ``<stem>.events.csv``, ``.signals.csv``, ``.noise.csv`` and ``.json``, each whole or not at all.

    Args:
        stem: The files' path without these endings, such as ``answers/nod/a.mp4``.
        answer: The answer.

    Raises:
        UserError: A file cannot be written.
    """
    write_table(beside(stem, '.events.csv'), [COLUMNS, *map(event_row, answer.events)])
    write_signals(beside(stem, '.signals.csv'), answer.signals)
    write_noise(beside(stem, '.noise.csv'), answer.signals)
    with atomic_write(beside(stem, '.json')) as file:
        file.write(json.dumps(answer.as_dict(), indent=1, allow_nan=False).encode())


def beside(stem: Path, ending: str) -> Path:
    """A file of an answer: the video's name with its ending kept, and another behind it.

    Example:
        >>> beside(Path('answers/a.mp4'), '.events.csv').as_posix()
        'answers/a.mp4.events.csv'
    """
    return stem.with_name(stem.name + ending)


def event_row(event: Event) -> list[Any]:
    """One event in the order of :data:`COLUMNS`."""
    weights = [f'{event.routing[name]:.4f}' if name in event.routing else None for name in REGIONS]
    times = [f'{event.start:.3f}', f'{event.end:.3f}']
    return [*times, event.person, event.label, f'{event.score:.4f}', event.region, event.source, *weights]


def write_table(path: Path, rows: Iterable[Iterable[Any]]) -> None:
    """Write rows as CSV whose texts no spreadsheet computes, whole or not at all.

    Args:
        path: The file, replaced if it exists.
        rows: The header, and what follows.

    Raises:
        UserError: The file cannot be written.
    """
    with atomic_write(path) as file:
        file.write(csv_bytes(rows))
