"""bmoe signals: three tables a track file, read back; bad files beside good ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.moving_people import acted, tracks_of
from bmoe_app.answer.files import COLUMNS
from bmoe_app.commands.signals import main
from bmoe_app.signals import UNITS, compute_signals
from bmoe_ground.errors import UserError
from bmoe_ground.tables import read_table
from pose_extract.tracks import save_tracks

TIMES = np.arange(200) / 30


def test_tables_of_a_file_read_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tracks = acted('nod', TIMES)
    tracks.keypoints[0, 7], tracks.scores[0, 7] = np.nan, 0
    save_tracks(tmp_path / 'poses' / 'nod' / 'a.mp4.npz', tracks)
    assert main([str(tmp_path / 'poses'), '--out', str(tmp_path / 'out')]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith('nod/a.mp4  3.')
    assert '  nod  ' in shown

    rows = read_table(tmp_path / 'out' / 'nod' / 'a.mp4.signals.csv', ['person', 'frame', 'time', *UNITS])
    signals = compute_signals(tracks)
    assert len(rows) == len(TIMES)
    assert rows[7]['head_pitch'] == ''
    pitch = [row.number('head_pitch') for row in rows[:7]]
    np.testing.assert_allclose(pitch, signals.get('head_pitch')[0, :7], rtol=1e-3)
    assert rows[30].number('time') == pytest.approx(1.0)

    (event,) = read_table(tmp_path / 'out' / 'nod' / 'a.mp4.events.csv', COLUMNS)
    assert (event['label'], event['person'], event['region'], event['source']) == ('nod', '0', 'head', 'rule')
    noise = read_table(tmp_path / 'out' / 'nod' / 'a.mp4.noise.csv', ['signal', 'unit', 'unavailable', 'noise_0'])
    assert [(row['signal'], row['unit']) for row in noise] == list(UNITS.items())
    assert noise[0].number('noise_0') == pytest.approx(signals.noise[0, 0], rel=1e-3)


def test_nobody_and_nothing_and_no_face_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_tracks(tmp_path / 'nobody.npz', tracks_of(np.full((0, 3, 17, 2), np.nan), TIMES[:3], 'coco17'))
    still = np.repeat(np.random.default_rng(0).uniform(0, 500, (1, 1, 20, 2)), 30, 1)
    save_tracks(tmp_path / 'still.npz', tracks_of(still, TIMES[:30], 'kinect20'))
    assert main([str(tmp_path), '--out', str(tmp_path / 'out')]) == 0
    shown = capsys.readouterr().out
    assert 'nobody: nobody seen' in shown
    assert 'still: nod not looked for: kinect20 has too few face points' in shown
    assert (tmp_path / 'out' / 'nobody.events.csv').read_text() == ','.join(COLUMNS) + '\n'


def test_a_bad_file_fails_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_tracks(tmp_path / 'good.npz', acted('turn', TIMES))
    (tmp_path / 'bad.npz').write_bytes(b'no tracks')
    assert main([str(tmp_path), '--out', str(tmp_path / 'out')]) == 1
    shown = capsys.readouterr()
    assert 'bad: error: ' in shown.err
    assert '1 of 2 files could not be done' in shown.err
    assert 'turn' in shown.out
    assert main([str(tmp_path / 'bad.npz'), '--out', str(tmp_path / 'out')]) == 2
    assert main([str(tmp_path / 'missing.npz'), '--out', str(tmp_path / 'out')]) == 2


def test_wrong_calls_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='holds no track files'):
        main([str(tmp_path)])
    with pytest.raises(UserError, match='--min-score: must be within'):
        main([str(tmp_path), '--min-score', '7'])
