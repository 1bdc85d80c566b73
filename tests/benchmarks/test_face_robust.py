from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.face_robust import AXES, draw, framed, reduced, table


def item() -> dict:
    """Grey noise: of coloured noise JPEG halves the colours at any quality."""
    noise = np.random.default_rng(0).integers(0, 256, (24, 30, 1), dtype=np.uint8)
    return {'frames': [noise.repeat(3, axis=2)], 'path': 'a.png'}


@pytest.mark.parametrize('name', AXES)
def test_every_axis_begins_with_the_image_as_it_is_and_goes_away_from_it(name: str) -> None:
    before = item()['frames'][0].astype(int)
    changes = {}
    for level in AXES[name].levels:
        after = AXES[name].make(level)(item())['frames'][0]
        assert after.shape == before.shape
        assert after.dtype == np.uint8
        changes[level] = np.abs(after - before).mean()
    neutral = {'jpeg': 100, 'blur': 0.0}.get(name, 1.0)
    assert changes[neutral] == min(changes.values()) < 12
    strong = [changes[level] for level in AXES[name].levels if level != neutral]
    assert min(strong) > changes[neutral]
    if name != 'framing':
        assert strong == sorted(strong)


def test_framing_and_reduction_by_hand() -> None:
    ramp = np.repeat(np.arange(0, 240, 8, dtype=np.uint8)[None, :, None], 24, 0).repeat(3, 2)
    enlarged = framed(2.0)({'frames': [ramp]})['frames'][0].astype(float)
    assert np.diff(enlarged[12, 4:-4, 0]).mean() == pytest.approx(4, abs=0.2)  # half as steep
    flat = reduced(0.25)({'frames': [np.full((8, 8, 3), 9, np.uint8)]})['frames'][0]
    np.testing.assert_array_equal(flat, 9)


def test_tables_and_curves(tmp_path: Path) -> None:
    curve = [{'level': level, 'checkpoint': {'fake/auc': 0.9}, 'floor': {'fake/auc': 0.95}} for level in (100, 10)]
    text = table('JPEG quality', curve, ['fake/auc'])
    assert text.splitlines()[0] == '| JPEG quality | fake/auc: checkpoint | fake/auc: floor |'
    assert text.splitlines()[2] == '| 100 | 90.0 | 95.0 |'
    alone = [{key: value for key, value in point.items() if key != 'floor'} for point in curve]
    assert table('JPEG quality', alone, ['fake/auc']).splitlines()[-1] == '| 10 | 90.0 |'
    draw({'jpeg': alone}, ['fake/auc'], tmp_path / 'curves.png')
    draw({'jpeg': curve}, ['fake/auc'], tmp_path / 'curves.png')
    assert Image.open(tmp_path / 'curves.png').size == (384, 336)
