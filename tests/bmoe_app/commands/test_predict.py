"""bmoe predict: answers of a folder, and how many files were read as its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from skeleton_clips import write_checkpoint, write_tracks

from bmoe_app.commands.predict import main


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    return str(write_checkpoint(tmp_path / 'best.pth'))


def test_all_some_and_none_of_the_files(checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    poses, out = write_tracks(tmp_path / 'poses', 1), tmp_path / 'answers.json'
    assert main([checkpoint, str(poses), '--out', str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    answers = json.loads(out.read_text())
    assert len(lines) == len(answers) == 3
    event = answers['head/head_00.mp4.npz']['events'][0]
    assert f'{event["label"]}  {event["score"]:.2f}  by {event["region"]}' in lines[1]
    assert set(event) == {'start', 'end', 'person', 'label', 'score', 'region', 'routing', 'attribution'}

    (poses / 'bad.npz').write_bytes(b'nothing')
    assert main([checkpoint, str(poses)]) == 1
    assert 'bad.npz: error: ' in capsys.readouterr().err
    assert main([checkpoint, str(poses / 'bad.npz')]) == 2
