"""Read an item's pixels into ``frames``."""

from __future__ import annotations

import numpy as np

from bmoe_ground.errors import UserError
from face_aux.images import read_image
from face_aux.registry import TRANSFORMS
from face_aux.transforms.chance import uniform
from face_aux.videos import clip_indices, frame_count, read_frames


@TRANSFORMS.register_module()
class LoadFace:
    """Load one image, or one frame of a video, as ``frames`` with a single uint8 (H, W, 3) RGB array.

    Args:
        max_side: Reduce larger images to this longer side while reading, in pixels.
        jitter: In a video, take a random frame of the item's own segment and not the one at its middle.
    """

    def __init__(self, max_side: int | None = None, jitter: bool = False) -> None:
        self.max_side, self.jitter = max_side, jitter

    def __call__(self, results: dict) -> dict:
        """Add ``frames`` to an item."""
        media = results.get('media', 'image')
        if 'frames' in results:  # pixels given directly, by the inferencer say
            return {'is_clip': False, **results}
        if media == 'array':
            frames = [to_rgb(results['array'], results['path'])]
        elif media == 'image':
            frames = [read_image(results['path'], self.max_side)]
        else:
            total = frame_count(results['path'])
            index = min(int(relative_position(results, self.jitter) * total), total - 1)
            frames = read_frames(results['path'], [index])
        return {**results, 'frames': frames, 'is_clip': False}


@TRANSFORMS.register_module()
class LoadFaceClip:
    """Load a clip of a video as ``frames``, T uint8 (H, W, 3) RGB arrays of one size.

    Args:
        length: Frames in a clip, T.
        interval: Distance between them.
        jitter: Start at a random place of the item's own segment and not at its middle.
    """

    def __init__(self, length: int = 16, interval: int = 1, jitter: bool = False) -> None:
        if length < 1 or interval < 1:
            raise ValueError(f'length and interval must be at least 1, got {length} and {interval}')
        self.length, self.interval, self.jitter = length, interval, jitter

    def __call__(self, results: dict) -> dict:
        """Add ``frames`` to an item of a video."""
        if 'frames' in results:
            return {**results, 'is_clip': True}
        if results.get('media') not in ('video', 'frames'):
            raise UserError(f'{results["path"]}: a clip needs a video or a folder of frames; use LoadFace for images')
        total = frame_count(results['path'])
        position = relative_position(results, self.jitter)
        frames = read_frames(results['path'], clip_indices(total, position, self.length, self.interval))
        if len({frame.shape for frame in frames}) > 1:
            raise UserError(f'{results["path"]}: the frames have different sizes; a clip needs one crop for all')
        return {**results, 'frames': frames, 'is_clip': True}


def relative_position(results: dict, jitter: bool) -> float:
    """Where in the video to read, 0..1."""
    position = results.get('position', 0.5)
    half = results.get('segment', 0.0) / 2
    return uniform(position - half, position + half) if jitter else position


def to_rgb(array: np.ndarray, where: str) -> np.ndarray:
    """Grey (H, W) or RGB (H, W, 3) uint8 pixels as RGB."""
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise UserError(f'{where}: pixels are {array.dtype} {array.shape}, expected uint8 (H, W) or (H, W, 3)')
    return np.repeat(array[..., None], 3, axis=2) if array.ndim == 2 else np.ascontiguousarray(array)
