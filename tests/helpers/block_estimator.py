"""A pose backend that needs no model, for extractions in processes of their own: ``--backend block_estimator:Slow``."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from pose_fixtures import BlockEstimator

from pose_extract.poses import BoxSource, Poses
from pose_extract.settings import ExtractSettings
from pose_extract.video import Frame


class Slow(BlockEstimator):
    """Takes ``BLOCK_SECONDS`` a frame (0.01), so that a kill meets it at work."""

    def __init__(self, settings: ExtractSettings) -> None:
        super().__init__(settings)
        self.seconds = float(os.environ.get('BLOCK_SECONDS', '0.01'))

    def run(self, frames: Iterable[Frame], boxes: BoxSource | None = None) -> Poses:
        for result in super().run(frames, boxes):
            time.sleep(self.seconds)
            yield result


class Deadly(BlockEstimator):
    """Takes the process down at a frame that is black."""

    def run(self, frames: Iterable[Frame], boxes: BoxSource | None = None) -> Poses:
        for frame, poses in super().run(frames, boxes):
            if frame.image.max() < 20:
                os.kill(os.getpid(), signal.SIGKILL)
            yield frame, poses


class Endless(BlockEstimator):
    """Computes at its first frame for ten minutes, in Python; makes the file ``BLOCK_MARK`` when it begins."""

    def run(self, frames: Iterable[Frame], boxes: BoxSource | None = None) -> Poses:
        for result in super().run(frames, boxes):
            Path(os.environ['BLOCK_MARK']).touch()
            until = time.monotonic() + 600
            while time.monotonic() < until:
                pass
            yield result
