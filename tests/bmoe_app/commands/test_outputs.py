"""The folder of answers: further outputs get each answer, and one that fails spoils no other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.moving_people import acted
from bmoe_app.answer import Answer, answer_tracks
from bmoe_app.commands.outputs import Outputs
from bmoe_ground.errors import UserError
from bmoe_ground.tables import iter_table

TIMES = np.arange(90) / 30


def test_each_output_gets_each_answer_and_the_end(tmp_path: Path) -> None:
    seen: list[Any] = []

    def each(stem: Path, answer: Answer) -> None:
        seen.append((stem, answer.name))

    def over_all(out: Path, entries: Sequence[dict[str, Any]]) -> None:
        seen.append((out, [entry['video'] for entry in entries]))

    outputs = Outputs(tmp_path, [each], [over_all])
    for name in ('a.mp4', 'x/b.mp4'):
        outputs.add(answer_tracks(acted('nod', TIMES), False, name=name))
    outputs.finish()
    assert seen == [
        (tmp_path / 'a.mp4', 'a.mp4'),
        (tmp_path / 'x' / 'b.mp4', 'x/b.mp4'),
        (tmp_path, ['a.mp4', 'x/b.mp4']),
    ]
    assert outputs.exit_code == 0


def test_an_output_that_fails_spoils_no_other(tmp_path: Path) -> None:
    def fails(stem: Path, answer: Answer) -> None:
        raise UserError('no codec')

    written: list[Path] = []
    outputs = Outputs(tmp_path, [fails, lambda stem, answer: written.append(stem)])
    assert outputs.add(answer_tracks(acted('nod', TIMES), False, name='a.mp4')) == ['no codec']
    assert (outputs.entries[0]['status'], outputs.entries[0]['error'], outputs.exit_code) == ('partial', 'no codec', 1)
    assert written == [tmp_path / 'a.mp4']
    assert (tmp_path / 'a.mp4.events.csv').is_file()


def test_a_folder_that_cannot_be_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    with pytest.raises(UserError, match='choose another --out'):
        Outputs(tmp_path / 'file' / 'out')


def test_exit_code_and_summary_count_what_failed(tmp_path: Path) -> None:
    outputs = Outputs(tmp_path)
    outputs.failed('bad.mp4', UserError('damaged'))
    assert outputs.exit_code == 2
    outputs.add(answer_tracks(acted('nod', TIMES), False, name='a.mp4'), partial=True)
    assert outputs.exit_code == 1
    outputs.finish()
    told = json.loads((tmp_path / 'answers.json').read_text())
    assert [(entry['video'], entry['status']) for entry in told['videos']] == [
        ('bad.mp4', 'failed'),
        ('a.mp4', 'partial'),
    ]
    count = len(list(iter_table(tmp_path / 'events.csv')))
    assert outputs.summary() == (f'1 of 2 answered (1 of them in part), {count} events: {tmp_path / "events.csv"}')
