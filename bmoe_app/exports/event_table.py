"""Events as a CSV table, of one video or of many."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from bmoe_app.answer import Answer, Event
from bmoe_app.exports.texts import cell, one_line
from bmoe_ground.files import atomic_write
from pose_extract.body_parts import REGIONS

COLUMNS = (
    'start', 'end', 'person', 'label', 'score', 'region', 'source', *(f'routing_{region}' for region in REGIONS),
)  # fmt: skip
"""Of the table of one video; that of many has ``video`` before them."""


def write_events(path: str | os.PathLike[str], answer: Answer) -> None:
    """Write the events of a video, a row each; without an event the header alone.

    Args:
        path: The file, replaced if it exists.
        answer: To the video.

    Raises:
        UserError: The file cannot be written.
    """
    _write(Path(path), COLUMNS, map(_cells, answer.events))


def write_event_table(path: str | os.PathLike[str], events: Mapping[str, Iterable[Event]]) -> None:
    """Write the events of many videos into one table, whose first column is ``video``.

    Args:
        path: The file, replaced if it exists.
        events: Name of a video to its events.

    Raises:
        UserError: The file cannot be written.
    """
    rows = ([cell(one_line(video)), *_cells(event)] for video, found in events.items() for event in found)
    _write(Path(path), ('video', *COLUMNS), rows)


def _cells(event: Event) -> list[str]:
    routing = [f'{event.routing[region]:.4f}' if region in event.routing else '' for region in REGIONS]
    times = [f'{event.start:.3f}', f'{event.end:.3f}']
    label = cell(one_line(event.label))
    return [*times, str(event.person), label, f'{event.score:.4f}', event.region or '', event.source, *routing]


def _write(path: Path, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(header)
    writer.writerows(rows)
    with atomic_write(path) as file:
        file.write(text.getvalue().encode())
