from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bmoe_ground.errors import UserError
from pose_extract.manifest import Manifest, check_record, new_record, read_manifest

GOOD = new_record('nod/a.mp4', 'ok') | {'track': 'nod/a.mp4.npz', 'frames': 9, 'seconds': 1.5, 'finished': 2}


@pytest.mark.parametrize(
    ('field', 'value'),
    [
        ('video', None), ('video', ''), ('video', 5), ('video', 'a\0b'), ('status', 'fine'), ('status', None),
        ('status', ['ok']), ('track', 5), ('track', '../../x.npz'), ('track', '/etc/x.npz'), ('error', {}),
        ('frames', '9'), ('frames', -1), ('frames', True), ('frames', 2**70), ('frames', 1.5), ('persons', None),
        ('seconds', float('nan')), ('finished', float('inf')), ('finished', 'now'),
    ],
)  # fmt: skip
def test_a_record_of_other_types(field: str, value: Any) -> None:
    check_record(GOOD)
    with pytest.raises(ValueError, match=field):
        check_record({**GOOD, field: value})
    with pytest.raises(ValueError, match=field):
        check_record({key: GOOD[key] for key in GOOD if key != field})


def test_damaged_entries_cost_themselves_only(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    deep: Any = 1
    for _ in range(500):
        deep = [deep]
    entries = [GOOD, {**GOOD, 'video': 'b.mp4', 'frames': 'x'}, 5, None, {'status': 'ok'}, {**GOOD, 'more': deep}]
    (tmp_path / 'manifest.json').write_text(json.dumps({'format': 1, 'settings': {}, 'videos': entries}))
    (tmp_path / 'nod').mkdir()
    (tmp_path / 'nod' / 'a.mp4.npz').write_bytes(b'')
    assert read_manifest(tmp_path / 'manifest.json') == {'nod/a.mp4': GOOD}
    known = Manifest(tmp_path).begin(['b.mp4'], {})
    assert (known['nod/a.mp4'], known['b.mp4']['status']) == (GOOD, 'pending')
    assert 'damaged entries are left out' in capsys.readouterr().err


@pytest.mark.parametrize(
    'text', ['', 'hello', '[]', '5', '{}', '{"videos": 5}', '{"videos": {"a": 1}}', '[' * 100_000, '\x00']
)
def test_what_is_no_manifest_at_all(tmp_path: Path, text: str) -> None:
    (tmp_path / 'manifest.json').write_text(text)
    with pytest.raises(UserError, match=r'manifest\.json: not a manifest'):
        Manifest(tmp_path).begin([], {})


def test_damaged_lines_of_journals_cost_themselves_only(tmp_path: Path) -> None:
    journals = tmp_path / '.manifest'
    journals.mkdir()
    other = {**GOOD, 'video': 'b.mp4', 'track': None, 'status': 'failed', 'error': 'x'}
    lines = [b'\xff\xfe', b'5', b'[' * 100_000, json.dumps({**GOOD, 'frames': {}}).encode(), json.dumps(other).encode()]
    (journals / 'rank-0.jsonl').write_bytes(b'\n'.join(lines) + b'\n{"video": "c')
    (journals / 'rank-x.jsonl').write_text(json.dumps(other) + '\n')
    (journals / 'rank-7.jsonl').mkdir()
    manifest = Manifest(tmp_path)
    known = manifest.begin(['b.mp4', 'nod/a.mp4'], {})
    assert known['b.mp4'] == other
    assert known['nod/a.mp4']['status'] == 'pending'
    manifest.end(True)
    assert sorted(path.name for path in journals.iterdir()) == ['lock', 'rank-7.jsonl', 'rank-x.jsonl']
