from __future__ import annotations

import json
from pathlib import Path

from bmoe_skel.report_page.learning import read_curve


def write(folder: Path, name: str, rows: list[dict]) -> None:
    path = folder / name / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text('\n'.join(map(json.dumps, rows)) + '\n{"loss": 1, "ep')


def test_resumed_training_is_one_curve(tmp_path: Path) -> None:
    first = [{'loss': 4.0 - i, 'epoch': i, 'iter': 10 * i, 'step': 10 * i} for i in (1, 2, 3)]
    write(tmp_path, '1', [*first, {'top1': 0.5, 'step': 2}])
    write(tmp_path, '2', [{'loss': 0.5, 'epoch': 3, 'iter': 30}, {'loss': float('nan'), 'epoch': 4, 'iter': 40}])
    write(tmp_path, '3', [{'top1': 0.9, 'step': 0}])  # a test
    curve = read_curve(tmp_path)
    assert curve is not None
    assert curve.loss == [(1.0, 3.0), (2.0, 2.0), (3.0, 0.5)]
    assert (curve.score, curve.metric, curve.source) == ([(2.0, 0.5)], 'top1', '1, 2')
    assert read_curve(tmp_path / '1') is None
