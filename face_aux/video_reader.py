"""Chosen frames of a video in one sequential pass, one at a time, so that its length does not matter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from bmoe_ground.video import VideoError, open_video
from face_aux.videos import clip_indices


class VideoReader:
    """A video whose frames are read in order.

    Args:
        path: The file.

    Attributes:
        total: Number of frames that the file holds, as far as its container tells.
        announced: Number of frames that its header announces, 0 when it does not say.
        problem: What could not be read, None when nothing is known to be missing; the last pass decides.

    Raises:
        VideoError: It cannot be opened, or holds no frame.
    """

    def __init__(self, path: str | Path) -> None:
        self.name = str(path)
        self.problem: str | None = None
        with open_video(path) as video:
            self.total, self.announced = video.count(), video.expected_frames
            if self.total <= 0:  # a stream without an index has to be counted
                self.total = sum(1 for _ in video.steps())
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

    def frames(self, wanted: Sequence[int]) -> Iterator[tuple[int, float, np.ndarray]]:
        """Decode the wanted frames in one pass.

        Args:
            wanted: Ascending frame numbers.

        Yields:
            Number, time in seconds by the container's clock from the first frame, and uint8 (H, W, 3) RGB pixels.
            Frames that cannot be decoded are left out, and it ends early where the video is shorter than it says;
            ``problem`` is known afterwards.
        """
        decoded = 0
        with open_video(self.name, only=wanted) as video:
            for frame in video:
                decoded += 1
                yield frame.index, frame.time, cv2.cvtColor(frame.image, cv2.COLOR_BGR2RGB)
            self.problem = self._missing(decoded, len(wanted), video.problem, video.cut_off)

    def _missing(self, decoded: int, wanted: int, problem: str | None, cut: str) -> str | None:
        reason = problem or cut
        if not reason:
            return None
        if wanted < self.total:  # a sample
            return f'{self.total} of {max(self.announced, self.total)} frames are there: {reason}'
        return f'{decoded} of {max(self.announced, self.total)} frames could be decoded: {reason}'
