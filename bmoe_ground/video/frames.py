"""What every reader of a video does: frames one at a time, the damaged ones kept in their place and named."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from bmoe_ground.errors import UserError

MAX_PIXELS = 1 << 26
"""Larger frames (8192 x 8192) are refused: nobody films them, and a few decoded ones fill a machine's memory."""


class VideoError(UserError):
    """One video cannot be read; the message names the file and the reason."""


@dataclass(frozen=True)
class Frame:
    """One decoded frame.

    Attributes:
        index: Number of the frame in its video, from 0; frames that cannot be decoded count too.
        time: Presentation time in seconds from the video's first frame.
        image: Pixels, (height, width, 3) uint8, BGR, upright.
    """

    index: int
    time: float
    image: np.ndarray


@dataclass(frozen=True)
class Step:
    """One frame of the time axis, whether it decodes or not.

    Attributes:
        index: See :class:`Frame`.
        time: See :class:`Frame`.
        image: See :class:`Frame`; None for a damaged frame.
    """

    index: int
    time: float
    image: np.ndarray | None


class VideoReader(ABC):
    """Iterates once over the frames of one video; memory stays flat however long it is.

    Every frame has the size of the first: a stream that changes its size midway is scaled back to it, so that one
    coordinate system holds for the whole track. A damaged frame is left out of the iteration and kept in ``lost``,
    where it has its number and its time; reading goes on behind it.

    Args:
        path: The video.
        start: First second to read.
        end: Second to stop before; None reads to the end.
        stride: Keep every ``stride``-th frame, counted from the first one kept.
        only: Numbers of the frames to keep, None for all; the others are not converted to pixels.

    Attributes:
        size: (height, width) of the frames, known after the first one.
        problem: What of the video is not there, None when all of it is (known after iteration).
        notes: Harmless oddities that were met, such as a change of size.
        lost: Frames that should have been kept and cannot be decoded; joined before the next frame is yielded.
        library: What decodes it, with its version.
        frames_read: Frames met so far, skipped and damaged ones included.
        expected_frames: Number of frames the container announces; 0 when it does not say.
    """

    def __init__(
        self,
        path: Path,
        start: float = 0.0,
        end: float | None = None,
        stride: int = 1,
        only: Collection[int] | None = None,
    ) -> None:
        if stride < 1:
            raise ValueError(f'stride must be at least 1, got {stride}')
        if start < 0 or (end is not None and end <= start):
            raise ValueError(f'start and end must satisfy 0 <= start < end, got start={start}, end={end}')
        self.path = path
        self.start, self.end, self.stride = start, end, stride
        self._only = None if only is None else frozenset(only)
        self._last_wanted = None if only is None else max(only, default=-1)
        self.size: tuple[int, int] | None = None
        self.problem: str | None = None
        self.notes: list[str] = []
        self.lost: list[Step] = []
        self.library = ''
        self.frames_read = 0
        self.expected_frames = 0

    @abstractmethod
    def _advance(self) -> float | None:
        """Step to the next frame and return its time in seconds, or None at the end."""

    @abstractmethod
    def _image(self) -> np.ndarray | None:
        """Pixels of the current frame, None when they cannot be decoded."""

    @abstractmethod
    def count(self) -> int:
        """Number of frames that there are, as far as that can be told without decoding them; 0 when it cannot."""

    def _finish(self) -> None:
        """Called once when the stream ended by itself; sets ``problem`` and ``notes``."""
        return

    def _name(self, index: int) -> str:
        """How a frame is called in messages."""
        return str(index)

    @property
    def cut_off(self) -> str:
        """How the file shows that its end is missing, '' when nothing shows that; known without reading it."""
        return ''

    def close(self) -> None:
        """Release the file."""
        return

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        for step in self.steps():
            if step.image is not None:
                yield Frame(step.index, step.time, step.image)

    def steps(self) -> Iterator[Step]:
        """The whole time axis, damaged frames included, once and in place of iterating over the reader.

        Raises:
            VideoError: A frame is larger than :data:`MAX_PIXELS`.
        """
        first_kept: int | None = None
        while (time := self._advance()) is not None:
            index = self.frames_read
            self.frames_read += 1
            if time < self.start:
                continue
            if self.end is not None and time >= self.end:
                break
            first_kept = index if first_kept is None else first_kept
            if (index - first_kept) % self.stride:
                continue
            if self._only is not None and index not in self._only:
                if self._last_wanted is not None and index > self._last_wanted:
                    break
                continue
            image = self._image()
            if image is not None and image.size:
                yield Step(index, time, self._same_size(image, index))
            else:
                self.lost.append(Step(index, time, None))
                yield self.lost[-1]
        else:
            self._finish()
        if self.lost:
            text = f'{self._list_lost()} cannot be decoded and {"is" if len(self.lost) == 1 else "are"} empty'
            self.problem = f'{text}; {self.problem}' if self.problem else text

    def _list_lost(self) -> str:
        names = [self._name(step.index) for step in self.lost]
        if len(names) == 1:
            return f'frame {names[0]} of {self.frames_read}'
        some = ', '.join(names[:8]) + (', ...' if len(names) > 8 else '')
        return f'{len(names)} of {self.frames_read} frames ({some})'

    def _same_size(self, image: np.ndarray, index: int) -> np.ndarray:
        height, width = image.shape[:2]
        if self.size is None:
            self.size = (height, width)
        elif self.size != (height, width):
            if not any('scaled to' in note for note in self.notes):
                self.notes.append(f'frame {index} is {width}x{height}; scaled to {self.size[1]}x{self.size[0]}')
            image = cv2.resize(image, (self.size[1], self.size[0]), interpolation=cv2.INTER_AREA)
        return image
