"""From a list of samples to one batch on the model's device."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from bmoe_ground.errors import UserError
from bmoe_ground.pixels import IMAGENET_MEAN, IMAGENET_STD
from bmoe_skel.registry import MODELS

MEAN, STD = (tuple(255 * value for value in values) for values in (IMAGENET_MEAN, IMAGENET_STD))


@MODELS.register_module()
class PosePreprocessor(BaseDataPreprocessor):
    """Stack the samples of a batch, padding shorter clips at their end with invisible frames.

    RGB crops arrive as uint8 and leave as floats normalised with ImageNet's mean and deviation.

    Args:
        mean: Of RGB in 0..255.
        std: Of RGB in 0..255.
    """

    def __init__(
        self,
        mean: tuple[float, ...] = MEAN,
        std: tuple[float, ...] = STD,
    ) -> None:
        super().__init__()
        self.register_buffer('mean', torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std).view(3, 1, 1), persistent=False)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Build the batch.

        Args:
            data: ``inputs``, a dict of lists of tensors (keypoint (S, M, T, V, C), visible (S, M, T, V), pace (S, T),
                and optional feature (T_f, C_f), rgb (T_r, 3, H, W), rgb_seen (T_r,)), and ``data_samples``, a list.
            training: Unused; part of mmengine's interface.

        Returns:
            ``inputs`` with keypoint (B, S, M, T, V, C) and so on, and ``data_samples``.

        Raises:
            UserError: Some samples of the batch lack what others have.
        """
        data = self.cast_data(data)
        inputs, samples = data['inputs'], data.get('data_samples')
        batch = {
            'keypoint': _stack(inputs['keypoint'], time_dim=2),
            'visible': _stack(inputs['visible'], time_dim=2),
            'pace': _stack(inputs['pace'], time_dim=1),
        }
        for key in ('feature', 'rgb', 'rgb_seen'):
            if key in inputs and len(inputs[key]) != len(inputs['keypoint']):
                raise UserError(f'only {len(inputs[key])} of {len(inputs["keypoint"])} clips of a batch have {key!r}')
        if 'feature' in inputs:
            lengths = torch.tensor([len(f) for f in inputs['feature']], device=batch['keypoint'].device)
            batch['feature'] = _stack([f.float() for f in inputs['feature']], time_dim=0)
            steps = torch.arange(batch['feature'].shape[1], device=lengths.device)
            batch['feature_seen'] = steps[None] < lengths[:, None]
        if 'rgb' in inputs:
            batch['rgb'] = (torch.stack(inputs['rgb']).float() - self.mean) / self.std
        if 'rgb_seen' in inputs:
            batch['rgb_seen'] = torch.stack(inputs['rgb_seen'])
        return {'inputs': batch, 'data_samples': samples}


def _stack(tensors: list[Tensor], time_dim: int) -> Tensor:
    longest = max(t.shape[time_dim] for t in tensors)
    padded = []
    for tensor in tensors:
        after = [0, 0] * (tensor.ndim - 1 - time_dim) + [0, longest - tensor.shape[time_dim]]
        padded.append(F.pad(tensor, after) if after[-1] else tensor)
    return torch.stack(padded)
