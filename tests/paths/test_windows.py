"""MPIIGroupInteraction and SocialGesture from tables to scores, through the configs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from skeleton_clips import write_recording

from bmoe_skel.datasets.mpii_classes import BEHAVIOURS
from bmoe_skel.datasets.social_gesture import GESTURES
from mm_runtime.cli import test_main as run_test
from mm_runtime.cli import train_main as run_train

REPO = Path(__file__).resolve().parents[2]
SMALL = """
_base_ = ['{config}']
model = dict(dims=16, expert=dict(dims=(8, 8)), global_stream=dict(dims=(8, 8), depths=(1, 1)))
plain = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(batch_size=8, **plain)
val_dataloader = dict(**plain)
test_dataloader = dict(**plain)
train_cfg = dict(max_epochs=1, val_interval=1)
"""


def run(tmp_path: Path, name: str, options: list[str]) -> dict[str, float]:
    config, work = tmp_path / f'{name}.py', tmp_path / 'work'
    config.write_text(SMALL.format(config=REPO / 'configs' / f'{name}.py'))
    arguments = ['--work-dir', str(work), '--cfg-options', *options]
    run_train([str(config), *arguments])
    assert list(work.glob('best_*'))  # validation found the score that is to be best
    run_test([str(config), str(work / 'epoch_1.pth'), *arguments])
    return json.loads((work / 'metrics.json').read_text())


@pytest.mark.slow
def test_mpii(tmp_path) -> None:
    write_recording(tmp_path / 'poses' / '1' / 'subjectPos1.video.mp4.npz', frames=600)
    rng = np.random.default_rng(0)
    lines = [','.join(['sample_id', 'rec_no', 'subject_pos', 'start_time', 'end_time', *BEHAVIOURS])]
    for i in range(20):
        labels = (rng.random(14) < 0.3).astype(int)
        labels[i % 14] = 1
        lines.append(','.join([str(i), '1', '1', str(i), str(i + 2.56), *map(str, labels)]))
    table = tmp_path / 'samples.csv'
    table.write_text('\n'.join(lines))
    options = [f'{split}_dataloader.dataset.ann_file={table}' for split in ('train', 'val', 'test')]
    found = run(tmp_path, 'bmoe_skel_mpii', [f'dataset.tracks={tmp_path / "poses"}', *options])
    assert 0 < found['mean_ap'] <= 1
    each = [found[f'ap/{name}'] for name in BEHAVIOURS]
    assert found['mean_ap'] == pytest.approx(np.mean(each))


@pytest.fixture
def gestures(tmp_path):
    write_recording(tmp_path / 'poses' / 'a.mp4.npz', frames=300, persons=3, fps=10)
    rows = ['clip,start,end,x1,y1,x2,y2,label']
    for i in range(12):
        box = f'{100 * (i % 3) + 5},5,{100 * (i % 3) + 80},80' if i % 2 else ',,,'
        rows.append(f'a.mp4,{2.4 * i:.1f},{2.4 * i + 2:.1f},{box},{(*GESTURES, "none")[i % 5]}')
    table = tmp_path / 't.csv'
    table.write_text('\n'.join(rows))
    options = [f'{split}_dataloader.dataset.table={table}' for split in ('train', 'val', 'test')]
    return [f'dataset.tracks={tmp_path / "poses"}', *options]


@pytest.mark.slow
@pytest.mark.parametrize('task', ['gesture', 'binary'])
def test_social_gesture(tmp_path, gestures, task) -> None:
    found = run(tmp_path, 'bmoe_skel_socialgesture', [*gestures, f'dataset.task={task}'])
    assert 0 <= found['top1'] <= 1


@pytest.mark.slow
def test_localization(tmp_path, gestures) -> None:
    options = gestures
    found = run(tmp_path, 'bmoe_skel_socialgesture', ['preset=localization', *options])
    assert 0 <= found['map'] <= 1
    assert found['map'] == pytest.approx(np.mean([found[f'map@{t}'] for t in (0.3, 0.4, 0.5, 0.6, 0.7)]))
