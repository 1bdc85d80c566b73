"""Person-centred frames beside the tracks: square, smoothed crops, JPEG-coded in one plain npz file.

Importing this module loads numpy only; OpenCV comes with the first crop that is coded or decoded.
"""

from __future__ import annotations

import os
import struct
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from bmoe_ground.npz import Headers, load_npz

SUFFIX = '.rgb'
MARGIN = 1.25
QUALITY = 90
MEMORY = 0.95  # share of the old square kept each frame
MAX_SIZE = 4096
"""Side in pixels that stored squares may have."""
MAX_DECODED = 2**30
"""Bytes that the frames decoded in one call may have."""


@dataclass(frozen=True)
class Crops:
    """Person-centred frames of one video.

    Attributes:
        images: (M, N, S, S, 3) uint8, RGB; black where a person is absent.
        present: (M, N) bool, whether the person was seen in that frame.
        frames: (N,) int64, index of each frame on the track's time axis.
        boxes: (M, N, 4) float32, the square that was cut out, xyxy pixels; NaN where absent.
    """

    images: np.ndarray
    present: np.ndarray
    frames: np.ndarray
    boxes: np.ndarray


def crops_path(track: str | os.PathLike[str]) -> Path:
    """Where the crops of a track file are: ``clip.mp4.rgb`` beside ``clip.mp4.npz``."""
    return Path(track).with_suffix(SUFFIX)


def load_crops(
    path: str | os.PathLike[str],
    frames: Sequence[int] | np.ndarray | Callable[[np.ndarray], np.ndarray] | None = None,
) -> Crops:
    """Read person-centred frames.

    Args:
        path: A file that the extraction wrote (see :func:`crops_path`).
        frames: Positions on the stored axis of N frames to decode, or a function that gets the stored frames' indices
            on the track's time axis and returns such positions; None decodes all.

    Raises:
        UserError: The file is missing, damaged or none of ours, or the frames asked for would fill the memory.
        ValueError: A position is out of range.
    """
    offsets, stored, boxes, size, data = _read(path)
    persons = boxes.shape[0]
    if callable(frames):
        frames = frames(stored)
    chosen = np.arange(len(stored)) if frames is None else np.asarray(frames, np.int64)
    if len(chosen) and not (chosen.min() >= 0 and chosen.max() < len(stored)):
        raise ValueError(f'frames must lie in 0..{len(stored) - 1}, got {chosen.tolist()}')
    decoded = persons * len(chosen) * size * size * 3
    if decoded > MAX_DECODED:
        raise UserError(
            f'{path}: {len(chosen)} frames of {persons} persons are {decoded / 2**30:.1f} GiB; ask for fewer'
        )
    images = np.zeros((persons, len(chosen), size, size, 3), np.uint8)
    present = np.zeros((persons, len(chosen)), bool)
    for m in range(persons):
        for n, position in enumerate(chosen):
            first, last = offsets[m * len(stored) + position : m * len(stored) + position + 2]
            if first == last:
                continue
            image = _decode(data[first:last], size)
            if image is None:
                raise UserError(f'{path}: the crop of person {m} in frame {stored[position]} is damaged')
            images[m, n] = image[..., ::-1]
            present[m, n] = True
    return Crops(images, present, stored[chosen], boxes[:, chosen])


def check_crops(path: str | os.PathLike[str]) -> None:
    """Make sure that a file of crops is whole, as far as that can be told without decoding a picture.

    Args:
        path: A file that the extraction wrote.

    Raises:
        UserError: The file is missing, damaged or none of ours.
    """
    offsets, stored, _, size, data = _read(path)
    for number, (first, last) in enumerate(zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)):
        if first < last and jpeg_size(data[first:last].tobytes()) != (size, size):
            person, position = divmod(number, len(stored))
            raise UserError(f'{path}: the crop of person {person} in frame {stored[position]} is damaged')


def _read(path: str | os.PathLike[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray, int, np.ndarray]:
    """Offsets, stored frames, boxes, the side and the coded pictures, where they fit each other."""
    arrays = load_npz(path, 'a readable file of crops', _check_headers)
    try:
        return (*_check_arrays(arrays), arrays['jpeg'])
    except ValueError as error:
        raise UserError(f'{path}: not a readable file of crops: {error}') from error


def _check_headers(headers: Headers) -> None:
    expected = {'offsets': (1, 'iu'), 'frames': (1, 'iu'), 'boxes': (3, 'f'), 'size': (0, 'iu'), 'jpeg': (1, 'u')}
    for key, (axes, kinds) in expected.items():
        if key not in headers:
            raise ValueError(f'not a file of crops: {key} is missing')
        shape, dtype = headers[key]
        if len(shape) != axes or dtype.kind not in kinds or (key == 'jpeg' and dtype.itemsize != 1):
            raise ValueError(f'not a readable file of crops: {key} has type {dtype} and shape {shape}')


def _check_arrays(arrays: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Offsets, stored frames, boxes and the side, where they fit each other."""
    offsets, stored, boxes, size = (arrays[key] for key in ('offsets', 'frames', 'boxes', 'size'))
    if boxes.shape[1:] != (len(stored), 4) or offsets.shape != (boxes.shape[0] * len(stored) + 1,):
        raise ValueError('its arrays contradict each other')
    if offsets[0] != 0 or offsets[-1] != len(arrays['jpeg']) or (offsets[1:] < offsets[:-1]).any():
        raise ValueError('its offsets are damaged')
    if not 0 < size <= MAX_SIZE:
        raise ValueError(f'its size is {size}')
    if len(stored) and (stored[0] < 0 or (stored[1:] <= stored[:-1]).any() or stored[-1] >= 2**62):
        raise ValueError('its frame numbers do not rise')
    return offsets.astype(np.int64), stored.astype(np.int64), boxes.astype(np.float32), int(size)


def _decode(data: np.ndarray, size: int) -> np.ndarray | None:
    """The image, BGR; None unless it is a JPEG of that size, which is looked at before it is decoded."""
    import cv2

    if jpeg_size(data.tobytes()) != (size, size):
        return None
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None
    return image if image is not None and image.shape == (size, size, 3) else None


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """(height, width) that a JPEG file announces (ITU T.81, B.2.2); None for anything else.

    A second frame header is refused too: a decoder might believe that one.
    """
    position, found = 2, None
    if data[:2] != b'\xff\xd8':
        return None
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker, length = data[position + 1], struct.unpack_from('>H', data, position + 2)[0]
        if marker == 0xFF:  # a fill byte
            position += 1
            continue
        if marker == 0xDA:  # the picture begins
            return found
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if found is not None or length < 7 or position + 9 > len(data):
                return None
            found = struct.unpack_from('>HH', data, position + 5)
        position += 2 + length
    return None


class CropRecorder:
    """Cuts persons out while a video is decoded, and writes those that are kept when it is over.

    The square follows the person's box slowly, so that it neither trembles nor moves along with a small motion; where
    the person would leave it, it moves just far enough. Coded crops wait on disk, not in memory.

    Args:
        size: Side of the stored squares in pixels.
        folder: Where the waiting crops are kept; None is the system's folder for temporary files.
    """

    def __init__(self, size: int, folder: Path | None = None) -> None:
        self.size = size
        self._spool = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by close()
        self._squares: dict[int, np.ndarray] = {}
        self._stored: dict[tuple[int, int], tuple[int, int, np.ndarray]] = {}

    def add(self, t: int, image: np.ndarray, identities: np.ndarray, boxes: np.ndarray) -> None:
        """Cut the persons out of one frame.

        Args:
            t: Position on the time axis.
            image: (height, width, 3) uint8, BGR.
            identities: (N,) of the persons.
            boxes: (N, 4) xyxy pixels.
        """
        import cv2

        for identity, box in zip(identities.tolist(), boxes, strict=True):
            square = follow(self._squares.get(identity), box)
            self._squares[identity] = square
            crop, corners = cut(image, square, self.size)
            ok, coded = cv2.imencode('.jpg', crop, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
            if not ok:
                raise UserError(f'a crop of {self.size}x{self.size} pixels cannot be coded as JPEG')
            self._stored[identity, t] = (self._spool.tell(), len(coded), corners)
            self._spool.write(coded.tobytes())

    def write(self, path: Path, identities: Sequence[int] | np.ndarray, frames: np.ndarray) -> None:
        """Write the crops of some persons in some frames, whole or not at all.

        Args:
            path: The file.
            identities: The persons, in the order of the track's M axis; or (M, T), who is in each row and frame.
            frames: (N,) positions on the time axis.
        """
        boxes = np.full((len(identities), len(frames), 4), np.nan, np.float32)
        pieces, offsets = [], [0]
        for m, row in enumerate(identities):
            for n, t in enumerate(frames.tolist()):
                identity = int(row[t] if isinstance(row, np.ndarray) else row)
                start, length, corners = self._stored.get((identity, t), (0, 0, boxes[m, n]))
                boxes[m, n] = corners
                pieces.append((start, length))
                offsets.append(offsets[-1] + length)
        arrays = {
            'offsets': np.array(offsets, np.int64),
            'frames': frames.astype(np.int64),
            'boxes': boxes,
            'size': np.array(self.size),
        }
        with atomic_write(path) as file, zipfile.ZipFile(file, 'w', zipfile.ZIP_STORED) as archive:
            for name, array in arrays.items():
                with archive.open(zipfile.ZipInfo(f'{name}.npy'), 'w', force_zip64=True) as member:
                    npy.write_array(member, array, allow_pickle=False)
            with archive.open(zipfile.ZipInfo('jpeg.npy'), 'w', force_zip64=True) as member:
                header = {'descr': '|u1', 'fortran_order': False, 'shape': (offsets[-1],)}
                npy.write_array_header_1_0(member, header)
                for start, length in pieces:
                    self._spool.seek(start)
                    member.write(self._spool.read(length))

    def close(self) -> None:
        """Drop the crops that wait."""
        self._spool.close()


def cut(image: np.ndarray, square: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut a square out and scale it, without aliasing; what lies outside the image is black.

    Args:
        image: (height, width, 3).
        square: (3,) centre x, centre y and side in pixels.
        size: Side of the result.

    Returns:
        (size, size, 3), and the corners (4,) float32 xyxy of the square, which falls on whole pixels.
    """
    import cv2

    side = max(int(round(square[2])), 1)
    left, top = (int(round(value - side / 2)) for value in square[:2])
    low = np.clip([left, top], 0, image.shape[1::-1])
    high = np.clip([left + side, top + side], 0, image.shape[1::-1])
    canvas = np.zeros((side, side, 3), np.uint8)
    canvas[low[1] - top : high[1] - top, low[0] - left : high[0] - left] = image[low[1] : high[1], low[0] : high[0]]
    kind = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    corners = np.array([left, top, left + side, top + side], np.float32)
    return cv2.resize(canvas, (size, size), interpolation=kind), corners


def follow(square: np.ndarray | None, box: np.ndarray) -> np.ndarray:
    """Move a square after a person.

    Args:
        square: (3,) centre x, centre y and side in pixels; None at the person's first frame.
        box: (4,) xyxy pixels of the person.

    Returns:
        (3,) the new square: near the old one, and with the box inside it.
    """
    center, extent = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
    wanted = np.array([*center, max(float(extent.max()) * MARGIN, 2.0)], np.float64)
    if square is None:
        return wanted
    new = MEMORY * square + (1 - MEMORY) * wanted
    new[2] = max(new[2], float(extent.max()))
    slack = (new[2] - extent) / 2
    new[:2] = np.clip(new[:2], center - slack, center + slack)
    return new


def spread(length: int, count: int) -> np.ndarray:
    """``count`` positions spread evenly over ``length`` frames (all of them for 0), int64, without repetition."""
    if count == 0 or count >= length:
        return np.arange(length)
    return ((np.arange(count) + 0.5) * length / count).astype(np.int64)
