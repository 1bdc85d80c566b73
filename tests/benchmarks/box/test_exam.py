"""The exam's counting, with a model that says what it is told."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.box.exam import answer, print_clips, print_idle, probabilities
from benchmarks.moving_people import acted
from bmoe_ground.errors import UserError
from bmoe_skel.taxonomy import CLASSES, NOTHING
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


def test_events_of_idle_people_are_counted_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_tracks(tmp_path / 'a.npz', acted('nod', TIMES))
    print_idle(Fixed('sway'), tmp_path / 'a.npz', 0.5)
    assert "model 1 events {'sway': 1}" in capsys.readouterr().out
    print_idle(Fixed(NOTHING), tmp_path / 'a.npz', 0.5)
    assert 'model 0 events' in capsys.readouterr().out


def test_what_is_not_sure_is_nothing() -> None:
    assert answer(Fixed('nod', 0.4).scores, 0.5) == NOTHING
    assert answer(Fixed('nod', 0.6).scores, 0.5) == 'nod'
