"""bmoe submit: scores in any order become the list's order."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from bmoe_app.commands.submit import main
from bmoe_ground.errors import UserError


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / 'list.txt').write_bytes(b'test0000.mp4 0\r\ntest0001.mp4 0\r\n')
    np.savez(tmp_path / 'named.npz', scores=np.eye(52)[[44, 9]], names=['test0001.mp4', 'test0000.mp4'])
    np.savez(tmp_path / 'short.npz', scores=np.eye(52)[[9]])
    return tmp_path


def test_names_decide_the_order(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = files / 'submission.zip'
    assert main([str(files / 'named.npz'), str(out), '--list', str(files / 'list.txt')]) == 0
    assert capsys.readouterr().out == f'2 clips (0 filled) written to {out}\n'
    with zipfile.ZipFile(out) as archive:
        rows = [line.split(',')[:2] for line in archive.read('prediction.csv').decode().splitlines()]
    assert rows[1:] == [['test0000.mp4', '9'], ['test0001.mp4', '44']]


def test_scores_without_names_must_be_as_many_as_the_list(files: Path) -> None:
    with pytest.raises(UserError, match='1 scores without names, .* has 2 clips'):
        main([str(files / 'short.npz'), str(files / 'x.zip'), '--list', str(files / 'list.txt')])
    with pytest.raises(UserError, match='holds no body scores'):
        main([str(files / 'named.npz'), str(files / 'x.zip'), '--list', str(files / 'list.txt'), '--body', 'own'])
    assert not (files / 'x.zip').exists()
