from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from pose_extract.discovery import VideoItem
from pose_extract.progress_bar import ProgressBar
from pose_extract.worker import News


@pytest.mark.parametrize('last', [1.0, 1.5])  # a header may announce fewer frames than there are
def test_shares_that_run_past_the_whole_by_their_rounding(last: float, capsys: pytest.CaptureFixture[str]) -> None:
    item = VideoItem(Path('a.mp4'), 'a.mp4', 1003)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        bar = ProgressBar([item], 0, True)
        for k in range(1, 50):
            bar.update(News(item, k, k / 49 if k < 49 else last))
        bar.update(News(item, 49, 0.3))  # a bar does not go back
        bar.close()
    assert bar._bar.n == pytest.approx(1003)
    assert '100%' in capsys.readouterr().err
