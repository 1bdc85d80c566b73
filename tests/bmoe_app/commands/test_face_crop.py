"""bmoe face crop: a table of statuses beside the crops, and an exit code that says how many files were read."""

from __future__ import annotations

from pathlib import Path

import pytest
from blob_faces import BlobDetector, picture

from bmoe_app.commands import face_crop
from face_aux.images import read_image


def test_all_some_and_none_of_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(face_crop, 'build_detector', lambda name: BlobDetector())
    picture(tmp_path / 'in' / 'a.png', (40, 30, 40, 200))
    common = ['--out', str(tmp_path / 'out'), '--detector', 'haar', '--size', '32', '--no-align']
    assert face_crop.main([str(tmp_path / 'in'), *common]) == 0
    assert 'ok: 1' in capsys.readouterr().out
    assert read_image(tmp_path / 'out' / 'a.png').shape == (32, 32, 3)

    (tmp_path / 'in' / 'broken.jpg').write_bytes(b'nothing')
    picture(tmp_path / 'in' / 'b.png', (40, 30, 40, 200))
    assert face_crop.main([str(tmp_path / 'in'), *common]) == 1
    assert 'broken.jpg,image,unreadable' in (tmp_path / 'out' / 'crops.csv').read_text()

    (tmp_path / 'bad').mkdir()
    (tmp_path / 'bad' / 'broken.jpg').write_bytes(b'nothing')
    assert face_crop.main([str(tmp_path / 'bad'), '--out', str(tmp_path / 'bad_out'), '--detector', 'haar']) == 2
