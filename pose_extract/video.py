"""Frames of a video one at a time, with their true times; a broken file is an error with the file's name."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from bmoe_ground.containers import broken_off
from bmoe_ground.media import VideoError, media_of, open_capture, silence_opencv

TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
NUMBERED = re.compile(r'(\d+)$')

silence_opencv()


@dataclass(frozen=True)
class Frame:
    """One decoded frame.

    Attributes:
        index: Number of the frame in its video, from 0.
        time: Presentation time in seconds from the video's first frame.
        image: Pixels, (height, width, 3) uint8, BGR, upright.
    """

    index: int
    time: float
    image: np.ndarray


class VideoReader(ABC):
    """Iterates once over the frames of one video; memory stays flat however long it is.

    Every frame has the size of the first: a stream that changes its size midway is scaled back to it, so that one
    coordinate system holds for the whole track.

    Args:
        path: The video.
        start: First second to read.
        end: Second to stop before; None reads to the end.
        stride: Keep every ``stride``-th frame, counted from the first one kept.

    Attributes:
        size: (height, width) of the frames, known after the first one.
        problem: Why the video ended early, None when it did not (known after iteration).
        notes: Harmless oddities that were met, such as a change of size.
        frames_read: Frames decoded so far, skipped ones included.
        expected_frames: Number of frames the container announces; 0 when it does not say.
    """

    def __init__(self, path: Path, start: float = 0.0, end: float | None = None, stride: int = 1) -> None:
        if stride < 1:
            raise ValueError(f'stride must be at least 1, got {stride}')
        if start < 0 or (end is not None and end <= start):
            raise ValueError(f'start and end must satisfy 0 <= start < end, got start={start}, end={end}')
        self.path = path
        self.start, self.end, self.stride = start, end, stride
        self.size: tuple[int, int] | None = None
        self.problem: str | None = None
        self.notes: list[str] = []
        self.frames_read = 0
        self.expected_frames = 0

    @abstractmethod
    def _advance(self) -> float | None:
        """Step to the next frame and return its time in seconds, or None at the end."""

    @abstractmethod
    def _image(self) -> np.ndarray | None:
        """Pixels of the current frame, None when they cannot be decoded."""

    def _finish(self) -> None:
        """Called once when the stream ended by itself; sets ``problem`` when that was too early."""
        return

    def close(self) -> None:
        """Release the file."""
        return

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        first_kept: int | None = None
        while (time := self._advance()) is not None:
            index = self.frames_read
            self.frames_read += 1
            if time < self.start:
                continue
            if self.end is not None and time >= self.end:
                return
            first_kept = index if first_kept is None else first_kept
            if (index - first_kept) % self.stride:
                continue
            image = self._image()
            if image is None or image.size == 0:
                self.problem = f'frame {index} cannot be decoded'
                return
            yield Frame(index, time, self._same_size(image, index))
        self._finish()

    def _same_size(self, image: np.ndarray, index: int) -> np.ndarray:
        height, width = image.shape[:2]
        if self.size is None:
            self.size = (height, width)
        elif self.size != (height, width):
            if not self.notes:
                self.notes.append(f'frame {index} is {width}x{height}; scaled to {self.size[1]}x{self.size[0]}')
            image = cv2.resize(image, (self.size[1], self.size[0]), interpolation=cv2.INTER_AREA)
        return image


class FileReader(VideoReader):
    """A video file in any container that OpenCV's FFmpeg reads."""

    def __init__(self, path: Path, start: float = 0.0, end: float | None = None, stride: int = 1) -> None:
        super().__init__(path, start, end, stride)
        self._capture = open_capture(path)
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.expected_frames = int(count) if 0 < count < 1e9 else 0
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self._fps = fps if 0 < fps <= 1000 else 25.0
        # Whether OpenCV turns the frames upright by itself differs between its versions, so it never does here.
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        self._turn = TURNS.get(round(self._capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360)
        self._first_time: float | None = None
        self._last_time = 0.0

    def _advance(self) -> float | None:
        if not self._capture.grab():
            return None
        time = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if self._first_time is None:
            self._first_time = time
            return 0.0
        time -= self._first_time
        if not time > self._last_time:  # a stream without time stamps: count frames
            time = self._last_time + 1 / self._fps
        self._last_time = time
        return time

    def _image(self) -> np.ndarray | None:
        try:
            ok, image = self._capture.retrieve()
        except cv2.error:
            return None
        if not ok or self._turn is None:
            return image if ok else None
        return cv2.rotate(image, self._turn)

    def _finish(self) -> None:
        cut = broken_off(self.path)
        missing = self.expected_frames - self.frames_read
        # Containers other than MP4 only estimate their frame count, so a small shortfall says nothing.
        if cut or missing > max(2, 0.02 * self.expected_frames):
            announced = f' of {self.expected_frames} announced' if self.expected_frames else ''
            self.problem = f'breaks off after frame {self.frames_read}{announced}' + (f' ({cut})' if cut else '')

    def close(self) -> None:
        """See :meth:`VideoReader.close`."""
        self._capture.release()


class ImageFolderReader(VideoReader):
    """A folder of numbered images as a video; the order is that of the last number in each name."""

    def __init__(
        self, path: Path, start: float = 0.0, end: float | None = None, stride: int = 1, fps: float = 30.0
    ) -> None:
        super().__init__(path, start, end, stride)
        if not fps > 0:
            raise ValueError(f'fps must be positive, got {fps}')
        self._files = numbered_images(path)
        if not self._files:
            raise VideoError(f'{path}: no numbered images in this folder')
        self._fps = fps
        self.expected_frames = len(self._files)

    def _advance(self) -> float | None:
        return self.frames_read / self._fps if self.frames_read < len(self._files) else None

    def _image(self) -> np.ndarray | None:
        try:
            data = np.fromfile(self._files[self.frames_read - 1], dtype=np.uint8)
            return cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
        except (OSError, cv2.error):
            return None


def numbered_images(folder: Path) -> list[Path]:
    """The images of ``folder`` whose names end in a number, ordered by that number (then by name)."""
    images = []
    for file in folder.iterdir():
        number = NUMBERED.search(file.stem)
        if number and media_of(file, gif='video') == 'image' and file.is_file():
            images.append((int(number.group(1)), file.name, file))
    return [file for *_, file in sorted(images)]


def open_video(
    path: str | Path, start: float = 0.0, end: float | None = None, stride: int = 1, image_fps: float = 30.0
) -> VideoReader:
    """Open a video file, or a folder of numbered images as a video.

    Args:
        path: File or folder.
        start: First second to read.
        end: Second to stop before; None reads to the end.
        stride: Keep every ``stride``-th frame.
        image_fps: Frames per second of a folder of images, which carries no times of its own.

    Returns:
        A reader to iterate over once, also a context manager that releases the file.

    Raises:
        VideoError: The file is missing, empty or no video.
        ValueError: start, end, stride or image_fps is out of range.
    """
    path = Path(path)
    if path.is_dir():
        return ImageFolderReader(path, start, end, stride, image_fps)
    return FileReader(path, start, end, stride)
