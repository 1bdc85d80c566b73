"""bmoe check: the report on the screen and as JSON, and an exit code that stops a script before training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from skeleton_clips import write_tracks

from bmoe_app.commands.check import main

REPO = Path(__file__).resolve().parents[3]


def test_sound_and_unsound_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    poses = write_tracks(tmp_path / 'poses', 8)
    command = [str(REPO / 'configs' / 'bmoe_skel_small.py'), '--samples', '4', '--json', str(tmp_path / 'check.json')]
    assert main([*command, '--cfg-options', f'dataset.tracks={poses}']) == 0
    found = json.loads((tmp_path / 'check.json').read_text())
    assert set(found['splits']) == {'train', 'val', 'test'}
    assert 'train' in capsys.readouterr().out

    for file in poses.rglob('*.npz'):
        file.write_bytes(b'nothing')
    assert main([*command, '--cfg-options', f'dataset.tracks={poses}']) == 1
    assert 'error: ' in capsys.readouterr().out
