from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

REPO = Path(__file__).resolve().parents[2]
# Stands for every tool. The first seed's training ends once the second's has begun; a third one's fails.
STAND_IN = """
import json, pathlib, sys, time
name, words = pathlib.Path(sys.argv[0]).stem, sys.argv[1:]
print(name, 'at work')
if name in ('train', 'test'):
    seed, work = words[words.index('--seed') + 1], pathlib.Path(words[words.index('--work-dir') + 1])
    work.mkdir(exist_ok=True)
    while name == 'train' and seed == '0' and not pathlib.Path('seed1').exists():
        time.sleep(0.01)
    (work / 'best.pth').touch()
    (work / 'metrics.json').write_text(json.dumps({'f1_macro': 0.5, 'f1_micro': 0.5}))
    (work / 'routing.json').write_text(json.dumps({'nod': {'head': 1.0}}))
    sys.exit(3 if seed == '2' else 0)
for file in ('take.mp4.truth.csv', 'answers/take.mp4.events.csv'):
    path = pathlib.Path(file)
    path.parent.mkdir(exist_ok=True)
    path.write_text('start,end,person,label,source\\n1,2,0,nod,model\\n')
"""


def run_demo(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPO / 'tools' / 'demo.py'), '--out', str(out), *arguments]
    env = {**os.environ, 'PYTHONPATH': str(REPO)}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_whole_chain_on_few_clips(tmp_path: Path) -> None:
    pytest.importorskip('mediapipe')
    few = ('--clips', '3', '--frames', '20', '--seeds', '5', '--rounds', '1')
    options = ('train_cfg.max_epochs=1', 'train_cfg.val_interval=1')
    result = run_demo(tmp_path / 'demo', *few, '--cfg-options', *options)
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


@pytest.fixture
def stood_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The demo with stand-ins for its tools."""
    spec = importlib.util.spec_from_file_location('demo', REPO / 'tools' / 'demo.py')
    assert spec is not None and spec.loader is not None
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)
    monkeypatch.setattr(demo, 'REPO', tmp_path)
    (tmp_path / 'tools').mkdir()
    for tool in ('make_demo_videos', 'extract_pose', 'show_poses', 'train', 'test', 'infer'):
        (tmp_path / 'tools' / f'{tool}.py').write_text(STAND_IN)
    return demo


def test_seeds_train_beside_each_other_and_the_first_one_answers(
    stood_in: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, 'argv', ['demo.py', '--out', str(tmp_path / 'demo'), '--seeds', '0', '1'])
    stood_in.main()
    said = capfd.readouterr().out
    for line in ('seed0 | train at work', 'seed1 | test at work', 'take | infer at work', 'extract_pose at work'):
        assert f'{line}\n' in said
    assert 'macro F1  0.500  (0.500, 0.500, standard deviation 0.000)' in said
    assert '1 of 1 actions found by the model of seed 0, 0 further events' in said


def test_after_a_failure_nothing_begins(
    stood_in: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    out = ['--out', str(tmp_path / 'demo'), '--jobs', '1']
    monkeypatch.setattr(sys, 'argv', ['demo.py', *out, '--seeds', '5', '2', '1'])
    with pytest.raises(SystemExit, match='3'):
        stood_in.main()
    said, errors = capfd.readouterr()
    assert 'seed2 | error: train.py ended with exit code 3' in errors
    assert 'seed5 | test at work' in said
    assert 'seed1 | ' not in said and 'take | ' not in said
