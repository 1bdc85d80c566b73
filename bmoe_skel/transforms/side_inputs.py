"""What the global stream looks at beside the skeleton: precomputed features, or person-centred RGB frames.

Both follow the cut in time that ``SampleFrames`` made (key ``span``, the share of the clip that its cuts cover), so
that step t of the stream is step t of the experts; both stand after ``SampleFrames`` and ``RandomFlip`` and before
``PackPose``. A clip that is a window of a longer video says which of its ``total_frames`` it holds (key ``window``,
first frame and end), and whose it is (key ``person``, 0 if absent).
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_skel.clip import Clip
from bmoe_skel.registry import TRANSFORMS
from pose_extract.tracks import load_crops

_WHOLE = (0.0, 1.0)
_RATIO = (3 / 4, 4 / 3)


@TRANSFORMS.register_module()
class LoadFeature:
    """Read a clip's precomputed features, such as VideoMAEv2's 1408 channels a window, as ``feature`` (T_f, C_f).

    The file is ``<root>/<clip>.npy``, the clip's name with or without the video's extension, and holds (T_f, C_f) or
    (T_f, 1, C_f) floats, windows spread evenly over the clip. Only the windows whose middle lies in the cut are kept.

    Args:
        root: Folder of the files; None takes the dataset's ``feature_root``.
        channels: C_f, checked; None for any.
        expected_steps: T_f, checked; None for any.

    Raises:
        UserError: A clip's file is missing or damaged, or its shape or numbers are wrong; the message names the file.
    """

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        channels: int | None = None,
        expected_steps: int | None = None,
    ) -> None:
        self.root = root
        self.channels = channels
        self.expected_steps = expected_steps

    def __call__(self, clip: Clip) -> Clip:
        """Add ``feature`` to one clip."""
        root = self.root if self.root is not None else clip.get('feature_root')
        if root is None:
            raise UserError(
                'LoadFeature: no folder of features given: --cfg-options dataset.feature_root=FOLDER, or feature_root'
            )
        feature = read_feature(feature_path(Path(root), str(clip['frame_dir'])), self.channels, self.expected_steps)
        low, high = cut_of(clip)
        middle = (np.arange(len(feature)) + 0.5) / len(feature)
        inside = (middle >= low) & (middle <= high)
        if not inside.any():
            inside[np.abs(middle - (low + high) / 2).argmin()] = True
        clip['feature'] = feature[inside]
        return clip


def cut_of(clip: Clip) -> tuple[float, float]:
    """Where a clip's cut begins and ends, as shares of the whole video.

    Args:
        clip: A clip, with ``span``, ``window`` and ``total_frames`` where they are not the whole.

    Raises:
        UserError: The cut was made at an uneven pace.
    """
    if clip.get('uneven'):
        raise UserError(
            f'clip {clip.get("frame_dir")!r}: RGB crops and features run at an even pace, which SampleFrames with warp '
            'or a crop above 1 does not: set warp=0.0 and crop=(0.5, 1.0)'
        )
    low, high = clip.get('span', _WHOLE)
    if 'window' in clip:
        first, last = clip['window']
        low, high = ((first + share * (last - first)) / clip['total_frames'] for share in (low, high))
    return low, high


def feature_path(root: Path, name: str) -> Path:
    """Find the feature file of a clip.

    Args:
        root: The folder.
        name: The clip's name, a path below the folder, with the video's extension or without.

    Returns:
        The file.

    Raises:
        UserError: There is none, or the name leaves the folder.
    """
    relative = PurePosixPath(name)
    if relative.is_absolute() or '..' in relative.parts:
        raise UserError(f'clip {name!r} leaves the folder of features {root}')
    for candidate in (root / f'{name}.npy', root / relative.with_suffix('.npy')):
        if candidate.is_file():
            return candidate
    raise UserError(f'clip {name!r} has no feature file {root / name}.npy (nor without the extension of the video)')


def read_feature(path: Path, channels: int | None = None, steps: int | None = None) -> np.ndarray:
    """Read one file of features.

    Args:
        path: The file, (T_f, C_f) or (T_f, 1, C_f) floats.
        channels: C_f, or None for any.
        steps: T_f, or None for any.

    Returns:
        (T_f, C_f) float32.

    Raises:
        UserError: The file cannot be read, or its shape or numbers are wrong.
    """
    try:
        feature = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise UserError(f'{path}: no such feature file') from error
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f'{path}: not a readable .npy file of numbers: {error}') from error
    if not isinstance(feature, np.ndarray) or feature.dtype.kind != 'f':
        found = feature.dtype if isinstance(feature, np.ndarray) else 'an archive of several arrays'
        raise UserError(f'{path}: expected floating point features, found {found}')
    if feature.ndim == 3 and feature.shape[1] == 1:
        feature = feature[:, 0]
    if feature.ndim != 2 or 0 in feature.shape:
        raise UserError(f'{path}: expected features of shape (T, C) or (T, 1, C), found {feature.shape}')
    if channels is not None and feature.shape[1] != channels:
        raise UserError(f'{path}: expected {channels} channels, found {feature.shape[1]}')
    if steps is not None and len(feature) != steps:
        raise UserError(f'{path}: expected {steps} time steps, found {len(feature)}')
    if not np.isfinite(feature).all():
        raise UserError(f'{path}: holds NaN or infinite features')
    return feature.astype(np.float32)


@TRANSFORMS.register_module()
class LoadCrops:
    """Read frames of the clip's person, as ``rgb`` (frames, 3, S, S) uint8 and ``rgb_seen`` (frames,) bool.

    The cut is divided into ``frames`` equal segments and one frame is taken of each (TSN, Wang et al. 2016): a random
    one in training, the middle one in testing. Where the person is absent the frame is black and not ``rgb_seen``. Of a
    clip with several persons the first is shown.
    Frames are mirrored where ``RandomFlip`` mirrored the skeleton, and only there.

    Args:
        frames: Frames a clip.
        size: S; None for the stored size.
        random: Whether segments are sampled, and squares cut, at random (training).
        crop: Smallest and largest share of the image's area that a random cut keeps; None for no cut. One cut holds
            for all frames of a clip.
        optional: Whether a set without stored crops passes unchanged, for the skeleton to be the global stream.

    Raises:
        UserError: A clip has no crops and they are not optional, or its file is damaged or of another track.
    """

    def __init__(
        self,
        frames: int = 8,
        size: int | None = None,
        random: bool = True,
        crop: tuple[float, float] | None = (0.6, 1.0),
        optional: bool = False,
    ) -> None:
        if crop is not None and not 0 < crop[0] <= crop[1] <= 1:
            raise ValueError(f'crop must satisfy 0 < low <= high <= 1, got {tuple(crop)}')
        if frames < 1 or (size is not None and size < 1):
            raise ValueError(f'frames and size must be at least 1, got {frames} and {size}')
        self.frames, self.size, self.random, self.crop, self.optional = frames, size, random, crop, optional

    def __call__(self, clip: Clip) -> Clip:
        """Add ``rgb`` and ``rgb_seen`` to one clip."""
        path = clip.get('crops')
        if path is None:
            if self.optional:
                return clip
            raise UserError(
                f'clip {clip.get("frame_dir")!r} has no RGB crops beside its track {clip.get("track", "")}: '
                'extract all clips with --save-rgb 224'
            )
        total, (low, high) = int(clip['total_frames']), cut_of(clip)
        person = clip.get('person', 0)

        def choose(stored: np.ndarray) -> np.ndarray:
            if not len(stored) or stored.max() >= total:
                raise UserError(f'{path}: crops of another track: it has {total} frames; extract again')
            return sample_segments(stored, low * total, high * total, self.frames, rng)

        rng = clip['rng'] if self.random else None
        crops = load_crops(path, choose)
        if person >= len(crops.images):
            raise UserError(f'{path}: holds {len(crops.images)} persons, but the track has more; extract again')
        images = crops.images[person]
        if self.random and self.crop is not None:
            top, left, height, width = random_square(clip['rng'], images.shape[1], self.crop)
            images = images[:, top : top + height, left : left + width]
        images = resize(images, self.size or crops.images.shape[2])
        if clip.get('flipped'):
            images = images[:, :, ::-1]
        clip['rgb'] = images.transpose(0, 3, 1, 2)
        clip['rgb_seen'] = crops.present[person]
        return clip


def sample_segments(
    stored: np.ndarray, start: float, stop: float, count: int, rng: np.random.Generator | None
) -> np.ndarray:
    """Take one stored frame of each of ``count`` equal segments of a cut.

    Args:
        stored: (N,) rising frame numbers, N > 0.
        start: First frame of the cut.
        stop: The cut's end, exclusive.
        count: Segments.
        rng: Random numbers, or None for the middle of each segment.

    Returns:
        (count,) int64 positions in ``stored``, never falling; short cuts repeat frames.
    """
    low = int(np.searchsorted(stored, start - 0.5))
    high = max(int(np.searchsorted(stored, stop - 0.5)), low + 1)
    low = min(low, len(stored) - 1)
    offset = np.full(count, 0.5) if rng is None else rng.random(count)
    place = low + (np.arange(count) + offset) * (min(high, len(stored)) - low) / count
    return place.astype(np.int64)


def random_square(
    rng: np.random.Generator, size: int, area: tuple[float, float], attempts: int = 10
) -> tuple[int, int, int, int]:
    """Draw a rectangle as Inception's random resized crop does (Szegedy et al. 2015), with sides of 3:4 to 4:3.

    Args:
        rng: Random numbers.
        size: Side of the square image.
        area: Smallest and largest share of the image.
        attempts: Draws until one fits; the whole image if none does.

    Returns:
        Top, left, height and width in pixels.
    """
    for _ in range(attempts):
        share, ratio = rng.uniform(*area), np.exp(rng.uniform(*np.log(_RATIO)))
        height, width = (max(round(size * np.sqrt(value)), 1) for value in (share / ratio, share * ratio))
        if height <= size and width <= size:
            return int(rng.integers(size - height + 1)), int(rng.integers(size - width + 1)), height, width
    return 0, 0, size, size


def resize(images: np.ndarray, size: int) -> np.ndarray:
    """Scale frames to squares.

    Args:
        images: (N, H, W, 3) uint8.
        size: S.

    Returns:
        (N, S, S, 3) uint8.
    """
    if images.shape[1:3] == (size, size):
        return images
    import cv2

    kind = cv2.INTER_AREA if min(images.shape[1:3]) > size else cv2.INTER_LINEAR
    return np.stack([cv2.resize(np.ascontiguousarray(image), (size, size), interpolation=kind) for image in images])
