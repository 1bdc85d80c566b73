"""Rule events as a table."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable

from bmoe_app.rules.events import RuleEvent
from bmoe_ground.files import atomic_write

COLUMNS = ('start', 'end', 'person', 'label', 'score', 'region')


def write_events(path: str | os.PathLike[str], events: Iterable[RuleEvent]) -> None:
    """Write events as CSV, whole or not at all: a line each, times in seconds; no event leaves the header alone.

    Args:
        path: The file, replaced if it exists.
        events: What :func:`bmoe_app.rules.find_events` found.

    Raises:
        UserError: The file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(COLUMNS)
    for one in events:
        writer.writerow([f'{one.start:.3f}', f'{one.end:.3f}', one.person, one.label, f'{one.score:.2f}', one.region])
    with atomic_write(path) as file:
        file.write(text.getvalue().encode())
