"""Chosen frames of a video in one sequential pass, one at a time, so that its length does not matter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from bmoe_ground.media import VideoError, open_capture
from face_aux.videos import clip_indices


class VideoReader:
    """A video whose frames are read in order.

    Args:
        path: The file.

    Raises:
        VideoError: It cannot be opened, or holds no frame.
    """

    def __init__(self, path: str | Path) -> None:
        self.name = str(path)
        capture = open_capture(path)
        self.fps = capture.get(cv2.CAP_PROP_FPS)
        if not 0 < self.fps < 1000:
            self.fps = 25.0  # a container without a rate; times are then relative
        self.total = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        if self.total <= 0:  # a stream without an index has to be counted
            self.total = 0
            while capture.grab():
                self.total += 1
        capture.release()
        if self.total == 0:
            raise VideoError(f'{path}: holds no frame')

    def sample(self, most: int, clip_length: int = 0, interval: int = 1) -> list[list[int]]:
        """Frame numbers of evenly spaced samples.

        Args:
            most: How many samples; 0 for every frame, or for clips end to end.
            clip_length: Frames in a clip; 0 for single frames.
            interval: Distance between a clip's frames.

        Returns:
            One ascending list of frame numbers a sample, without repeats.
        """
        if not clip_length:
            count = min(most or self.total, self.total)
            return [[int((i + 0.5) * self.total / count)] for i in range(count)]
        span = (clip_length - 1) * interval + 1
        count = min(most or self.total, max(1, self.total // span))
        positions = np.linspace(0, 1, count) if count > 1 else [0.5]
        clips = [clip_indices(self.total, float(p), clip_length, interval) for p in positions]
        return [sorted(set(clip)) for clip in clips]

    def frames(self, wanted: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """Decode the wanted frames in one pass.

        Args:
            wanted: Ascending frame numbers.

        Yields:
            Number and uint8 (H, W, 3) RGB pixels; ends early where the video is shorter than it says.
        """
        capture = open_capture(self.name)
        try:
            position = 0
            for index in wanted:
                while position < index and capture.grab():
                    position += 1
                good, frame = capture.read() if position == index else (False, None)
                if not good or frame is None:
                    return
                position += 1
                yield index, cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        finally:
            capture.release()
