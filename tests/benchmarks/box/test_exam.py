"""The exam's counting, with a model that says what it is told."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from skeleton_clips import write_checkpoint

from benchmarks.box.exam import all_events, print_clips, print_idle, probabilities, right_windows
from benchmarks.moving_people import acted
from bmoe_app.answer import Event
from bmoe_app.answer.bundled import default_model
from bmoe_app.answer.model import Recognizer
from bmoe_ground.errors import UserError
from bmoe_skel.taxonomy import CLASSES
from pose_extract.tracks import save_tracks

TIMES = np.arange(150) / 30


class Fixed:
    """Says one class with a probability, and the others alike; keeps what it was shown."""

    source, skeleton = 'model', 'common29'
    classes = list(CLASSES)

    def __init__(self, label: str, probability: float = 0.9) -> None:
        self.scores = np.full(len(CLASSES), (1 - probability) / (len(CLASSES) - 1))
        self.scores[CLASSES.index(label)] = probability
        self.shown: list[tuple[int, ...]] = []

    def predict_clip(self, points: np.ndarray, scores: np.ndarray, **facts: Any) -> tuple[np.ndarray, None]:
        assert np.isnan(points[scores == 0]).all()
        self.shown.append(points.shape)
        return self.scores, None


def test_windows_are_two_seconds_of_the_common_points() -> None:
    model = Fixed('nod')
    found = list(probabilities(model, acted('nod', TIMES, 'coco17')))
    assert [start for _, start, _ in found] == pytest.approx([0, 1, 2])
    assert set(model.shown) == {(1, 60, 29, 2)}


def test_a_model_of_other_classes_is_refused() -> None:
    other = SimpleNamespace(classes=['a', 'b'], skeleton='coco17', source='checkpoint x')
    with pytest.raises(UserError, match='checkpoint x: expected the classes of the taxonomy on common29, found coco17'):
        list(probabilities(other, acted('nod', TIMES)))


def test_right_and_wrong_clips_are_ranked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_tracks(tmp_path / 'nodding' / 'a.npz', acted('nod', TIMES))
    print_clips(Fixed('nod'), tmp_path)
    assert '| nodding | 1 | 1 of 27 | nod 0.90' in capsys.readouterr().out
    print_clips(Fixed('shrug'), tmp_path)
    assert '| nodding | 1 |' not in capsys.readouterr().out


def test_events_where_nothing_should_be_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_tracks(tmp_path / 'a.npz', acted('nod', TIMES))
    checkpoint = write_checkpoint(tmp_path / 'best.pth', skeleton='coco17')
    unsure, sure_of_all = (Recognizer(default_model(checkpoint=checkpoint, threshold=least)) for least in (1.0, 0.0))
    print_idle(unsure, tmp_path / 'a.npz')
    printed = capsys.readouterr().out
    assert 'a.npz: 0.08 minutes of people; model 0 {}; rules ' in printed and "'nod': " in printed
    sure = all_events(sure_of_all, acted('nod', TIMES))
    assert {one.source for one in sure['model']} == {'model'} and {one.source for one in sure['rules']} == {'rule'}
    assert {one.source for one in sure['together']} >= {'model'}


def test_windows_are_right_by_hand() -> None:
    events = [Event(0.0, 1.0, 0, 'nod', 1.0), Event(3.4, 3.7, 0, 'turn', 1.0)]
    assert right_windows(events, 5.0, {'nod'}).tolist() == [True, False, False, False]
    assert right_windows(events, 5.0, set()).tolist() == [False, True, True, True]
