"""What ``bmoe infer`` leaves behind: the files of each answer, and those over all of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bmoe_app.answer import Answer, Event
from bmoe_app.answer.files import COLUMNS, event_row, write_answer, write_table
from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write, remove_remains

FORMAT = 'bmoe-answers 1'

Output = Callable[[Path, Answer], None]
"""Writes something of a finished answer; the path is that of its files without their endings."""
Entry = dict[str, Any]
"""What is on record of one input, see :attr:`Outputs.entries`."""
Overview = Callable[[Path, Sequence[Entry]], None]
"""Writes something over all answers; the path is the folder, the entries those of :attr:`Outputs.entries`."""


class Outputs:
    """The folder of answers.

    Args:
        out: The folder.
        each: Further outputs of each answer, beside the tables and the JSON.
        over_all: Further outputs at the end.

    Raises:
        UserError: The folder cannot be made.

    Attributes:
        entries: One a video, in order: ``video``, ``status`` ('ok', 'partial' or 'failed'), ``error``, ``seconds``,
            ``persons``, ``events`` (how many), ``regions`` (how many by part of the body) and ``notes``.
    """

    def __init__(self, out: Path, each: Sequence[Output] = (), over_all: Sequence[Overview] = ()) -> None:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f'{out}: cannot be written: {error.strerror or error}; choose another --out') from error
        remove_remains(out)
        self.out, self._each, self._over_all = out, each, over_all
        self.entries: list[Entry] = []
        self._events: list[tuple[str, Event]] = []

    def add(self, answer: Answer, partial: bool = False) -> list[str]:
        """Write all of one answer.

        Args:
            answer: The answer.
            partial: Whether its video could not be read whole.

        Returns:
            Why further outputs could not be written, where some could not; the answer counts as ``partial`` then.

        Raises:
            UserError: The tables or the JSON cannot be written.
        """
        entry, faults = write_all(self.out / answer.name, answer, self._each, partial)
        self._events += [(answer.name, event) for event in answer.events]
        self.entries.append(entry)
        return faults

    def failed(self, name: str, error: UserError) -> None:
        """Put on record that there is no answer to one of the inputs."""
        self.entries.append(failed_entry(name, str(error)))

    def finish(self) -> None:
        """Write ``events.csv`` and ``answers.json`` over what was added.

        Raises:
            UserError: They cannot be written.
        """
        rows = ([name, *event_row(event)] for name, event in self._events)
        write_table(self.out / 'events.csv', [('video', *COLUMNS), *rows])
        with atomic_write(self.out / 'answers.json') as file:
            file.write(json.dumps({'format': FORMAT, 'videos': self.entries}, indent=1, allow_nan=False).encode())
        for write in self._over_all:
            write(self.out, self.entries)

    @property
    def exit_code(self) -> int:
        """0 when every input was answered whole, 2 when none was, else 1."""
        statuses = {entry['status'] for entry in self.entries}
        return 2 if statuses == {'failed'} else int(statuses != {'ok'})

    def summary(self) -> str:
        """How many inputs were answered, in a line."""
        done = [entry for entry in self.entries if entry['status'] != 'failed']
        partial = sum(entry['status'] == 'partial' for entry in done)
        read = f' ({partial} of them in part)' if partial else ''
        return (
            f'{len(done)} of {len(self.entries)} answered{read}, {len(self._events)} events: {self.out / "events.csv"}'
        )


def write_all(
    stem: Path, answer: Answer, each: Sequence[Output] = (), partial: bool = False
) -> tuple[Entry, list[str]]:
    """Write the tables and the JSON of one answer, and what else is made of it.

    Args:
        stem: Path of its files without their endings.
        answer: The answer.
        each: Further outputs.
        partial: Whether its video could not be read whole.

    Returns:
        What goes on record, see :attr:`Outputs.entries`; and why further outputs could not be written.

    Raises:
        UserError: The tables or the JSON cannot be written.
    """
    write_answer(stem, answer)
    faults: list[str] = []
    for write in each:
        try:
            write(stem, answer)
        except UserError as error:
            faults.append(str(error))
    entry = {
        'video': answer.name,
        'status': 'partial' if partial or faults else 'ok',
        'error': '; '.join(faults) or None,
        'seconds': round(answer.seconds, 3),
        'persons': answer.tracks.num_persons,
        'events': len(answer.events),
        'regions': dict(Counter(event.region or 'unknown' for event in answer.events)),
        'notes': answer.notes,
    }
    return entry, faults


def failed_entry(name: str, reason: str) -> Entry:
    """What goes on record of an input to which there is no answer."""
    entry = {'video': name, 'status': 'failed', 'error': reason}
    return {**entry, 'seconds': None, 'persons': None, 'events': None, 'regions': {}, 'notes': []}
