"""Pages, exports and overlays of bmoe infer: which are written, and what one that fails costs."""

from __future__ import annotations

from pathlib import Path

import pytest
from skeleton_clips import write_tracks

from bmoe_app.commands.further_outputs import further_outputs
from bmoe_app.commands.infer import main


def test_each_kind_once() -> None:
    assert [len(part) for part in further_outputs(True, ['eaf', 'srt', 'eaf'], True)] == [4, 1]
    assert further_outputs(False, [], False) == ([], [])


def test_files_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip('av')
    poses, out = write_tracks(tmp_path / 'poses', 1), tmp_path / 'answers'
    assert main([str(poses), '--out', str(out), '--export', 'eaf', 'textgrid', '--overlay']) == 0
    names = {path.name.removeprefix('head_00.mp4') for path in (out / 'head').iterdir()}
    assert names == {
        '.html', '.events.csv', '.signals.csv', '.noise.csv', '.json', '.eaf', '.TextGrid', '.overlay.mp4',
    }  # fmt: skip
    index = (out / 'index.html').read_text()
    assert 'href="head/head_00.mp4.html"' in index and 'arms/arms_00.mp4' in index


def test_one_that_cannot_be_written_costs_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    poses, out = write_tracks(tmp_path / 'poses', 1), tmp_path / 'answers'
    (out / 'head' / 'head_00.mp4.html').mkdir(parents=True)
    assert main([str(poses), '--out', str(out)]) == 1
    assert 'head_00.mp4.html: cannot be written' in capsys.readouterr().err
    assert (out / 'head' / 'head_00.mp4.events.csv').is_file()
    assert (out / 'arms' / 'arms_00.mp4.html').is_file()


def test_failed_inputs_stand_on_the_index(tmp_path: Path) -> None:
    poses, out = write_tracks(tmp_path / 'poses', 1), tmp_path / 'answers'
    (poses / 'bad.mp4.npz').write_bytes(b'nothing')
    assert main([str(poses), '--out', str(out)]) == 1
    assert '<strong>bad.mp4</strong>' in (out / 'index.html').read_text()
    assert main([str(poses), '--out', str(tmp_path / 'plain'), '--no-page']) == 1
    assert not list((tmp_path / 'plain').rglob('*.html'))
