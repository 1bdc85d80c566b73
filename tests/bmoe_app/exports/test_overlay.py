"""The answer drawn into its video."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from answers import made_up_answer

from bmoe_app.answer import Windows
from bmoe_app.exports.overlay import OverlaySettings, drawable, routing_bar, write_overlay
from bmoe_ground.errors import UserError
from pose_extract.skeletons import REGION_COLORS

ROUTING = np.array([[1, 0, 0, 0], [0, 0, 0, 1], [np.nan] * 4, [0.5, 0.5, 0, 0]])
WINDOWS = Windows(0, np.array([0.2, 0.7, 1.2, 1.7]), np.ones((4, 1)), ROUTING)


def test_every_frame_is_there_at_its_time(tmp_path: Path) -> None:
    av = pytest.importorskip('av', reason='PyAV is not installed')
    answer = made_up_answer()
    answer.windows = [WINDOWS]
    write_overlay(tmp_path / 'o.mp4', answer)
    with av.open(str(tmp_path / 'o.mp4')) as container:
        frames = list(container.decode(video=0))
    np.testing.assert_allclose([frame.time for frame in frames], answer.tracks.frame_times, atol=1e-4)
    assert frames[0].width == 100
    labelled, silent = frames[15].to_ndarray(format='rgb24'), frames[48].to_ndarray(format='rgb24')
    line = slice(100 + 13 + 3, 100 + 2 * 13)
    assert labelled[line].max() > 150
    assert silent[line].max() < 80


def test_nobody_is_drawn_too(tmp_path: Path) -> None:
    pytest.importorskip('av', reason='PyAV is not installed')
    write_overlay(tmp_path / 'o.mp4', made_up_answer([], people=0))
    assert (tmp_path / 'o.mp4').stat().st_size > 1000


def test_the_bar_has_the_regions_as_high_as_their_weights() -> None:
    bar = routing_bar(WINDOWS, 0, 2, 8)
    assert bar[30, 0].tolist() == list(REGION_COLORS['head'][::-1])
    assert bar[30, 2].tolist() == list(REGION_COLORS['lower'][::-1])
    assert (bar[:, 7] == REGION_COLORS['head'][::-1]).all(-1).sum() == 32
    assert bar[30, 4].max() < 40


def test_text_is_drawable_whatever_it_holds() -> None:
    assert drawable('Nicken über\n結\ud800') == 'Nicken über \\u7d50\\ud800'
    assert len(drawable('x' * 1000)) == 60


def test_settings_are_checked() -> None:
    with pytest.raises(UserError, match='max_size'):
        OverlaySettings(max_size=3)
