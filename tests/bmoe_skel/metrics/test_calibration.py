from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from bmoe_skel.metrics.calibration import reliability


def test_bins_are_those_of_scikit_learn_and_error_that_of_a_slow_loop() -> None:
    rng = np.random.default_rng(0)
    confidence = np.append(rng.uniform(0.25, 1, 300), 1.0)
    right = rng.random(301) < confidence**2
    found = reliability(confidence, right)
    accuracy, mean = calibration_curve(right, confidence, n_bins=10)
    assert found.accuracy[found.clips > 0] == pytest.approx(accuracy)
    assert found.confidence[found.clips > 0] == pytest.approx(mean)
    error = 0.0
    for i in range(10):
        inside = [n for n in range(301) if i / 10 <= confidence[n] < (i + 1) / 10 or (i == 9 and confidence[n] == 1)]
        if inside:
            error += abs(sum(right[n] for n in inside) - sum(confidence[n] for n in inside)) / 301
    assert found.error == pytest.approx(error)


@pytest.mark.parametrize('confidence', [[], [np.nan], [1.5]])
def test_what_is_no_confidence_is_refused(confidence: list[float]) -> None:
    with pytest.raises(ValueError, match=r'0\.\.1'):
        reliability(np.array(confidence), np.zeros(len(confidence)))
