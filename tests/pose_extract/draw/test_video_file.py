"""Videos as players find them, decoded by PyAV."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from bmoe_ground.errors import UserError
from pose_extract.draw.video_file import video_file


def write(path: Path, times: np.ndarray, **options: bool) -> str:
    with video_file(path, (64, 48), times, **options) as writer:
        for t in range(len(times)):
            writer.write(np.full((48, 64, 3), (200, 10 * t, 30), np.uint8))
    return writer.codec


def test_h264_in_yuv420p_at_its_own_times_with_the_index_first(tmp_path: Path) -> None:
    av = pytest.importorskip('av', reason='PyAV is not installed')
    times = 5 + np.array([0, 0.04, 0.04, 0.1, 0.5, 0.54])
    assert write(tmp_path / 'o.mp4', times) == 'h264'
    with av.open(str(tmp_path / 'o.mp4')) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ('h264', 'yuv420p')
        length = float(stream.duration * stream.time_base)
    np.testing.assert_allclose([frame.time for frame in frames], times - 5, atol=1e-4)
    assert length == pytest.approx(0.58, abs=2e-3)
    seen = frames[4].to_ndarray(format='bgr24').mean((0, 1))
    np.testing.assert_allclose(seen, [200, 40, 30], atol=6)
    data = (tmp_path / 'o.mp4').read_bytes()
    assert 0 < data.index(b'moov') < data.index(b'mdat')


def test_without_pyav_mpeg4_or_the_name_of_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'av', None)
    assert write(tmp_path / 'o.mp4', np.arange(4) / 25) == 'mpeg4'
    with pytest.raises(UserError, match=r'bmoe-skel\[video\]'):
        write(tmp_path / 'p.mp4', np.arange(4) / 25, h264_only=True)
    assert [file.name for file in tmp_path.iterdir()] == ['o.mp4']


def test_a_writing_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match='half'), video_file(tmp_path / 'o.mp4', (64, 48), np.arange(4) / 25) as out:
        out.write(np.zeros((48, 64, 3), np.uint8))
        raise RuntimeError('half')
    assert list(tmp_path.iterdir()) == []
