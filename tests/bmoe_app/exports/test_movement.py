"""The table for movement: by its structure, and by the library where it is installed."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from answers import made_up_answer

from bmoe_app.exports import write_export
from bmoe_ground.errors import UserError


def test_four_header_rows_then_a_row_a_frame(tmp_path: Path) -> None:
    answer = made_up_answer()
    write_export('movement', tmp_path / 'a.csv', answer)
    rows = list(csv.reader((tmp_path / 'a.csv').open()))
    assert [row[0] for row in rows[:4]] == ['scorer', 'individuals', 'bodyparts', 'coords']
    column = 1 + 3 * (17 + 2)
    assert [row[column] for row in rows[1:4]] == ['person_1', 'right_eye', 'x']
    assert float(rows[4][column]) == pytest.approx(float(answer.tracks.keypoints[1, 0, 2, 0]), rel=1e-5)
    assert rows[7][column : column + 3] == ['', '', '0']
    assert len(rows) == 54


def test_movement_reads_it(tmp_path: Path) -> None:
    load = pytest.importorskip('movement.io.load_poses', reason='movement is not installed')
    answer = made_up_answer()
    write_export('movement', tmp_path / 'a.csv', answer)
    read = load.from_dlc_file(tmp_path / 'a.csv', fps=25)
    position = read.position.transpose('individuals', 'time', 'keypoints', 'space').values
    np.testing.assert_allclose(position, answer.tracks.keypoints, rtol=1e-5)


def test_nobody_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='nobody'):
        write_export('movement', tmp_path / 'a.csv', made_up_answer([], people=0))
