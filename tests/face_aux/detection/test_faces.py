from __future__ import annotations

from face_aux.detection import Face
from face_aux.detection.faces import surest


def test_the_surest_face_is_meant_and_of_equals_the_largest() -> None:
    texture, person, friend = (Face((0, 0, 400, 400), 0.55), Face((500, 0, 600, 100), 0.93),
                               Face((700, 0, 780, 80), 0.95))  # fmt: skip
    assert surest([texture, person, friend]) is person
    assert surest([Face((0, 0, 10, 10)), Face((0, 0, 30, 30))]).side == 30
