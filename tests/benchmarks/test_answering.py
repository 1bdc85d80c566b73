"""The benchmark of answers: what counts as found, that the acted recording is as told, and the minute of clips."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
from pose_fixtures import VideoMaker

from benchmarks import answering
from benchmarks.answering import FPS, LABELS, SIZE, describe, match, measure_generated, recording, train, write_minute
from bmoe_app.answer import Event, ModelSettings
from bmoe_ground.errors import UserError
from bmoe_ground.video import open_capture


def event(start: float, end: float, label: str = 'nod') -> Event:
    return Event(start, end, 0, label, 0.9)


def test_matching_by_hand() -> None:
    truth = [event(1, 3), event(5, 7), event(9, 11, 'tilt'), event(20, 22)]
    events = [
        event(0.5, 3.5),
        event(5.2, 6.8),
        event(5.0, 5.2),  # a second one of the same movement
        event(9, 11),  # another label
        event(21.5, 25),  # overlaps by a seventh of the union
    ]
    tally = match(truth, events)
    assert (tally.movements, tally.found, tally.false) == (4, 2, 3)
    np.testing.assert_allclose(tally.onsets, [-0.5, 0.2])
    np.testing.assert_allclose(tally.ends, [0.5, -0.2])
    assert describe(tally) == (
        '2 of 4 movements found, 3 other events; onsets: median -0.15 s, largest 0.50 s; '
        'ends: median +0.15 s, largest 0.50 s'
    )


def test_nothing_found_is_told() -> None:
    assert describe(match([event(1, 2)], [])) == '0 of 1 movements found, 0 other events; onsets: none; ends: none'


def test_files_are_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = 'start,end,person,label\n'
    (tmp_path / 'truth.csv').write_text(f'{header}1,3,0,nod\n5,7,0,shrug\n')
    (tmp_path / 'found.csv').write_text(f'{header}1.5,3,2,nod\n5,7,0,nod\n')
    parser = argparse.ArgumentParser()
    answering.add_arguments(parser)
    judge = ['--judge', str(tmp_path / 'truth.csv'), str(tmp_path / 'found.csv')]
    assert answering.run(parser.parse_args(judge)) == 0
    assert capsys.readouterr().out.startswith('1 of 2 movements found, 1 other events; onsets: median +0.50 s')


def test_the_recording_moves_when_it_says() -> None:
    tracks, truth = recording(np.random.default_rng(0))
    assert [one.label for one in truth[: len(LABELS)]] == list(LABELS)
    away = np.linalg.norm(tracks.keypoints[0] - np.median(tracks.keypoints[0], axis=0), axis=-1).max(-1)  # pixels
    insides = [slice(round(one.start * FPS), round(one.end * FPS)) for one in truth]
    still = np.ones(len(away), bool)
    for inside in insides:
        still[inside] = False
    least = np.percentile(away[still], 99)
    assert least < 3  # jitter of half a pixel
    assert all(np.percentile(away[inside], 90) > least for inside in insides)
    assert tracks.frame_times[-1] > truth[-1].end


def test_a_minute_is_made_of_clips(make_video: VideoMaker, tmp_path: Path) -> None:
    write_minute([make_video('a.mp4', frames=5), make_video('b.mp4', frames=4)], tmp_path / 'minute.mp4', seconds=1)
    capture = open_capture(tmp_path / 'minute.mp4')
    pictures = []
    while (read := capture.read())[0]:
        pictures.append(read[1])
    assert len(pictures) == FPS
    assert pictures[0].shape[:2] == SIZE[::-1]
    assert abs(int(pictures[0][360, 10, 0]) - 90) < 8  # grey beside a picture of 4:3
    with pytest.raises(UserError, match='no picture'):
        write_minute([], tmp_path / 'none.mp4')


@pytest.mark.slow
def test_a_model_that_was_trained_finds_what_was_acted(tmp_path: Path) -> None:
    tally = measure_generated(ModelSettings(train(tmp_path, 0, 10)), 0)
    assert tally.found >= tally.movements / 3
    assert tally.false <= tally.movements / 3
