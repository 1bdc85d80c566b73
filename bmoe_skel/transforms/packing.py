"""From a clip to tensors that a batch can hold, and the sample that travels beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from bmoe_skel.clip import Clip, Packed
from bmoe_skel.registry import TRANSFORMS
from bmoe_skel.structures import ActionSample

_OF_A_WINDOW = ('recording', 'start', 'end')


@TRANSFORMS.register_module()
class PackPose:
    """Turn a clip into the model's input and its :class:`ActionSample`.

    Args:
        max_persons: M of every sample; persons are cut or filled with invisible ones. None takes the number that the
            dataset says its clips have at most.
    """

    def __init__(self, max_persons: int | None = 1) -> None:
        self.max_persons = max_persons

    def __call__(self, clip: Clip) -> Packed:
        """Pack one clip.

        Returns:
            The model's input and the sample, see :class:`Packed`.
        """
        persons = self.max_persons or int(clip['persons'])
        inputs = {
            'keypoint': _tensor(_fit_persons(clip['keypoint'], persons), np.float32),
            'visible': _tensor(_fit_persons(clip['visible'], persons)),
            'pace': _tensor(clip['pace']),
        }
        facts: Mapping[str, Any] = clip
        inputs |= {key: _tensor(facts[key]) for key in ('feature', 'rgb', 'rgb_seen') if key in facts}
        named = {'name': str(facts.get('frame_dir', '')), **{key: facts[key] for key in _OF_A_WINDOW if key in facts}}
        sample = ActionSample(metainfo=named)
        if 'label' in clip:
            sample.gt_label = torch.as_tensor(clip['label'])
        return {'inputs': inputs, 'data_samples': sample}


def _tensor(array: np.ndarray, dtype: Any = None) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=dtype))


def _fit_persons(array: np.ndarray, persons: int) -> np.ndarray:
    array = array[:, :persons]
    missing = persons - array.shape[1]
    if missing:
        array = np.concatenate([array, np.zeros((array.shape[0], missing, *array.shape[2:]), array.dtype)], axis=1)
    return array
