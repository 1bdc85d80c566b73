"""From pixels to what the model takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from bmoe_ground.pixels import IMAGENET_MEAN, IMAGENET_STD
from face_aux.registry import TRANSFORMS
from face_aux.structures import FaceSample
from face_aux.transforms.geometric import on_frames


@TRANSFORMS.register_module()
class KeepTextureSource:
    """Keep the uint8 pixels as they are now, after the geometric and before the photometric changes.

    The texture targets are computed from them, for erased noise and changed colours are no texture of the face.
    """

    def __call__(self, results: dict) -> dict:
        """Add ``texture_frames``."""
        if results['frames'][0].dtype != np.uint8:
            raise ValueError('KeepTextureSource must come before Normalize, while the pixels are uint8')
        return {**results, 'texture_frames': [frame.copy() for frame in results['frames']]}


@TRANSFORMS.register_module()
class Normalize:
    """Scale 8-bit pixels to 0..1, subtract a mean and divide by a standard deviation for each channel.

    Args:
        mean: RGB mean, in 0..1.
        std: RGB standard deviation, in 0..1.
    """

    def __init__(self, mean: Sequence[float] = IMAGENET_MEAN, std: Sequence[float] = IMAGENET_STD) -> None:
        self.mean = np.array(mean, dtype=np.float32)
        self.std = np.array(std, dtype=np.float32)
        if self.mean.shape != (3,) or self.std.shape != (3,) or (self.std <= 0).any():
            raise ValueError(f'mean and std must be three numbers, std positive; got {mean} and {std}')

    def __call__(self, results: dict) -> dict:
        """Turn every frame into float32."""
        return on_frames(results, lambda frame: (frame.astype(np.float32) / 255 - self.mean) / self.std)


@TRANSFORMS.register_module()
class PackFaceInputs:
    """The last transform: ``inputs``, ``texture_source`` where one was kept, and ``data_samples``.

    ``inputs`` is float (3, H, W), or (3, T, H, W) for a clip; ``texture_source`` the same in uint8.
    """

    def __call__(self, results: dict) -> dict:
        """Pack an item whose pixels were normalised."""
        if results['frames'][0].dtype != np.float32:
            raise ValueError('PackFaceInputs must come after Normalize')
        packed = {'inputs': self._tensor(results['frames'], results['is_clip'])}
        if 'texture_frames' in results:
            packed['texture_source'] = self._tensor(results['texture_frames'], results['is_clip'])
        gt = {
            task: torch.tensor(label, dtype=torch.float32) if isinstance(label, (list, tuple)) else int(label)
            for task, label in results.get('gt', {}).items()
        }
        packed['data_samples'] = FaceSample(
            gt=gt, groups=dict(results.get('groups', {})), path=results['path'], video_id=results.get('video_id')
        )
        return packed

    @staticmethod
    def _tensor(frames: list[np.ndarray], is_clip: bool) -> torch.Tensor:
        if is_clip:
            return torch.from_numpy(np.ascontiguousarray(np.stack(frames).transpose(3, 0, 1, 2)))
        return torch.from_numpy(np.ascontiguousarray(frames[0].transpose(2, 0, 1)))
