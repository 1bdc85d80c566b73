from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import freqz, savgol_coeffs

from benchmarks.smoothing import (
    FREQUENCIES,
    SETTINGS,
    Footage,
    add_arguments,
    estimate_jitter,
    gap_error,
    measure,
    run,
)
from bmoe_ground.errors import UserError
from pose_extract.smoothing import AfterCare
from pose_extract.tracks import PoseTracks, save_tracks

SMALL = Footage(points=200, seconds=20)


def test_no_smoothing_keeps_everything() -> None:
    found = measure(AfterCare(), 3.0, SMALL)
    assert found['kept'] == pytest.approx(1, abs=0.01)
    assert found['lag'] == pytest.approx(0, abs=1e-3)
    assert (found['removed'], found['error']) == (0, 1)


@pytest.mark.parametrize(('frames', 'order'), [(5, 2), (7, 2), (11, 2), (11, 4)])
@pytest.mark.parametrize('frequency', FREQUENCIES)
def test_what_is_kept_is_the_filters_frequency_response(frames: int, order: int, frequency: float) -> None:
    """For the linear filter the answer is known in closed form (the nod's ends blur it a little)."""
    _, response = freqz(savgol_coeffs(frames, order), worN=[2 * np.pi * frequency / 30])
    found = measure(AfterCare(smooth='savgol', window=frames / 30, order=order), frequency, Footage(jitter=0.01))
    assert found['kept'] == pytest.approx(abs(response[0]), abs=0.06)
    if found['kept'] > 0.2:
        assert found['lag'] == pytest.approx(0, abs=2e-3)


@pytest.mark.parametrize('frames', [5, 9])
def test_what_is_removed_of_white_jitter_is_the_filters_noise_gain(frames: int) -> None:
    gain = np.sqrt(np.square(savgol_coeffs(frames, 2)).sum())
    footage = Footage(correlation=0.0)
    found = measure(AfterCare(smooth='savgol', window=frames / 30), 3.0, footage)
    assert found['removed'] == pytest.approx(1 - gain, abs=0.01)


def test_one_euro_lags() -> None:
    assert measure(SETTINGS['one_euro 1 Hz, beta 0'], 2.0, SMALL)['lag'] > 0.03


def test_longer_gaps_are_further_off() -> None:
    errors = [gap_error(missing, 2.0, SMALL) for missing in (1, 2, 3, 5)]
    assert errors == sorted(errors)
    assert 0 < errors[0] < 0.15


@pytest.mark.parametrize(('sigma', 'correlation'), [(1.0, 0.0), (0.5, 0.5), (2.0, 0.8)])
def test_jitter_is_recovered(sigma: float, correlation: float) -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(2, 3000, 10, 2))
    for t in range(1, 3000):
        noise[:, t] = correlation * noise[:, t - 1] + np.sqrt(1 - correlation**2) * noise[:, t]
    drift = 100 + 30 * np.sin(np.arange(3000) / 200)[:, None, None]
    found = estimate_jitter(drift + sigma * noise)
    # leaving the liveliest windows out makes it look a little smaller
    assert found[0] == pytest.approx(sigma, rel=0.2)
    assert found[1] == pytest.approx(correlation, abs=0.1)


def test_jitter_of_nothing() -> None:
    assert estimate_jitter(np.ones((1, 20, 3, 2))) == (0.0, 0.0)
    with pytest.raises(UserError, match='9 frames'):
        estimate_jitter(np.ones((1, 5, 3, 2)))
    with pytest.raises(UserError, match='in a row'):
        estimate_jitter(np.full((1, 20, 3, 2), np.nan))


def test_the_command_prints_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert run(parser.parse_args(['--seconds', '4', '--points', '5'])) == 0
    printed = capsys.readouterr().out
    assert all(f'| {name} |' in printed for name in SETTINGS)
    points = np.random.default_rng(0).normal(size=(1, 60, 17, 2))
    boxes = np.tile([0.0, 0, 9, 9], (1, 60, 1))
    tracks = PoseTracks(points, np.ones((1, 60, 17)), boxes, np.arange(60) / 30, (9, 9), 'coco17')
    save_tracks(tmp_path / 'a.npz', tracks)
    assert run(parser.parse_args(['--tracks', str(tmp_path / 'a.npz')])) == 0
    assert '| a.npz |' in capsys.readouterr().out
