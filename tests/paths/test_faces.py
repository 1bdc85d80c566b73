"""Train, test and predict through the tools, on the faces and non-faces that scikit-image's package carries."""

from __future__ import annotations

import csv
import json
import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from warm_programs import run as run_program

REPO = Path(__file__).resolve().parents[2]
PIPELINE = (
    "[dict(type='LoadFace'), dict(type='Resize', size=24), {extra} dict(type='Normalize'), dict(type='PackFaceInputs')]"
)
CONFIG = """
_base_ = ['{base}']
model = dict(encoder=dict(name='vit_tiny_patch16_224', img_size=24, patch_size=6, embed_dim=48, depth=2, num_heads=4))
train_pipeline = {train}
test_pipeline = {test}
dataset = dict(type='CsvFaces', data_root='{root}', labels=dict(what=['nonface', 'face']), group_columns=['tone', 'id'],
               fractions=dict(train=0.7, test=0.3))
train_dataloader = dict(batch_size=20, num_workers=0, persistent_workers=False,
                        dataset=dict(_delete_=True, **dataset, part='train', pipeline=train_pipeline))
val_dataloader = dict(num_workers=0, persistent_workers=False,
                      dataset=dict(_delete_=True, **dataset, part='test', pipeline=test_pipeline, test_mode=True))
test_dataloader = val_dataloader
test_evaluator = [dict(type='ClassificationMetric'),
                  dict(type='FairnessMetric', replicates=100, intersections=[('tone', 'id')])]
train_cfg = dict(max_epochs=30, val_interval=30)
param_scheduler = []
optim_wrapper = dict(optimizer=dict(lr=2e-3))
default_hooks = dict(checkpoint=dict(interval=30, save_best='what/accuracy', rule='greater'))
face_crop = dict(margin=-0.05)
"""


def make_faces(root: Path) -> Path:
    """The 200 pictures as files, with a CSV; group 'tone' is half by brightness, 'lone' has one member."""
    pictures = pytest.importorskip('skimage.data').lfw_subset()
    root.mkdir()
    rows = ['path,what,tone,id']
    bright = np.median(pictures.mean(axis=(1, 2)))
    for i, pixels in enumerate(pictures):
        Image.fromarray(np.round(pixels * 255).astype(np.uint8)).save(root / f'{i:03d}.png')
        tone = 'bright' if pixels.mean() > bright else 'dark'
        rows.append(f'{i:03d}.png,{"face" if i < 100 else "nonface"},{tone},{"lone" if i == 7 else "ab"[i % 2]}')
    (root / 'labels.csv').write_text('\r\n'.join(rows))
    return root


def run(tool: str, *arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    result = run_program([f'tools/{tool}.py', *arguments], env={'COLUMNS': '200'})
    assert result.returncode == code, result.stdout[-3000:] + result.stderr[-3000:]
    return result


@pytest.fixture(scope='module')
def trained(once: Callable[..., Path]) -> tuple[Path, Path, Path]:
    """Config, checkpoint and data of a tiny transformer trained for a few steps."""
    work = once('faces', train_faces)
    return work / 'config.py', work / 'run' / 'epoch_30.pth', work / 'faces'


def train_faces(work: Path) -> None:
    root = make_faces(work / 'faces')
    extra = "dict(type='RandomFlip'), dict(type='KeepTextureSource'),"
    text = CONFIG.format(
        base=REPO / 'configs/face_aux/_base_/joint.py',
        train=PIPELINE.format(extra=extra),
        test=PIPELINE.format(extra=''),
        root=root,
    )
    config = work / 'config.py'
    config.write_text(text)
    run('train', config, '--work-dir', work / 'run')


@pytest.mark.slow
def test_report_of_a_trained_model(trained: tuple[Path, Path, Path], tmp_path: Path) -> None:
    config, checkpoint, _ = trained
    shown = run('test', config, checkpoint, '--work-dir', tmp_path).stdout
    metrics = json.loads((tmp_path / 'metrics.json').read_text())
    assert metrics['what/accuracy'] > 0.8
    assert metrics['what/auc'] > 0.88
    assert '== what: 60 samples, positive class' in shown
    assert 'worst accuracy: ' in shown
    plain = json.loads((tmp_path / 'fairness.json').read_text())
    columns = {c['name']: c for c in plain['reports'][0]['columns']}
    assert set(columns) == {'tone', 'id', 'tone × id'}
    assert sum(g['n'] for g in columns['tone']['groups']) == 60
    correct = sum(g['n'] * g['metrics']['accuracy']['value'] for g in columns['tone']['groups'])
    assert correct / 60 == pytest.approx(metrics['what/accuracy'])
    assert '<svg' in (tmp_path / 'fairness.html').read_text()


@pytest.mark.slow
def test_predictions_of_a_trained_model(trained: tuple[Path, Path, Path], tmp_path: Path) -> None:
    config, checkpoint, root = trained
    out = tmp_path / 'out.csv'
    run('predict_faces', root, '--checkpoint', checkpoint, '--out', out, '--detector', 'none', code=0)
    with out.open() as file:
        rows = {Path(row['file']).name: row for row in csv.DictReader(file)}
    assert len(rows) == 201
    assert rows['labels.csv']['status'] == 'skipped'
    truth = {f'{i:03d}.png': 'face' if i < 100 else 'nonface' for i in range(200)}
    assert np.mean([rows[name]['what'] == label for name, label in truth.items()]) > 0.8
    for row in rows.values():
        if row['status'] == 'ok':
            assert float(row['what:face']) + float(row['what:nonface']) == pytest.approx(1, abs=1e-4)


@pytest.mark.slow
def test_prediction_equals_the_test(trained: tuple[Path, Path, Path], tmp_path: Path) -> None:
    config, checkpoint, root = trained
    run('test', config, checkpoint, '--work-dir', tmp_path, '--dump', tmp_path / 'dump.pkl')
    with (tmp_path / 'dump.pkl').open('rb') as file:
        dumped = {Path(s['path']).name: s['scores']['what'] for s in pickle.load(file)}
    run('predict_faces', root, '--checkpoint', checkpoint, '--out', tmp_path / 'p.json', '--detector', 'none')
    predicted = json.loads((tmp_path / 'p.json').read_text())['predictions']
    for row in predicted:
        if (name := Path(row['file']).name) in dumped:
            assert row['scores']['what']['face'] == pytest.approx(float(dumped[name][1]), abs=1e-5)


@pytest.mark.slow
def test_bad_input_is_accounted_for(trained: tuple[Path, Path, Path], tmp_path: Path) -> None:
    pytest.importorskip('mediapipe')
    from skimage import data

    _, checkpoint, _ = trained
    inputs = tmp_path / 'in'
    inputs.mkdir()
    Image.fromarray(data.astronaut()).save(inputs / 'astronaut.jpg')
    Image.fromarray(data.rocket()).save(inputs / 'rocket.jpg')
    (inputs / 'broken.jpg').write_bytes(b'\xff\xd8')
    out = tmp_path / 'out.json'
    shown = run('predict_faces', inputs, 'gone.png', '--checkpoint', checkpoint, '--out', out, code=1).stdout
    plain = json.loads(out.read_text())
    assert plain['files'] == {'ok': 1, 'unreadable': 1, 'no face': 1, 'missing': 1}
    assert plain['settings']['crop'] == {'margin': -0.05, 'shift': 0.0, 'align': True}
    face = next(row for row in plain['predictions'] if row['status'] == 'ok')
    assert face['labels'] == {'what': 'face'}
    assert 'unreadable: ' in shown

    (tmp_path / 'labels.json').write_text('{"what": ["face", "nonface"]}')
    refused = run(
        'predict_faces',
        inputs,
        '--checkpoint',
        checkpoint,
        '--out',
        out,
        '--label-map',
        tmp_path / 'labels.json',
        code=2,
    )
    assert "epoch_30.pth: task 'what' was trained with the classes ['nonface', 'face']" in refused.stderr
