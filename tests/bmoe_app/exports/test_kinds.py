"""The kinds by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from answers import made_up_answer

from bmoe_app.exports import EXPORTS, write_export
from bmoe_ground.errors import UserError


def test_every_kind_writes_a_file_without_events(tmp_path: Path) -> None:
    for kind, export in EXPORTS.items():
        write_export(kind, tmp_path / f'a{export.suffix}', made_up_answer([]))
    beside = [f'a_tracksys-pose_{rest}' for rest in ('motion.json', 'channels.tsv', 'channels.json')]
    named = [f'a{export.suffix}' for export in EXPORTS.values()]
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([*named, *beside])


def test_an_unknown_kind_names_the_others(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='csv, json, eaf'):
        write_export('doc', tmp_path / 'a', made_up_answer())
