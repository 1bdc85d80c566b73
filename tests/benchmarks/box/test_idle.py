from __future__ import annotations

import numpy as np
import pytest

from benchmarks.box.idle import RATE, coloured, rest_moves


def test_power_falls_with_frequency_as_said() -> None:
    noise = coloured((800, 512), np.random.default_rng(0))
    window = np.hanning(512)
    power = (np.abs(np.fft.rfft((noise - noise.mean(1, keepdims=True)) * window)) ** 2).mean(0)
    hertz = np.fft.rfftfreq(512, 1 / RATE)
    for low, high, slope in ((0.2, 0.8, -1), (1.5, 8, -3)):
        inside = (hertz > low) & (hertz < high)
        found = np.polyfit(np.log(hertz[inside]), np.log(power[inside]), 1)[0]
        assert found == pytest.approx(slope, abs=0.2)


def test_without_strength_nobody_moves() -> None:
    moves = rest_moves(3, 20, np.random.default_rng(0), 0.0)
    assert all((values == 0).all() for values in moves.values())
