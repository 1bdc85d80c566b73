from __future__ import annotations

import json
from pathlib import Path

from warm_programs import run


def test_benchmark_measures_both_sides_and_finds_no_difference(tmp_path: Path) -> None:
    out = tmp_path / 'textures.json'
    command = ['tools/benchmark.py', 'textures', '--size', '40', '--batch', '4', '--rounds', '2', '--json', str(out)]
    result = run(command)
    assert result.returncode == 0, result.stderr
    figures = json.loads(out.read_text())
    assert figures['mismatches'] == 0
    assert figures['codes'] == 4 * 40 * 40
    assert len(figures['images_per_second']['scikit-image LBP (8, 1)']) == 2
    assert 'times scikit-image' in result.stdout
