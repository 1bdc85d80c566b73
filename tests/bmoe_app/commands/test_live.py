"""bmoe live from the command line: a line an event, and how it ends."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pose_fixtures import VideoMaker

from benchmarks.moving_people import acted
from bmoe_app.answer.events import Event
from bmoe_app.commands import live
from bmoe_app.commands.live import line_of, main
from bmoe_app.live.grabber import Taken
from bmoe_app.live.sources import Source, SourceError
from bmoe_ground.errors import UserError
from pose_extract.estimators import PoseEstimator
from pose_extract.poses import FramePoses
from pose_extract.settings import ExtractSettings
from pose_extract.video import Frame

Capture = pytest.CaptureFixture[str]


class Nodding(PoseEstimator):
    """Sees the person of a made-up nod, whatever the picture."""

    def __init__(self, settings: ExtractSettings) -> None:
        self._tracks = acted('nod', np.arange(90) / 15)
        self.skeleton = self._tracks.skeleton

    @staticmethod
    def identify(settings: ExtractSettings) -> dict[str, object]:
        return {}

    def run(self, frames: Iterator[Frame], boxes: object = None) -> Iterator[tuple[Frame, FramePoses]]:  # type: ignore[override]
        tracks = self._tracks
        for frame in frames:
            t = min(frame.index, tracks.num_frames - 1)
            points = tracks.keypoints[:, t]
            boxes = np.concatenate([points.min(1), points.max(1)], -1)
            yield frame, FramePoses(points, tracks.scores[:, t], boxes)


@pytest.fixture
def nodding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, 'backend_class', lambda name: Nodding)


@pytest.mark.usefixtures('nodding')
def test_events_are_printed_as_they_close_and_written_as_lines(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture
) -> None:
    image = np.zeros((*acted('nod', np.arange(1)).image_size, 3), np.uint8)

    class Every(live.Grabber):
        def frames(self, wait: float = 0.5) -> Iterator:
            for frame in self.source.frames():
                self.read += 1
                yield Taken(frame, time.monotonic())

    frames = [Frame(t, t / 15, image) for t in range(90)]
    monkeypatch.setattr(live, 'source_of', lambda text: Source('a', lambda: iter(frames), ends=True))
    monkeypatch.setattr(live, 'Grabber', Every)
    monkeypatch.setattr(Every, 'start', lambda self: self)
    monkeypatch.setattr(Every, 'stop', lambda self: None)
    assert main(['--source', '0', '--no-model', '--json', str(tmp_path / 'events.jsonl')]) == 0
    *lines, summary = capsys.readouterr().out.splitlines()
    written = [json.loads(line) for line in (tmp_path / 'events.jsonl').read_text().splitlines()]
    assert [one['label'] for one in written] and len(written) == len(lines)
    assert any('nod' in line and line.endswith('by head  (rule)') for line in lines)
    assert summary == f'90 frames looked at, 0 dropped, {len(lines)} events'


@pytest.mark.usefixtures('block_backend')
def test_a_file_ends_by_itself(make_video: VideoMaker, capsys: Capture) -> None:
    assert main(['--source', str(make_video(frames=4)), '--quiet', '--no-model']) == 0
    assert ' frames looked at, ' in capsys.readouterr().out


@pytest.mark.usefixtures('nodding')
def test_a_camera_that_goes_away_is_exit_code_1(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def once() -> Iterator[Frame]:
        yield Frame(0, 0.0, np.zeros((1080, 1920, 3), np.uint8))
        raise SourceError('camera 0: the picture has stopped')

    monkeypatch.setattr(live, 'source_of', lambda text: Source('camera 0', once))
    assert main(['--source', '0', '--no-model', '--patience', '0']) == 1
    shown = capsys.readouterr()
    assert shown.err.splitlines()[-1] == 'error: camera 0: the picture has stopped: given up after 0 s'


@pytest.mark.usefixtures('block_backend')
def test_where_nothing_comes_or_can_be_written_it_says_why(tmp_path: Path, make_video: VideoMaker) -> None:
    (tmp_path / 'a.mp4').write_text('nothing')
    with pytest.raises(UserError, match=r'a\.mp4'):
        main(['--source', str(tmp_path / 'a.mp4')])
    with pytest.raises(UserError, match='no such file'):
        main(['--source', 'gone.mp4'])
    with pytest.raises(UserError, match='cannot be written'):
        main(['--source', str(make_video()), '--json', str(tmp_path / 'none' / 'a.jsonl')])


def test_a_label_cannot_break_the_line() -> None:
    assert line_of(Event(1.0, 2.5, 0, 'a\nb', 0.5, 'head', source='rule')) == (
        '1.00-2.50 s  person 0  a\\nb  0.50  by head  (rule)'
    )
