"""What a user can get wrong ends every command with one line that names it, and exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from skeleton_clips import write_checkpoint, write_tracks

from bmoe_app.cli import dispatch
from bmoe_ground.errors import UserError

WRONG = [
    ('extract {tmp}/none', 'none: no such folder'),
    ('extract {tmp}/note.txt', 'not a folder and not a video'),
    ('extract {tmp} --stride 0', 'stride must be at least 1, got 0'),
    ('extract {tmp} --checkpoint {tmp}/none.pth', 'none.pth: no such file'),
    ('show {tmp}/none.npz', 'none.npz: no such track file'),
    ('show {tmp}/note.txt', 'not a track file'),
    ('show {tmp}/poses/head/head_00.mp4.npz --pictures 0', 'must be at least 1'),
    ('show {tmp}/poses/head/head_00.mp4.npz {tmp}/none.mp4', 'none.mp4'),
    ('convert {tmp}/none {tmp}/out.pkl', 'none: no such file or folder'),
    ('convert {tmp}/poses {tmp}/note.txt', 'note.txt: exists already'),
    ('skeletons {tmp}', 'cannot be written'),
    ('check {tmp}/none.py', 'config not found'),
    ('check {tmp}/note.txt', 'note.txt'),
    ('check configs/bmoe_skel.py --samples 0', '--samples 0: expected at least 1'),
    ('train {tmp}/none.py', 'config not found'),
    ('train configs/bmoe_skel.py --cfg-options nothing', 'expected KEY=VALUE'),
    ('test configs/bmoe_skel.py {tmp}/none.pth', 'checkpoint not found'),
    ('infer {tmp}/poses --checkpoint {tmp}/none.pth', 'checkpoint not found'),
    ('infer {tmp}/poses --checkpoint {tmp}/note.txt', 'damaged or no torch checkpoint|is refused'),
    ('infer {tmp}/empty', 'neither videos .* nor track files'),
    ('infer {tmp}/poses --checkpoint {tmp}/best.pth --device nonsense', 'nonsense'),
    ('submit {tmp}/none.pkl {tmp}/out.zip --list {tmp}/none.txt', 'none'),
    ('face predict {tmp} --checkpoint {tmp}/none.pth --out {tmp}/out.csv', 'checkpoint not found'),
    ('face predict {tmp} --checkpoint {tmp}/none.pth --out {tmp}/out.txt', 'out.txt'),
    ('face predict {tmp} --checkpoint {tmp}/none.pth --out {tmp}/o.csv --label-map {tmp}/note.txt', '--label-map'),
    ('face crop {tmp}/none --out {tmp}/out --detector haar', 'none'),
]


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('wrong')
    (folder / 'note.txt').write_text('nothing of use')
    (folder / 'empty').mkdir()
    write_tracks(folder / 'poses', 1)
    write_checkpoint(folder / 'best.pth')
    return folder


@pytest.mark.parametrize(('line', 'message'), WRONG)
def test_what_is_wrong_is_named(
    line: str, message: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs = Path(__file__).resolve().parents[2] / 'configs'
    (tmp_path / 'configs').symlink_to(configs)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message) as caught:
        dispatch(line.format(tmp=folder).split())
    assert '\n' not in str(caught.value).strip()
