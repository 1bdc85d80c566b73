"""bmoe list: every name that another command takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bmoe_app.commands.listing import KINDS, main
from face_aux.textures import texture_names
from pose_extract.estimators import BACKENDS
from pose_extract.skeletons import skeleton_names

REPO = Path(__file__).resolve().parents[3]


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert main(list(words)) == 0
    return capsys.readouterr().out.splitlines()


def test_each_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert [line.split()[0] for line in listed(capsys, 'skeletons')] == list(skeleton_names())
    assert listed(capsys, 'backends') == sorted(BACKENDS)
    assert listed(capsys, 'textures') == list(texture_names())


def test_the_configs_are_the_files(capsys: pytest.CaptureFixture[str]) -> None:
    named = {line.split()[0] for line in listed(capsys, 'configs')}
    files = (file.relative_to(REPO / 'configs') for file in (REPO / 'configs').rglob('*.py'))
    assert named == {file.with_suffix('').as_posix() for file in files if '_base_' not in file.parts}


def test_everything_under_its_heading(capsys: pytest.CaptureFixture[str]) -> None:
    lines = listed(capsys)
    assert [line for line in lines if not line.startswith(' ')] == [f'{kind}:' for kind in KINDS]
    assert '  mediapipe' in lines
