"""Single frames of a video file or of a folder of frames, addressed by their relative position."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from bmoe_ground.media import VideoError, media_of, open_capture
from face_aux.images import read_image


def frame_count(path: str | Path) -> int:
    """Number of frames that a video's container, or a folder of frames, states.

    Raises:
        VideoError: There is no such video, or it has no frame.
    """
    path = Path(path)
    if path.is_dir():
        count = len(list_frames(path))
    else:
        capture = open_capture(path)
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        capture.release()
    if count <= 0:
        raise VideoError(f'{path}: has no frame')
    return count


def clip_indices(total: int, position: float, length: int, interval: int = 1) -> list[int]:
    """Frame numbers of a clip that begins at a relative position.

    Args:
        total: Frames in the video.
        position: Start, 0 (first possible) to 1 (last possible start).
        length: Frames in the clip.
        interval: Distance between its frames.

    Returns:
        ``length`` ascending frame numbers; the last frame repeats where the video is too short.
    """
    last_start = max(0, total - ((length - 1) * interval + 1))
    start = round(position * last_start)
    return [min(start + i * interval, total - 1) for i in range(length)]


def read_frames(path: str | Path, indices: Sequence[int]) -> list[np.ndarray]:
    """Read frames by number.

    A container often promises a few frames more than it holds; for those the last frame that decodes is given.

    Args:
        path: Video file, or folder of frames.
        indices: Ascending frame numbers.

    Returns:
        One uint8 (H, W, 3) RGB array per number.

    Raises:
        VideoError: The video cannot be opened, or no frame at all can be decoded.
    """
    path = Path(path)
    if path.is_dir():
        files = list_frames(path)
        if not files:
            raise VideoError(f'{path}: no frame in this folder')
        return [read_image(files[min(i, len(files) - 1)]) for i in indices]
    capture = open_capture(path)
    try:
        return _decode(capture, path, indices)
    finally:
        capture.release()


def _decode(capture: cv2.VideoCapture, path: Path, indices: Sequence[int]) -> list[np.ndarray]:
    frames: list[np.ndarray] = []
    position = -1
    current: np.ndarray | None = None
    if indices and indices[0] > 0:
        capture.set(cv2.CAP_PROP_POS_FRAMES, indices[0])
        position = indices[0] - 1
    for index in indices:
        while position < index:
            good, frame = capture.read()
            if not good:
                break
            current, position = frame, position + 1
        if current is None:
            current = _last_frame(path, index)
        frames.append(cv2.cvtColor(current, cv2.COLOR_BGR2RGB))
    return frames


def _last_frame(path: Path, wanted: int) -> np.ndarray:
    """The last frame up to ``wanted`` that decodes from the start, for a container whose count or index lies."""
    capture = open_capture(path)
    last = None
    for _ in range(wanted + 1):
        good, frame = capture.read()
        if not good:
            break
        last = frame
    capture.release()
    if last is None:
        raise VideoError(f'{path}: no frame can be decoded')
    return last


def natural_key(path: Path) -> tuple[int, str]:
    """Sort key that puts ``2.png`` before ``10.png``."""
    digits = ''.join(c for c in path.stem if c.isdigit())
    return (int(digits) if digits else -1, path.name)


def list_frames(folder: Path) -> list[Path]:
    """The images of a folder of frames, in frame order."""
    return sorted((p for p in folder.iterdir() if media_of(p) == 'image'), key=natural_key)
