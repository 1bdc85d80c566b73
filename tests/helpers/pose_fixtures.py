"""Small videos and a stand-in pose estimator for the tests of extraction."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pose_extract import estimators
from pose_extract.estimators import PoseEstimator
from pose_extract.poses import BoxSource, FramePoses, Poses
from pose_extract.settings import ExtractSettings
from pose_extract.video import Frame

VideoMaker = Callable[..., Path]


def write_block_video(path: Path, frames: int = 12, size: tuple[int, int] = (64, 48), block: bool = True) -> Path:
    """Write a clip whose frame t is grey of brightness 30 + 8 t (200 at most), with a bright block on it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    code = 'MJPG' if path.suffix == '.avi' else 'mp4v'
    # OpenCV's writer takes some characters for a pattern, so the odd name is given afterwards.
    plain = path.parent / f'plain{path.suffix}'
    writer = cv2.VideoWriter(str(plain), cv2.VideoWriter_fourcc(*code), 25, size)
    assert writer.isOpened()
    for t in range(frames):
        image = np.full((size[1], size[0], 3), min(30 + 8 * t, 200), np.uint8)
        if block:
            image[10:30, 10 + t : 30 + t] = 250
        writer.write(image)
    writer.release()
    plain.rename(path)
    return path


@pytest.fixture
def make_video(tmp_path: Path) -> VideoMaker:
    """:func:`write_block_video` into the test's folder."""

    def make(name: str = 'clip.mp4', **how: Any) -> Path:
        return write_block_video(tmp_path / name, **how)

    return make


class BlockEstimator(PoseEstimator):
    """Sees one person wherever the frame has something bright; its keypoints are the bright block's corners."""

    skeleton = 'coco17'

    @staticmethod
    def identify(settings: ExtractSettings) -> dict[str, Any]:
        return {'model': 'block', 'checkpoint': 'none'}

    def __init__(self, settings: ExtractSettings) -> None:
        self.settings = settings

    def run(self, frames: Iterable[Frame], boxes: BoxSource | None = None) -> Poses:
        for frame in frames:
            bright = np.argwhere(frame.image[..., 0] > 220)[:, ::-1].astype(np.float32)
            if not len(bright):
                yield frame, FramePoses.nobody(17)
                continue
            low, high = bright.min(0), bright.max(0)
            keypoints = np.linspace(low, high, 17, dtype=np.float32)[None]
            yield frame, FramePoses(keypoints, np.full((1, 17), 0.9, np.float32), np.concatenate([low, high])[None])


@pytest.fixture
def block_backend(monkeypatch: pytest.MonkeyPatch) -> type[BlockEstimator]:
    """Puts :class:`BlockEstimator` in the place of the mediapipe backend."""
    module = types.ModuleType('block_backend')
    module.BlockEstimator = BlockEstimator  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, 'block_backend', module)
    monkeypatch.setitem(estimators.BACKENDS, 'mediapipe', 'block_backend:BlockEstimator')
    return BlockEstimator
