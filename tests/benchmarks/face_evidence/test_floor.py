from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.face_evidence import floor
from benchmarks.face_evidence.experiments import EXPERIMENTS, without_labels
from benchmarks.face_evidence.floor import floor_file, run_floor


def test_the_floor_is_fitted_once_on_the_training_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floor, 'without_labels', lambda data, pipeline, subset: without_labels(data, pipeline, 60))
    rng = np.random.default_rng(0)
    (tmp_path / 'faces').mkdir()
    for i in range(60):
        pixels = rng.integers(0, 256, (48, 48, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / 'faces' / f'{20 + i}_{i % 2}_{i % 3}_{2017000 + i}.png')
    path = floor_file(tmp_path, 'utkface')
    run_floor(EXPERIMENTS['utkface'], tmp_path / 'faces', path, tmp_path / 'faces')
    with np.load(path, allow_pickle=False) as arrays:
        assert len(arrays['label/gender']) == len(arrays['score/race']) == len(arrays['group/age']) == 12
        assert arrays['score/race'].shape[1] == 5
        assert len(arrays['chips/score/gender']) == 60
        np.testing.assert_allclose(arrays['score/race'].sum(axis=1), 1)
    stamp = path.stat().st_mtime_ns
    run_floor(EXPERIMENTS['utkface'], tmp_path / 'gone', path, None)
    assert path.stat().st_mtime_ns == stamp
