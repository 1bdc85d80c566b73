"""The floor under a skeleton model: its statistics by a slow loop, and what it can and cannot tell apart."""

from __future__ import annotations

import argparse
import pickle
from pathlib import Path

import numpy as np
import pytest

from benchmarks.skeleton_floor import PARTS, add_arguments, run, statistics_of
from pose_extract.skeletons import get_skeleton

STANDING = np.random.default_rng(7).normal(size=(17, 2)) * [40, 100] + [320, 240]


def write_clips(path: Path, moving: dict[str, str], count: int = 40) -> Path:
    """Clips of two classes, in each of which one keypoint swings; the coordinates are pixels."""
    rng = np.random.default_rng(0)
    names, annotations = list(get_skeleton('coco17').keypoints), []
    for i in range(count):
        joint = names.index(list(moving.values())[i % 2])
        points = STANDING + rng.normal(0, 1.0, (24, 17, 2))
        points[:, joint, 0] += 25 * np.sin(np.arange(24) * 0.8 + rng.uniform(0, 6))
        points += rng.uniform(-100, 100, 2)
        annotations.append({
            'frame_dir': f'clip_{i}', 'label': i % 2, 'total_frames': 24, 'keypoint': points[None].astype(np.float32),
        })  # fmt: skip
    content = {'annotations': annotations, 'metainfo': {'classes': list(moving), 'layout': 'coco17'}, 'split': {}}
    path.write_bytes(pickle.dumps(content))
    return path


def test_statistics_are_those_of_a_slow_loop() -> None:
    rng = np.random.default_rng(0)
    keypoint, visible = rng.normal(size=(11, 5, 2)), rng.random((11, 5)) < 0.7
    visible[:, 4] = False
    keypoint[~visible] = 0
    columns = []
    for v in range(5):
        series = [(keypoint[:, v, c], visible[:, v]) for c in range(2)]
        for w in range(5):
            series.append((np.linalg.norm(keypoint[:, v] - keypoint[:, w], axis=1), visible[:, v] & visible[:, w]))
        for value, shown in series:
            quarters = [
                [x for t, x in enumerate(value) if shown[t] and t * PARTS // 11 == part] for part in range(PARTS)
            ]
            spread = value[shown].std() if shown.any() else 0
            columns.append([*(np.mean(quarter) if quarter else 0 for quarter in quarters), spread])
    means = np.array(columns).reshape(5, 7, 5).transpose(2, 0, 1)
    moves = np.zeros((3, 5, 2))
    for v in range(4):
        shown = visible[:, v]
        moves[:2, v] = keypoint[shown, v].min(0), keypoint[shown, v].max(0)
        steps = [abs(keypoint[t + 1, v] - keypoint[t, v]) for t in range(10) if shown[t] and shown[t + 1]]
        moves[2, v] = np.mean(steps, axis=0)
    found = statistics_of(keypoint.astype(np.float32), visible)
    np.testing.assert_allclose(found, np.concatenate([means.ravel(), moves.ravel()]), atol=2e-4)


@pytest.mark.parametrize(
    ('moving', 'least', 'most'),
    [({'wave': 'left_wrist', 'kick': 'right_ankle'}, 95, 100), ({'one': 'nose', 'other': 'nose'}, 0, 80)],
)
def test_tells_what_can_be_told_and_no_more(tmp_path, capsys, moving, least, most) -> None:
    file = write_clips(tmp_path / 'clips.pkl', moving)
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert run(parser.parse_args([str(file), '--folds', '0', '1'])) == 0
    lines = capsys.readouterr().out.splitlines()
    figures = {line.split(' | ')[0].strip('| '): float(line.split(' | ')[1].split(' ± ')[0]) for line in lines[-2:]}
    assert set(figures) == {'linear', 'forest'}
    assert all(least <= figure <= most for figure in figures.values())
