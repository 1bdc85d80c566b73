"""From lists to a zipped submission, as docs/benchmarks/ma52.md shows it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from warm_programs import run as run_program

from benchmarks.rehearsal import write_rehearsal
from bmoe_skel.datasets.ma52.classes import BODY_OF_ACTION
from bmoe_skel.datasets.ma52.lists import read_list
from bmoe_skel.metrics import f1_mean
from mm_runtime.cli import test_main as run_test
from mm_runtime.cli import train_main as run_train

REPO = Path(__file__).resolve().parents[2]
SMALL = """
_base_ = ['{config}']
model = dict(dims=16, expert=dict(dims=(8, 8)), global_stream=dict(dims=(8, 8), depths=(1, 1)))
num_workers = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(**num_workers)
val_dataloader = dict(**num_workers)
test_dataloader = dict(**num_workers)
train_cfg = dict(max_epochs=1, val_interval=1)
"""


@pytest.fixture(scope='module')
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('ma52')
    write_rehearsal(folder, scale=0.01)
    return folder


def config(folder: Path) -> str:
    path = folder / 'bmoe_skel_ma52.py'
    path.write_text(SMALL.format(config=REPO / 'configs' / 'bmoe_skel_ma52.py'))
    return str(path)


@pytest.mark.slow
def test_lists_to_submission(root, tmp_path) -> None:
    options = ['--cfg-options', f'dataset.data_root={root}']
    path, work = config(tmp_path), tmp_path / 'work'
    run_train([path, '--work-dir', str(work), *options])
    checkpoint, dump = str(work / 'epoch_1.pth'), work / 'test.pkl'
    assert run_test([path, checkpoint, '--work-dir', str(work), '--dump', str(dump), *options]) == 0
    # the official test labels are hidden: no score
    assert json.loads((work / 'metrics.json').read_text()) == {}
    out = work / 'submission.zip'
    hidden = root / 'test_list_videos.txt'
    done = run_program(['tools/make_submission.py', dump, out, '--list', hidden, '--body', 'own'])
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(out) as archive:
        rows = [line.split(',') for line in archive.read('prediction.csv').decode().splitlines()]
    assert [row[0] for row in rows[1:]] == [entry.name for entry in read_list(hidden)]
    assert f'{len(rows) - 1} clips (0 filled)' in done.stdout

    # the rehearsal set keeps its answers: the score of the file is the score of the test
    answers = {entry.name: entry.label for entry in read_list(root / 'test_answers.txt')}
    expected = f1_mean(
        [answers[row[0]] for row in rows[1:]], [int(row[1]) for row in rows[1:]], body_of_action=BODY_OF_ACTION
    )
    options += ['test_dataloader.dataset.ann_file=test_answers.txt', 'test_dataloader.dataset.labels_hidden=false']
    run_test([path, checkpoint, '--work-dir', str(work), *options])
    found = json.loads((work / 'metrics.json').read_text())
    assert found['f1_mean'] == pytest.approx(expected['f1_mean'])
    assert set(expected) < set(found)
    table = np.array(json.loads((work / 'confusion_body.json').read_text())['rows_are_the_truth'])
    assert table.shape == (7, 7)
    assert np.trace(table) / table.sum() == pytest.approx(expected['accuracy_body'])


@pytest.mark.slow
def test_stage_one_trains(root, tmp_path) -> None:
    options = ['--cfg-options', 'preset=stage1', f'dataset.data_root={root}', 'model.region=head']
    run_train([config(tmp_path), '--work-dir', str(tmp_path / 'work'), *options])
    assert (tmp_path / 'work' / 'epoch_1.pth').is_file()
