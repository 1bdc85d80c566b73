"""Events as a CSV table, of one video or of many."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from bmoe_app.answer import Answer, Event
from bmoe_app.answer.files import COLUMNS, event_row, write_table


def write_events(path: str | os.PathLike[str], answer: Answer) -> None:
    """Write the events of a video, a row each; without an event the header alone.

    Args:
        path: The file, replaced if it exists.
        answer: To the video.

    Raises:
        UserError: The file cannot be written.
    """
    write_table(Path(path), [COLUMNS, *map(event_row, answer.events)])


def write_event_table(path: str | os.PathLike[str], events: Mapping[str, Iterable[Event]]) -> None:
    """Write the events of many videos into one table, whose first column is ``video``.

    Args:
        path: The file, replaced if it exists.
        events: Name of a video to its events.

    Raises:
        UserError: The file cannot be written.
    """
    rows = ([video, *event_row(event)] for video, found in events.items() for event in found)
    write_table(Path(path), [('video', *COLUMNS), *rows])
