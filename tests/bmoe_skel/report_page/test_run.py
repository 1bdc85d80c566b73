from __future__ import annotations

import numpy as np
import pytest

from bmoe_skel.report_page.run import resample, surest_mistakes


def test_resampled_routing_keeps_level_and_slope() -> None:
    routing = np.stack([np.full(6, 0.25), (np.arange(6) + 0.5) / 6])
    found = resample(routing, 12)
    assert found[0] == pytest.approx(0.25)
    assert found[1, 1:-1] == pytest.approx((np.arange(1, 11) + 0.5) / 12)


def test_surest_mistakes_come_first() -> None:
    labels, predicted = np.array([0, 1, 1, 0]), np.array([0, 0, 0, 1])
    assert surest_mistakes(labels, predicted, np.array([0.99, 0.3, 0.9, 0.3]), 2) == [2, 1]
