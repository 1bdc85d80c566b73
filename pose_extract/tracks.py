"""Keypoint tracks of the people in one video: what extraction writes and everything else reads."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from bmoe_ground.npz import Headers, load_npz
from pose_extract.crops import Crops, crops_path, load_crops  # noqa: F401 - offered here beside the tracks
from pose_extract.skeletons import DECLARATION, Skeleton, get_skeleton, register_declaration

MAX_FRAMES = 10_000_000
"""Frames of one track: four days at 30 a second. A file can announce any number where it has no person."""

MAX_SECONDS = 1e7
"""From a track's first frame to its last: four months. Windows are laid along it."""

_ARRAYS = ('keypoints', 'scores', 'boxes', 'frame_times', 'image_size')
_TEXTS = {'skeleton': 400, 'provenance': 16 * 2**20}  # bytes that each may have; numpy keeps four a letter
_MAX_DECLARATION = 2**20  # bytes
MAX_SIDE = 1_000_000
"""Pixels of either side of a frame."""


@dataclass(eq=False)
class PoseTracks:
    """The tracks of ``M`` people over the ``T`` frames of a video, with ``K`` keypoints each.

    Nothing is ever left out of the time axis: index ``t`` is video frame ``t``, and what was not seen there is NaN
    with score 0. ``M`` may be 0 (nobody was seen), ``T`` is at least 1. Arrays of another float width are converted.

    Attributes:
        keypoints: (M, T, K, 2) float32, x and y in pixels of the frame; NaN where absent.
        scores: (M, T, K) float32 in 0..1; 0 where absent.
        boxes: (M, T, 4) float32, x1, y1, x2, y2 in pixels; NaN where absent.
        frame_times: (T,) float64, seconds since the video's start, never decreasing.
        image_size: (height, width) of the frames in pixels.
        skeleton: Name of the keypoint layout.
        provenance: How the tracks came about, as JSON types.
        extras: Further arrays by name, such as ``interpolated`` (M, T, K) bool.

    Raises:
        ValueError: A part has the wrong shape, type or values; the message names the part.
        UserError: The skeleton is not known.

    Example:
        >>> tracks = pose_extract.load_tracks('poses/head/head_00.mp4.npz')
        >>> tracks.num_persons, tracks.num_frames, tracks.num_keypoints
        (1, 24, 17)
        >>> nose = tracks.keypoints[0, :, pose_extract.get_skeleton(tracks.skeleton).index('nose')]
        >>> nose.shape
        (24, 2)
    """

    keypoints: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray
    frame_times: np.ndarray
    image_size: tuple[int, int]
    skeleton: str
    provenance: dict[str, Any] = field(default_factory=dict)
    extras: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keypoints = _floats('keypoints', self.keypoints, np.float32)
        self.scores = _floats('scores', self.scores, np.float32)
        self.boxes = _floats('boxes', self.boxes, np.float32)
        self.frame_times = _floats('frame_times', self.frame_times, np.float64)
        self.image_size = _image_size(self.image_size)
        self.extras = {name: _extra(name, array) for name, array in self.extras.items()}
        shapes = {name: getattr(self, name).shape for name in _ARRAYS[:4]}
        _check_shapes(shapes, get_skeleton(self.skeleton))
        self._check_values()
        _to_json(self.provenance)

    def _check_values(self) -> None:
        absent = np.isnan(self.keypoints)
        if (absent[..., 0] != absent[..., 1]).any():
            raise ValueError('keypoints: x and y must be NaN together')
        if np.isinf(self.keypoints).any():
            raise ValueError('keypoints: infinite coordinates')
        if not ((self.scores >= 0) & (self.scores <= 1)).all():
            raise ValueError('scores: must be within 0..1, and 0 (not NaN) where a keypoint is absent')
        if (self.scores[absent[..., 0]] != 0).any():
            raise ValueError('scores: must be 0 where the keypoint is absent (NaN)')
        gone = np.isnan(self.boxes)
        if (gone.any(-1) != gone.all(-1)).any() or np.isinf(self.boxes).any():
            raise ValueError('boxes: each must be four finite numbers, or NaN altogether where absent')
        if (self.boxes[..., 2:] < self.boxes[..., :2]).any():
            raise ValueError('boxes: must be x1, y1, x2, y2 with x1 <= x2 and y1 <= y2')
        if not np.isfinite(self.frame_times).all() or (np.diff(self.frame_times) < 0).any():
            raise ValueError('frame_times: must be finite and never decrease')
        if np.ptp(self.frame_times) > MAX_SECONDS:
            raise ValueError(f'frame_times: span {np.ptp(self.frame_times):.3g} s, more than {MAX_SECONDS:.3g}')

    @property
    def num_persons(self) -> int:
        """Number of people ``M``."""
        return self.keypoints.shape[0]

    @property
    def num_frames(self) -> int:
        """Number of frames ``T``."""
        return self.keypoints.shape[1]

    @property
    def num_keypoints(self) -> int:
        """Number of keypoints ``K``."""
        return self.keypoints.shape[2]

    @property
    def keypoint_visible(self) -> np.ndarray:
        """Which keypoints are there, bool (M, T, K)."""
        return ~np.isnan(self.keypoints[..., 0])

    @property
    def person_visible(self) -> np.ndarray:
        """In which frames each person has at least one keypoint, bool (M, T)."""
        return self.keypoint_visible.any(-1)


def save_tracks(path: str | os.PathLike[str], tracks: PoseTracks) -> None:
    """Write tracks to a compressed ``.npz`` file, whole or not at all.

    The same tracks give the same bytes. The file holds plain arrays only and opens with
    ``numpy.load(path, allow_pickle=False)``. A layout that is not built in goes along as the text
    ``layout_declaration``, JSON, so that the file can be read where nobody has declared it.

    Args:
        path: The file to write, replaced if it exists. Missing folders above it are made.
        tracks: The tracks; checked again, since their arrays may have been changed in place.

    Raises:
        UserError: The file cannot be written.
        ValueError: The tracks are no longer valid.

    Example:
        >>> tracks = pose_extract.load_tracks('poses/head/head_00.mp4.npz')
        >>> pose_extract.save_tracks('copy.npz', tracks)
        >>> pathlib.Path('copy.npz').read_bytes() == pathlib.Path('poses/head/head_00.mp4.npz').read_bytes()
        True
    """
    tracks.__post_init__()
    arrays = {name: np.asarray(getattr(tracks, name)) for name in _ARRAYS}
    arrays['skeleton'] = np.array(tracks.skeleton)
    arrays['provenance'] = np.array(_to_json(tracks.provenance))
    skeleton = get_skeleton(tracks.skeleton)
    if not skeleton.built_in:
        arrays[DECLARATION] = np.array(_to_json(skeleton.declaration))
    with atomic_write(path) as file:
        np.savez_compressed(file, **arrays, **tracks.extras)


def load_tracks(path: str | os.PathLike[str]) -> PoseTracks:
    """Read a track file.

    Sizes are judged from the headers alone, before any array is unpacked (see :func:`bmoe_ground.npz.load_npz`).

    Args:
        path: A file that :func:`save_tracks` wrote.

    Raises:
        UserError: The file is missing, damaged or not a track file; the message names the file and the key.

    Example:
        >>> tracks = pose_extract.load_tracks('poses/head/head_00.mp4.npz')
        >>> tracks.skeleton, tracks.image_size
        ('coco17', (200, 200))
    """
    path = Path(path)
    if not path.exists():
        raise UserError(f'{path}: no such track file')
    return _from_arrays(path, load_npz(path, 'a track file', _check_headers))


def _from_arrays(path: Path, arrays: dict[str, np.ndarray]) -> PoseTracks:
    try:
        provenance = json.loads(str(arrays.pop('provenance')))
    except (ValueError, RecursionError) as error:
        raise UserError(f'{path}: provenance: not a JSON text ({error})') from error
    if not isinstance(provenance, dict):
        raise UserError(f'{path}: provenance: expected a JSON object, got {type(provenance).__name__}')
    skeleton = str(arrays.pop('skeleton'))
    if DECLARATION in arrays:
        register_declaration(_declaration(path, arrays.pop(DECLARATION)), str(path))
    height, width = (int(side) for side in arrays.pop('image_size'))
    known = {name: arrays.pop(name) for name in _ARRAYS[:4]}
    try:
        return PoseTracks(**known, image_size=(height, width), skeleton=skeleton, provenance=provenance, extras=arrays)
    except ValueError as error:
        raise UserError(f'{path}: {error}') from error


def _declaration(path: Path, text: np.ndarray) -> object:
    try:
        return json.loads(str(text))
    except (ValueError, RecursionError) as error:
        raise UserError(f'{path}: {DECLARATION}: not a JSON text ({error})') from error


def _check_headers(headers: Headers) -> None:
    for key in (*_ARRAYS, *_TEXTS):
        if key not in headers:
            raise ValueError(f'{key}: missing; a track file holds {", ".join((*_ARRAYS, *_TEXTS))}')
    for key, longest in _TEXTS.items():
        shape, dtype = headers[key]
        if shape != () or dtype.kind != 'U' or dtype.itemsize > longest:
            raise ValueError(f'{key}: expected a text of at most {longest // 4} characters, got {dtype}, {shape}')
    shape, dtype = headers.get(DECLARATION, ((), np.dtype('U1')))
    if shape != () or dtype.kind != 'U' or dtype.itemsize > _MAX_DECLARATION:
        raise ValueError(f'{DECLARATION}: expected a short text, got {dtype} of shape {shape}')
    shape, dtype = headers['image_size']
    if shape != (2,) or dtype.kind not in 'iu':
        raise ValueError(f'image_size: expected two integers (height, width), got {dtype} of shape {shape}')
    for key in _ARRAYS[:4]:
        if headers[key][1].kind != 'f':
            raise ValueError(f'{key}: expected floating point numbers, got {headers[key][1]}')
    _check_shapes({key: headers[key][0] for key in _ARRAYS[:4]})


def _check_shapes(shapes: dict[str, tuple[int, ...]], skeleton: Skeleton | None = None) -> None:
    """Compare the shapes of the four arrays with each other and with the layout."""
    shape = shapes['keypoints']
    if len(shape) != 4 or shape[3] != 2 or shape[1] < 1:
        raise ValueError(f'keypoints: expected shape (persons, frames >= 1, keypoints, 2), got {shape}')
    persons, frames, keypoints, _ = shape
    if frames > MAX_FRAMES:
        raise ValueError(f'keypoints: {frames} frames, more than {MAX_FRAMES}')
    if skeleton is not None and keypoints != skeleton.num_keypoints:
        raise ValueError(f'keypoints: skeleton {skeleton.name} has {skeleton.num_keypoints}, got {keypoints}')
    expected = {'scores': (persons, frames, keypoints), 'boxes': (persons, frames, 4), 'frame_times': (frames,)}
    for name, wanted in expected.items():
        if shapes[name] != wanted:
            raise ValueError(f'{name}: expected shape {wanted} beside keypoints of {shape}, got {shapes[name]}')


def _floats(name: str, value: np.ndarray, dtype: type[np.floating]) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in 'fiu':
        raise ValueError(f'{name}: expected floating point numbers, got {array.dtype}')
    return np.ascontiguousarray(array, dtype=dtype)


def _extra(name: str, value: np.ndarray) -> np.ndarray:
    if name in (*_ARRAYS, *_TEXTS, DECLARATION, 'file', 'allow_pickle') or not name.isidentifier():
        raise ValueError(f'extras: {name!r} is not a free name')
    array = np.asarray(value)
    if array.dtype.hasobject:
        raise ValueError(f'extras: {name}: holds Python objects, which cannot be saved')
    return array


def _image_size(value: tuple[int, int]) -> tuple[int, int]:
    height, width = (int(side) for side in value)
    if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE):
        raise ValueError(f'image_size: expected (height, width) of at least one pixel, got {(height, width)}')
    return height, width


def _to_json(provenance: dict[str, Any]) -> str:
    try:
        return json.dumps(provenance, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f'provenance: must hold JSON types only: {error}') from error
