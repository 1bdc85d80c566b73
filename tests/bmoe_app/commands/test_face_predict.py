"""bmoe face predict: rows of a folder, and an exit code that says how many files were read."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import brightness
import numpy as np
import pytest
from PIL import Image

from bmoe_app.commands.face_predict import main, read_label_map
from bmoe_ground.errors import UserError


def test_all_some_and_none_of_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint, photos, out = brightness.checkpoint(tmp_path / 'face.pth'), tmp_path / 'photos', tmp_path / 'out.csv'
    photos.mkdir()
    Image.fromarray(np.full((32, 32, 3), 200, np.uint8)).save(photos / 'a.png')
    common = ['--checkpoint', str(checkpoint), '--out', str(out), '--detector', 'none', '--device', 'cpu']
    assert main([str(photos), *common]) == 0
    with out.open() as file:
        (row,) = csv.DictReader(file)
    assert (row['status'], row['light']) == ('ok', 'bright')

    (photos / 'broken.jpg').write_bytes(b'nothing')
    assert main([str(photos), *common]) == 1
    assert 'unreadable: ' in capsys.readouterr().out
    assert main([str(photos / 'broken.jpg'), str(tmp_path / 'gone.png'), *common]) == 2


@pytest.mark.parametrize('text', ['', '[]', '{"light": "dark"}'])
def test_a_label_map_of_another_kind_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / 'map.json').write_text(text)
    with pytest.raises(UserError, match='--label-map'):
        read_label_map(str(tmp_path / 'map.json'))


def test_a_label_map_is_read(tmp_path: Path) -> None:
    (tmp_path / 'map.json').write_text(json.dumps(labels := {'light': ['dark', 'bright']}))
    assert read_label_map(str(tmp_path / 'map.json')) == labels
    assert read_label_map(None) is None
