"""The benchmark of rules: adapter and judging on made-up streams, and the real recordings where they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import rules
from benchmarks.moving_people import acted, turned
from benchmarks.rules import (
    clip_is_right,
    fired_windows,
    measure_clips,
    measure_streams,
    precision_recall,
    stream_tracks,
    window_is_right,
)
from bmoe_app.rules import RuleEvent
from bmoe_app.signals import compute_signals
from bmoe_app.signals.head import TEMPLATE
from bmoe_ground.errors import UserError
from pose_extract.tracks import save_tracks

POINTS = ('RIGHT_EYE', 'LEFT_EYE', 'NOSE', 'MOUTH', 'RIGHT_EAR', 'LEFT_EAR')
NAMES = [f'{point}_{axis}' for point in POINTS for axis in 'XY']


def stream(yaw: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """A face of 200 pixels in an image of 640 x 480, as 0..1 of it."""
    model = np.array([TEMPLATE[point.lower()] for point in POINTS])
    rows = []
    for angles in zip(yaw, pitch, strict=True):
        flat = (model @ turned(*angles, 0).T)[:, :2] * (10, -10) + (320, 240)
        rows.append((flat / (640, 480)).reshape(-1))
    return np.array(rows) + np.random.default_rng(0).normal(0, 5e-4, (len(yaw), 12))


@pytest.fixture
def streams(tmp_path: Path) -> Path:
    times = np.arange(300) / 30
    beat, none = np.sin(2 * np.pi * times), np.zeros(300)
    arrays = {'nodding': stream(none, 8 * beat), 'turning': stream(20 * beat, none), 'stationary': stream(none, none)}
    np.savez(tmp_path / 'streams.npz', feature_names=np.array(NAMES), **arrays)
    return tmp_path / 'streams.npz'


def test_a_stream_becomes_tracks_with_the_right_angles() -> None:
    yaw, pitch = np.linspace(-20, 20, 30), np.linspace(10, -10, 30)
    signals = compute_signals(stream_tracks(stream(yaw, pitch), NAMES, 30.0))
    assert np.abs(signals.get('head_yaw')[0] - yaw).max() < 2
    assert np.abs(signals.get('head_pitch')[0] - pitch).max() < 2


def test_a_missing_feature_is_named() -> None:
    with pytest.raises(UserError, match='no feature NOSE_X'):
        stream_tracks(np.zeros((3, 11)), [name for name in NAMES if name != 'NOSE_X'], 30.0)


def test_made_up_streams_are_told_apart(streams: Path, capsys: pytest.CaptureFixture[str]) -> None:
    windows = measure_streams(streams, 'second', 30.0)
    assert {label: len(one) for label, one in windows.items()} == {'nodding': 4, 'turning': 4, 'stationary': 4}
    assert all(window_is_right(fired, label) for label, one in windows.items() for fired in one)
    assert precision_recall(windows, 'nod') == (1.0, 1.0)
    parser = rules.argparse.ArgumentParser()
    rules.add_arguments(parser)
    assert rules.run(parser.parse_args(['--streams', str(streams)])) == 0
    assert '| all | 12 | 1.00 |' in capsys.readouterr().out
    with pytest.raises(UserError, match='nothing to measure'):
        rules.run(parser.parse_args([]))


def test_windows_and_verdicts() -> None:
    events = [RuleEvent(1.0, 3.0, 0, 'nod', 0.7, 'head'), RuleEvent(4.9, 5.0, 0, 'head_shake', 0.7, 'head')]
    assert fired_windows(events, 5.0) == [{'nod'}, {'nod'}, {'nod'}, set()]
    assert window_is_right({'nod', 'turn'}, 'nodding')
    assert not window_is_right({'nod', 'head_shake'}, 'nodding')
    assert not window_is_right(set(), 'turning')
    assert window_is_right({'turn'}, 'stationary')
    windows = {'nodding': [{'nod'}, set()], 'turning': [{'nod'}], 'stationary': [set[str]()]}
    assert precision_recall(windows, 'nod') == (0.5, 0.5)
    assert np.isnan(precision_recall(windows, 'head_shake')[0])
    assert clip_is_right('nod', ['nod', 'lean'])
    assert not clip_is_right('nod', ['nod', 'head_shake'])
    assert clip_is_right(None, ['lean'])


def test_clips_are_judged_by_their_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    times = np.arange(200) / 30
    for folder, label in (('nodding', 'nod'), ('shaking_head', 'turn'), ('other', 'lean')):
        save_tracks(tmp_path / folder / 'a.mp4.npz', acted(label, times))
    rows = {name: (wanted, found) for name, wanted, found in measure_clips(tmp_path)}
    assert rows['nodding/a.mp4.npz'] == ('nod', ['nod'])
    assert rows['shaking_head/a.mp4.npz'] == ('head_shake', ['turn'])
    assert rows['other/a.mp4.npz'] == (None, ['lean'])


@pytest.mark.parametrize('part', ['first', 'second'])
@pytest.mark.parametrize('fps', [25.0, 30.0])
def test_nine_of_ten_windows_of_the_real_streams_are_right(shared_data: Path, part: str, fps: float) -> None:
    path = shared_data / 'head_gestures' / 'landmarks.npz'
    if not path.is_file():
        pytest.skip(f'{path} is not there')
    for label, one in measure_streams(path, part, fps).items():
        assert np.mean([window_is_right(fired, label) for fired in one]) >= 0.9


def test_the_real_clips_of_a_nod_and_a_shake(shared_data: Path, tmp_path: Path) -> None:
    pytest.importorskip('mediapipe')
    clips = shared_data / 'micro_action_clips'
    if not clips.is_dir():
        pytest.skip(f'{clips} is not there')
    from bmoe_app.commands.extract import main

    for folder in ('nodding', 'shaking_head'):
        assert main([str(clips / folder), '--out', str(tmp_path / folder), '--backend', 'mediapipe']) == 0
    judged = {wanted: found for _, wanted, found in measure_clips(tmp_path)}
    assert clip_is_right('head_shake', judged['head_shake'])
    # the nod is a small one: on some processors MediaPipe's points lose it, but nothing else is found in its place
    assert 'head_shake' not in judged['nod']
