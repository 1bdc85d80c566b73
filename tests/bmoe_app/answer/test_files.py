"""The files of an answer, read back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.moving_people import acted
from bmoe_app.answer import Event, answer_tracks
from bmoe_app.answer.files import COLUMNS, beside, event_row, write_answer
from bmoe_app.signals import UNITS
from bmoe_ground.cells import plain_cell
from bmoe_ground.errors import UserError
from bmoe_ground.tables import read_table

TIMES = np.arange(120) / 30


def test_every_file_is_written_and_reads_back(tmp_path: Path) -> None:
    answer = answer_tracks(acted('nod', TIMES), False, name='x/a.mp4')
    weights = {'head': 0.7, 'body': 0.1, 'upper': 0.1, 'lower': 0.1}
    answer.events.append(Event(1.0, 2.5, 0, '=HYPERLINK("x")', 0.5, 'head', weights))
    write_answer(tmp_path / 'x' / 'a.mp4', answer)
    rows = read_table(tmp_path / 'x' / 'a.mp4.events.csv', COLUMNS)
    assert len(rows) == len(answer.events)
    for row, event in zip(rows, answer.events, strict=True):
        assert row.number('start') == pytest.approx(event.start, abs=6e-4)
        assert (row.integer('person'), plain_cell(row['label'])) == (event.person, event.label)
        assert (row['region'], row['source']) == (event.region, event.source)
    assert rows[-1]['label'] == '\'=HYPERLINK("x")'
    assert (rows[-1].number('routing_head'), rows[0]['routing_head']) == (0.7, '')
    assert len(read_table(tmp_path / 'x' / 'a.mp4.signals.csv', [*UNITS])) == len(TIMES)
    assert len(read_table(tmp_path / 'x' / 'a.mp4.noise.csv', ['signal', 'noise_0'])) == len(UNITS)
    assert json.loads((tmp_path / 'x' / 'a.mp4.json').read_text()) == answer.as_dict()


def test_cells_are_empty_where_nothing_is_known() -> None:
    assert event_row(Event(0, 1.23456, 3, 'nod', 1)) == [
        '0.000', '1.235', 3, 'nod', '1.0000', None, 'model', None, None, None, None,
    ]  # fmt: skip


def test_a_folder_in_the_way_is_one_line(tmp_path: Path) -> None:
    (tmp_path / 'a.mp4.json').mkdir()
    with pytest.raises(UserError, match=r'a\.mp4\.json: cannot be written'):
        write_answer(tmp_path / 'a.mp4', answer_tracks(acted('nod', TIMES), False))
    assert beside(tmp_path / 'a.b', '.json').name == 'a.b.json'
