from __future__ import annotations

import ast
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmengine.evaluator import Evaluator

from bmoe_ground.errors import UserError
from mm_runtime.metric import SampleMetric, name_source

REPO = Path(__file__).resolve().parents[2]


class Mean(SampleMetric):
    """Mean of a number and of a vector, times what the data set says."""

    def keep(self, sample: dict[str, Any]) -> tuple[float, np.ndarray]:
        return sample['x'], np.array(sample['v'])

    def options(self) -> dict[str, Any]:
        if self.meta('factor') == 'none':
            raise ValueError('no factor')
        return {'factor': self.meta('factor') or 1}

    @staticmethod
    def calculate(x: np.ndarray, v: np.ndarray, factor: int = 1) -> dict[str, float]:
        assert (x.shape, v.shape) == ((3,), (3, 2))
        return {'x': factor * float(x.mean()), 'v': factor * float(v.mean())}


SAMPLES = [{'x': i, 'v': [i, 10 * i]} for i in range(3)]


@pytest.mark.parametrize(('prefix', 'keys'), [(None, {'x', 'v'}), ('', {'x', 'v'}), ('mine', {'mine/x', 'mine/v'})])
def test_columns_options_and_prefix(prefix: str | None, keys: set[str]) -> None:
    evaluator = Evaluator([Mean(prefix=prefix)])
    evaluator.dataset_meta = {'factor': 2}
    evaluator.process(SAMPLES[:2])
    evaluator.process(SAMPLES[2:])
    found = evaluator.evaluate(3)
    assert set(found) == keys
    assert sorted(found.values()) == [2.0, 11.0]


def test_samples_that_pad_the_last_batch_do_not_count() -> None:
    metric = Mean()
    metric.process(None, [*SAMPLES, SAMPLES[0]])
    assert metric.evaluate(3) == {'x': 1.0, 'v': 5.5}


def test_plain_keys_are_no_reason_for_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Mean()
    assert not caplog.records


def test_what_is_missing_is_an_error_before_the_run() -> None:
    with pytest.raises(ValueError, match='no factor'):
        Mean().dataset_meta = {'factor': 'none'}
    with pytest.raises(ValueError, match='Mean: there are no samples'):
        Mean().compute_metrics([])


def test_scores_that_are_no_numbers_name_sample_and_checkpoint() -> None:
    evaluator = Evaluator([Mean()])
    name_source(evaluator, 'checkpoint best.pth')
    bad = {'x': 1, 'v': [1, 1], 'path': 'b.jpg', 'scores': {'age': np.array([0.5, np.nan])}}
    with pytest.raises(UserError, match=r"^checkpoint best\.pth: scores 'age' of 'b\.jpg' are NaN or infinite"):
        evaluator.process([*SAMPLES, bad])


@pytest.mark.parametrize('package', ['bmoe_skel', 'face_aux'])
def test_metrics_know_no_data_set(package: str) -> None:
    files = [*(REPO / package / 'metrics').glob('*.py'), REPO / 'face_aux' / 'labels.py']
    assert len(files) > 5
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ''] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in names if '.datasets' in name], path
