"""The pose network without its outline, against MediaPipe's own solution, which computes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bmoe_ground.errors import UserError

pytest.importorskip('mediapipe')
from mediapipe.python.solutions.pose import Pose  # noqa: E402
from mediapipe.tasks.metadata import schema_py_generated as tflite  # noqa: E402

from pose_extract.estimators import blazepose_network  # noqa: E402
from pose_extract.estimators.blazepose_network import NETWORK, pose_graph, without_outline  # noqa: E402


@pytest.fixture(scope='module')
def clip() -> list[np.ndarray]:
    """RGB: a portrait that sways, nobody, and the portrait again."""
    portrait = cv2.resize(pytest.importorskip('skimage.data').astronaut(), (320, 256))
    frames = [np.roll(portrait, 3 * t, axis=1) for t in range(6)]
    return [*frames[:4], np.zeros_like(portrait), *frames[4:]]


def marks(found: Any) -> list[tuple[float, ...]] | None:
    landmarks = found.pose_landmarks
    return None if landmarks is None else [(one.x, one.y, one.z, one.visibility) for one in landmarks.landmark]


@pytest.mark.parametrize('still', [False, True])
def test_the_keypoints_are_those_of_mediapipe_bit_for_bit(clip: list[np.ndarray], still: bool) -> None:
    theirs = Pose(static_image_mode=still, model_complexity=1, smooth_landmarks=False)
    ours = pose_graph(still)
    for _ in range(2):  # and again after a reset
        expected = [marks(theirs.process(image)) for image in clip]
        assert [marks(ours.process({'image': image})) for image in clip] == expected
        assert [found is None for found in expected] == [False] * 4 + [True] + [False] * 2
        theirs.reset()
        ours.reset()


def test_only_what_serves_the_outline_is_left_out() -> None:
    whole, changed = (
        tflite.Model.GetRootAsModel(data, 0).Subgraphs(0)
        for data in (NETWORK.read_bytes(), without_outline(NETWORK.read_bytes()))
    )
    made = [
        {output for place in range(graph.OperatorsLength()) for output in graph.Operators(place).OutputsAsNumpy()}
        for graph in (whole, changed)
    ]
    outline = whole.Outputs(2)
    assert made[1] < made[0] and outline in made[0] - made[1]
    assert [changed.Outputs(place) for place in (0, 1, 3, 4)] == [whole.Outputs(place) for place in (0, 1, 3, 4)]
    assert {changed.Outputs(place) for place in range(5)} <= made[1]
    # the order stays one in which everything is made before it is read
    ready = {changed.Inputs(0)}
    for place in range(changed.OperatorsLength()):
        operator = changed.Operators(place)
        assert {one for one in operator.InputsAsNumpy() if one in made[0]} <= ready
        ready |= set(operator.OutputsAsNumpy())


def test_another_release_is_refused_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r'mediapipe .* has other pose weights .*: pip install mediapipe=='):
        without_outline(without_outline(NETWORK.read_bytes()))
    monkeypatch.setattr(blazepose_network, 'NETWORK', tmp_path / 'none.tflite')
    with pytest.raises(UserError, match=r'mediapipe .* lacks the pose weights .*: pip install mediapipe=='):
        pose_graph()
