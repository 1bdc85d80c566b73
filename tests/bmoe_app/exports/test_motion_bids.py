"""BIDS Motion, by the structure that the specification asks for."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from answers import made_up_answer

from bmoe_app.answer import Answer
from bmoe_app.exports import write_export
from bmoe_ground.errors import UserError


def written(folder: Path, answer: Answer) -> tuple[list[list[str]], list[dict[str, str]], dict[str, Any]]:
    write_export('motion-bids', folder / 'a_motion.tsv', answer)
    rows = [line.split('\t') for line in (folder / 'a_motion.tsv').read_text().splitlines()]
    channels = list(csv.DictReader((folder / 'a_channels.tsv').open(), delimiter='\t'))
    return rows, channels, json.loads((folder / 'a_motion.json').read_text())


def test_a_column_a_channel_and_no_header(tmp_path: Path) -> None:
    answer = made_up_answer()
    rows, channels, facts = written(tmp_path, answer)
    assert list(channels[0]) == ['name', 'component', 'type', 'tracked_point', 'units', 'reference_frame']
    assert {len(row) for row in rows} == {len(channels)} == {2 * 17 * 3}
    assert len({one['name'] for one in channels}) == len(channels)
    assert {(one['type'], one['component']) for one in channels} == {('POS', 'x'), ('POS', 'y'), ('MISC', 'n/a')}
    values = np.array([[float('nan') if cell == 'n/a' else float(cell) for cell in row] for row in rows])
    positions = [n for n, one in enumerate(channels) if one['type'] == 'POS']
    expected = answer.tracks.keypoints.transpose(1, 0, 2, 3).reshape(50, -1)
    np.testing.assert_allclose(values[:, positions], expected, rtol=1e-5)
    assert facts['SamplingFrequency'] == pytest.approx(25)
    assert facts['TrackedPointsCount'] == len({one['tracked_point'] for one in channels}) == 34
    assert facts['MotionChannelCount'] == len(channels)
    assert 'image' in json.loads((tmp_path / 'a_channels.json').read_text())['reference_frame']['Levels']


def test_uneven_times_are_a_channel(tmp_path: Path) -> None:
    answer = made_up_answer()
    answer.tracks.frame_times = 3 + np.arange(50) / 25 + np.where(np.arange(50) > 20, 0.3, 0)
    rows, channels, facts = written(tmp_path, answer)
    assert (channels[0]['type'], channels[0]['units'], channels[0]['component']) == ('LATENCY', 's', 'n/a')
    np.testing.assert_allclose([float(row[0]) for row in rows], answer.tracks.frame_times - 3, atol=1e-6)
    assert facts['LATENCYChannelCount'] == 1
    assert facts['SamplingFrequency'] == pytest.approx(49 / 2.26)


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='nobody'):
        write_export('motion-bids', tmp_path / 'a_motion.tsv', made_up_answer([], people=0))
    with pytest.raises(UserError, match=r'ends in _motion\.tsv'):
        write_export('motion-bids', tmp_path / 'a.tsv', made_up_answer())
