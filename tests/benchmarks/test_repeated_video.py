from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.repeated_video import Written, write_repeated
from bmoe_ground.errors import UserError
from bmoe_ground.video import open_video

VideoMaker = Callable[..., Path]


def brightness(path: Path) -> list[float]:
    """Of each frame, at a place that the block of the small videos does not reach."""
    with open_video(path) as video:
        return [float(frame.image[36:, :10].mean()) for frame in video]


def test_a_short_video_is_repeated_at_its_rate(make_video: VideoMaker, tmp_path: Path) -> None:
    source = make_video(frames=12)
    assert write_repeated(source, tmp_path / 'out.mp4', seconds=1.2) == Written(30, 1.2, (64, 48))
    first, found = brightness(source), brightness(tmp_path / 'out.mp4')
    assert len(found) == 30
    assert found == pytest.approx([*first, *first, *first[:6]], abs=4)  # a step is 8
    with open_video(tmp_path / 'out.mp4') as video:
        assert [frame.time for frame in video] == pytest.approx([number / 25 for number in range(30)], abs=1e-3)


def test_the_first_frames_alone_and_odd_sizes(make_video: VideoMaker, tmp_path: Path) -> None:
    source = make_video('clip.avi', frames=12, size=(65, 49))
    assert write_repeated(source, tmp_path / 'out.mp4', frames=5).size == (64, 48)
    assert brightness(tmp_path / 'out.mp4') == pytest.approx(brightness(source)[:5], abs=4)


def test_what_is_refused(make_video: VideoMaker, tmp_path: Path) -> None:
    source = make_video(frames=3)
    with pytest.raises(UserError, match='0 frames are wanted'):
        write_repeated(source, tmp_path / 'out.mp4', seconds=0.001)
    with pytest.raises(UserError, match='none.mp4'):
        write_repeated(tmp_path / 'none.mp4', tmp_path / 'out.mp4', frames=1)
    with pytest.raises(ValueError, match='frames or seconds'):
        write_repeated(source, tmp_path / 'out.mp4', frames=1, seconds=1.0)
    assert not (tmp_path / 'out.mp4').exists()
