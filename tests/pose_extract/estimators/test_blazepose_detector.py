"""Counting the persons in view beside the estimation: which frames, of what pixels, and what becomes of a fault."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('mediapipe')
from pose_extract.estimators.blazepose_detector import LOOK_EVERY, SIDE, PersonCounter  # noqa: E402


@pytest.fixture(scope='module')
def counter() -> PersonCounter:
    return PersonCounter()


def brightness(image: np.ndarray) -> int:
    return int(image.max())


def told(counter: PersonCounter, *counts: int, side: int = 8) -> str | None:
    """What is told of a video that shows so many persons in the frames that are looked at, and nine in the others."""
    counter.reset()
    for count in counts:
        for number in range(LOOK_EVERY):
            image = np.full((side, side, 3), count if number == 0 else 9, np.uint8)
            counter.look(image)
            image[:] = 7  # a live view draws on it
    return counter.note()


@pytest.mark.parametrize('side', [8, 2 * SIDE])
def test_what_was_in_view_is_told(counter: PersonCounter, monkeypatch: pytest.MonkeyPatch, side: int) -> None:
    monkeypatch.setattr(counter, 'count', brightness)
    assert told(counter, side=side) is None
    assert told(counter, 1, 0, 1, side=side) is None
    assert told(counter, 1, 2, 1, side=side) is None  # a single look may be a mistake
    for counts, part in (((2,), '1 of 1 frames looked at (up to 2)'), ((1, 3, 2), '2 of 3 frames looked at (up to 3)')):
        note = told(counter, *counts, side=side)
        assert note is not None and part in note


def test_a_fault_of_the_detector_is_raised(counter: PersonCounter, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(image: np.ndarray) -> int:
        raise RuntimeError('no detector')

    monkeypatch.setattr(counter, 'count', broken)
    with pytest.raises(RuntimeError, match='no detector'):
        told(counter, 1)
    monkeypatch.undo()
    counter.reset()
    assert told(counter, 0) is None  # of the next video nothing is known yet
