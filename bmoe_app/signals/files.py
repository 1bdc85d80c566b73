"""Signals as a table: a row a person and frame, the signals as columns, the noise floor in a table of its own."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable

import numpy as np

from bmoe_app.signals.compute import UNITS, Signals
from bmoe_ground.files import atomic_write

_ROWS = 5000  # formatted at a time


def write_signals(path: str | os.PathLike[str], signals: Signals) -> None:
    """Write the signals of a video as CSV, whole or not at all.

    Columns: ``person`` (from 0), ``frame`` (from 0), ``time`` in seconds, ``body_size`` in pixels, then the signals of
    :data:`bmoe_app.signals.compute.UNITS`. A cell is empty where the value cannot be known; frames in which nothing is
    known of a person stay.

    Args:
        path: The file, replaced if it exists.
        signals: Of the video.

    Raises:
        UserError: The file cannot be written.
    """
    people, frames, _ = signals.values.shape
    with atomic_write(path) as file:
        file.write(_line(['person', 'frame', 'time', 'body_size', *UNITS]))
        for person in range(people):
            for start in range(0, frames, _ROWS):
                stop = min(start + _ROWS, frames)
                rows = (_row(signals, person, frame) for frame in range(start, stop))
                file.write(b''.join(_line(row) for row in rows))


def write_noise(path: str | os.PathLike[str], signals: Signals) -> None:
    """Write what each signal is: ``signal``, ``unit``, ``unavailable`` (the reason), ``noise_<person>`` for everybody.

    Args:
        path: The file, replaced if it exists.
        signals: Of the video.

    Raises:
        UserError: The file cannot be written.
    """
    people = range(len(signals.noise))
    with atomic_write(path) as file:
        file.write(_line(['signal', 'unit', 'unavailable', *(f'noise_{person}' for person in people)]))
        for s, (name, unit) in enumerate(UNITS.items()):
            noise = (_cell(signals.noise[person, s]) for person in people)
            file.write(_line([name, unit, signals.unavailable.get(name, ''), *noise]))


def _row(signals: Signals, person: int, frame: int) -> list[str]:
    size = _cell(signals.body_size[person, frame])
    values = (_cell(value) for value in signals.values[person, frame].tolist())
    return [str(person), str(frame), f'{signals.frame_times[frame]:.4f}', size, *values]


def _cell(value: float) -> str:
    return f'{value:.5g}' if np.isfinite(value) else ''


def _line(cells: Iterable[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator='\n').writerow(cells)
    return text.getvalue().encode()
