"""Peers to train as the mixture is trained: ST-GCN++ and CTR-GCN as recognisers, and the loader of CTR-GCN's line.

Only ``benchmarks/configs/peers.py`` imports this, so that no package depends on a yardstick. A checkpoint of a peer is
therefore read by ``tools/test.py`` with that config, and by nothing that knows the checkpoint alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.ctrgcn import CTRGCN
from benchmarks.stgcnpp import STGCNPlusPlus
from bmoe_skel.clip import Clip
from bmoe_skel.models.heads import ActionHead
from bmoe_skel.models.layers import masked_mean
from bmoe_skel.models.recognizer import Batch, Encoded, SkeletonRecognizer
from bmoe_skel.registry import MODELS, TRANSFORMS

BACKBONES = ('stgcnpp', 'ctrgcn')


@MODELS.register_module()
class PeerRecognizer(SkeletonRecognizer[Encoded]):
    """A published graph network in the place of the mixture: the same clips in, the same head and losses out.

    It reads what its authors give it: coordinates (0 where not seen), and for 2D whether a keypoint is seen, in the
    place of the score. Persons who are not seen do not enter the mean over persons (its authors let them); with one
    person a clip that is the same.

    Args:
        backbone: 'stgcnpp' or 'ctrgcn'.
        num_classes: C; None in a config takes the dataset's.
        skeleton: Name of the keypoint layout, whose bones are the graph; None in a config takes the dataset's.
        coordinates: 2 or 3; None in a config takes the dataset's.
        head: Arguments of :class:`ActionHead` but ``dims`` and ``num_classes``.
        data_preprocessor: Config of the batch builder.

    Raises:
        ValueError: ``backbone`` is unknown.

    Example:
        >>> model = PeerRecognizer('ctrgcn', num_classes=7, skeleton='coco17').eval()
        >>> model(torch.rand(4, 1, 30, 17, 2)).shape
        torch.Size([4, 7])
    """

    def __init__(
        self,
        backbone: str,
        num_classes: int | None = None,
        skeleton: str | None = None,
        coordinates: int | None = 2,
        head: dict[str, Any] | None = None,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(num_classes, skeleton, coordinates, data_preprocessor)
        if backbone not in BACKBONES:
            raise ValueError(f'unknown backbone {backbone!r}; choose one of {BACKBONES}')
        made: STGCNPlusPlus | CTRGCN
        if backbone == 'stgcnpp':
            made = STGCNPlusPlus(self.skeleton, self.num_classes, channels=3)
        else:
            made = CTRGCN(self.skeleton, self.num_classes, channels=3, persons=1)
        dims = made.classifier.in_features
        made.classifier = torch.nn.Identity()  # type: ignore[assignment]  # the head classifies
        self.backbone = made
        self.head = ActionHead(dims, self.num_classes, **(head or {}))

    def encode(self, inputs: Batch) -> Encoded:
        """Run the backbone on every body and average over the persons; see :class:`SkeletonRecognizer`."""
        keypoint, visible = inputs['keypoint'], inputs['visible']
        self._check_layout(*keypoint.shape[4:])
        batch, cuts, persons = keypoint.shape[:3]
        mask = visible.flatten(0, 2).unsqueeze(-1)
        channels = keypoint.flatten(0, 2).masked_fill(~mask, 0)
        if self.coordinates == 2:
            channels = torch.cat([channels, mask.to(channels.dtype)], -1)
        bodies: Tensor = self.backbone.bodies(channels.unsqueeze(1)).view(batch * cuts, persons, -1)
        shown = mask.flatten(1).any(1).view(batch * cuts, persons, 1)
        return Encoded(clip=masked_mean(bodies, shown, dim=1), bodies=(batch, cuts, persons))

    def losses(self, encoded: Encoded, target: Tensor) -> dict[str, Tensor]:
        """Compute the losses that the head has."""
        return self.head.losses(encoded.clip, target)


@TRANSFORMS.register_module()
class CubeView:
    """The loader that CTR-GCN, HD-GCN, BlockGCN, InfoGCN and others share: turn, then stretch the clip into a cube.

    A 3D clip is turned about x, then y, by whole degrees; then each axis of the whole clip, all persons together, is
    stretched to -1..1. Their subtraction of a joint and their random scale are left out: the stretch undoes both. To be
    put behind ``NormalizePose``, before the frames are drawn.

    Args:
        degrees: Largest angle of each turn; 0 for the test. A 2D clip is not turned.
    """

    def __init__(self, degrees: int = 0) -> None:
        self.degrees = degrees

    def __call__(self, clip: Clip) -> Clip:
        """Turn and stretch one clip."""
        keypoint, visible = clip['keypoint'], clip['visible']
        if self.degrees and keypoint.shape[-1] == 3:
            x, y = np.radians(clip['rng'].integers(-self.degrees, self.degrees + 1, 2))
            about_x = np.array([[1, 0, 0], [0, np.cos(x), np.sin(x)], [0, -np.sin(x), np.cos(x)]])
            about_y = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
            keypoint = keypoint @ (about_y @ about_x).T
        low, high = keypoint[visible].min(0), keypoint[visible].max(0)
        stretched = 2 * (keypoint - low) / np.maximum(high - low, 1e-6) - 1
        clip['keypoint'] = np.where(visible[..., None], stretched, 0).astype(np.float32)
        return clip
