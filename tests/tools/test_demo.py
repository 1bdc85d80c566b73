from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]


def run_demo(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPO / 'tools' / 'demo.py'), '--out', str(out), *arguments]
    env = {**os.environ, 'PYTHONPATH': str(REPO)}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_whole_chain_on_few_clips(tmp_path: Path) -> None:
    pytest.importorskip('mediapipe')
    options = ('train_cfg.max_epochs=1', 'train_cfg.val_interval=1')
    result = run_demo(tmp_path / 'demo', '--clips', '4', '--seeds', '5', '--rounds', '1', '--cfg-options', *options)
    assert result.returncode == 0, result.stderr[-2000:]
    for tool in ('make_demo_videos.py videos/', 'extract_pose.py videos/', 'train.py', 'test.py'):
        assert f'/tools/{tool}' in result.stdout
    seed = tmp_path / 'demo' / 'seed5'
    scores = json.loads((seed / 'metrics.json').read_text())
    assert f'macro F1  {scores["f1_macro"]:.3f}' in result.stdout
    summary = result.stdout[result.stdout.index('Weight that the router gave') :].splitlines()
    tables = json.loads((seed / 'routing.json').read_text())
    for line in summary[2:9]:
        name, *weights, trusted = line.split()
        assert trusted == max(tables[name], key=tables[name].get)
        assert sum(map(float, weights)) == pytest.approx(1, abs=0.03)
    assert (seed / 'report.png').stat().st_size > 1000


def test_a_failing_command_stops_the_demo(tmp_path: Path) -> None:
    result = run_demo(tmp_path / 'demo', '--clips', '0')
    assert result.returncode == 2
    assert 'clips per class is 0' in result.stderr
    assert 'extract_pose.py' not in result.stdout
