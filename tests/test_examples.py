"""The examples run as they stand, on data that the tests make."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skeleton_clips import clip_with_holes, write_checkpoint, write_tracks
from skimage.data import astronaut
from warm_programs import run as run_program

from bmoe_skel.export.recognizer import export_recognizer
from bmoe_skel.inferencer import MicroActionInferencer

REPO = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((REPO / 'examples').glob('*.py'))


def run(name: str, *arguments: object) -> str:
    """What an example prints."""
    done = run_program([REPO / 'examples' / f'{name}.py', *arguments])
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize('example', EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_short_and_say_how_they_are_run(example: Path) -> None:
    text = example.read_text()
    assert len(text.splitlines()) < 70
    assert f'python examples/{example.name}' in text.split('"""')[1]


@pytest.mark.slow
def test_own_training_loop_learns(tmp_path: Path) -> None:
    said = run('train_loop', write_tracks(tmp_path / 'poses', clips_per_class=12), '--epochs', 8)
    losses = [float(value) for value in re.findall(r'loss ([\d.]+)', said)]
    right, total = map(int, re.findall(r'(\d+) of (\d+) held-out clips right', said)[-1])
    assert len(losses) == 8 and losses[-1] < losses[0]
    assert total == 9 and right >= 6  # chance is 3


def test_own_layout() -> None:
    said = run('own_layout')
    assert 'upper  left_fist, right_fist' in said
    assert len(re.findall(r'-?\d+\.\d*', said.split('untrained:')[1])) == 3


def test_texture_of_a_photo(tmp_path: Path) -> None:
    Image.fromarray(astronaut()).save(tmp_path / 'photo.png')
    said = run('texture_of_a_photo', tmp_path / 'photo.png', tmp_path / 'textures.png')
    codes = {name: int(count) for name, count in re.findall(r'^(\w+): (\d+) different values', said, flags=re.M)}
    assert set(codes) == {'photograph', 'LBP', 'LDP', 'LDN'}
    assert codes['LDN'] <= 64  # two of eight directions, 3 bits each
    with Image.open(tmp_path / 'textures.png') as picture:
        assert picture.width > 2 * picture.height


@pytest.mark.slow
def test_video_to_events(tmp_path: Path) -> None:
    from benchmarks.demo_videos import make_demo_videos

    (video, *_) = make_demo_videos(tmp_path / 'videos', 1, 30, 256, 0)
    checkpoint = write_checkpoint(tmp_path / 'best.pth', skeleton='blazepose33')
    said = run('video_to_events', video, checkpoint, '--window', 1)
    assert '1 people in 30 frames, blazepose33' in said
    events = re.findall(r'^ *([\d.]+)- *([\d.]+) s  person 0  (\w+) \(([\d.]+)\)  by (\w+)', said, flags=re.M)
    assert len(events) >= 2
    assert {label for *_, label, _, _ in events} <= {'arms', 'head', 'legs'}


@pytest.mark.slow
@pytest.mark.parametrize('notebook', sorted((REPO / 'examples').glob('*.ipynb')), ids=lambda path: path.stem)
def test_notebooks_run_from_top_to_bottom(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib

    matplotlib.use('Agg')
    monkeypatch.chdir(REPO)
    cells = json.loads(notebook.read_text())['cells']
    names: dict[str, object] = {}
    for number, cell in enumerate(cells):
        if cell['cell_type'] == 'code':
            assert cell['outputs'] == [] and cell['execution_count'] is None, 'notebooks are kept without outputs'
            exec(compile(''.join(cell['source']), f'{notebook.name}, cell {number}', 'exec'), names)
    if notebook.stem == 'look_at_tracks':
        assert names['logits'].shape == (1, 7)  # type: ignore[attr-defined]
    else:
        files = {file.suffix for file in names['video'].parent.iterdir()}  # type: ignore[attr-defined]
        assert files == {'.mp4', '.csv', '.eaf', '.html'}


@pytest.fixture(scope='module')
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported model, and a clip as JSON beside it; some keypoints are not there."""
    pytest.importorskip('onnxruntime')
    pytest.importorskip('onnx')
    folder = tmp_path_factory.mktemp('embed')
    export_recognizer(write_checkpoint(folder / 'model.pth'), folder / 'model.onnx')
    clip = clip_with_holes(1, 31, 'coco17', 2, 0)
    points = [[None if np.isnan(p[0]) else p.tolist() for p in frame] for frame in clip['keypoint'][0]]
    facts = {'keypoints': points, 'scores': clip['score'][0].tolist(), 'times': clip['frame_times'].tolist()}
    (folder / 'clip.json').write_text(json.dumps(facts))
    return folder


def check_answer(said: str, folder: Path) -> None:
    answer, clip = json.loads(said), clip_with_holes(1, 31, 'coco17', 2, 0)
    inferencer = MicroActionInferencer(folder / 'model.pth')
    scores, routing = inferencer.predict_clip(**clip)
    assert answer['label'] == inferencer.classes[int(scores.argmax())]
    assert answer['score'] == pytest.approx(float(scores.max()), abs=1e-4)
    assert list(answer['regions'].values()) == pytest.approx(list(routing), abs=1e-4)


def test_embedded_in_python(exported: Path) -> None:
    program = REPO / 'examples' / 'embed' / 'recognise.py'
    command = [sys.executable, str(program), 'model.onnx', 'clip.json']
    done = subprocess.run(command, cwd=exported, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    check_answer(done.stdout, exported)


@pytest.mark.slow
def test_embedded_in_javascript(exported: Path) -> None:
    if shutil.which('node') is None or shutil.which('npm') is None:
        pytest.skip('Node is not installed')
    install = ['npm', 'install', '--no-audit', '--no-fund', '--prefix', str(exported), 'onnxruntime-web@1']
    try:
        got = subprocess.run(install, capture_output=True, text=True, check=False, timeout=120)
    except subprocess.TimeoutExpired:
        pytest.skip('npm did not answer')
    if got.returncode:
        pytest.skip(f'npm could not install onnxruntime-web: {got.stderr.strip()[-200:]}')
    shutil.copy(REPO / 'examples' / 'embed' / 'recognise.mjs', exported)
    command = ['node', 'recognise.mjs', 'model.onnx', 'clip.json']
    done = subprocess.run(command, cwd=exported, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    check_answer(done.stdout, exported)
