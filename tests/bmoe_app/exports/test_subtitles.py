"""Subtitles, read by srt."""

from __future__ import annotations

from pathlib import Path

import pytest
from answers import made_up_answer

from bmoe_app.answer import Event
from bmoe_app.exports import write_export


def test_srt_reads_times_and_texts_without_markup(tmp_path: Path) -> None:
    srt = pytest.importorskip('srt', reason='srt is not installed')
    events = [Event(3661.5, 3662, 0, 'a\n\n<i>', 0.5), Event(0.2, 0.8, 1, 'nod', 0.75, 'head')]
    write_export('srt', tmp_path / 'a.srt', made_up_answer(events))
    read = list(srt.parse((tmp_path / 'a.srt').read_text(), ignore_errors=False))
    assert [(s.start.total_seconds(), s.end.total_seconds(), s.content) for s in read] == [
        (0.2, 0.8, '#1 nod (head) 0.75'),
        (3661.5, 3662, '#0 a  ‹i› 0.50'),
    ]
