"""What the whole mixture and a single expert share: reading a batch, completing a config, writing predictions."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor

from bmoe_ground.errors import UserError
from bmoe_skel.models import preprocessor  # noqa: F401  (registers the batch builder)
from bmoe_skel.models.features import SkeletonFeatures
from bmoe_skel.registry import MODELS
from bmoe_skel.structures import ActionSample
from pose_extract.skeletons import get_skeleton, register_embedded


class SkeletonRecognizer(BaseModel):
    """Base of models that read skeletons.

    Args:
        num_classes: C; None takes the dataset's.
        skeleton: Name of the keypoint layout; None takes the dataset's.
        coordinates: 2 or 3; None takes the dataset's.
        data_preprocessor: Config of the batch builder.

    Raises:
        UserError: One of the first three is still None when the model is built.
    """

    def __init__(
        self,
        num_classes: int | None,
        skeleton: str | None,
        coordinates: int | None,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=MODELS.build(data_preprocessor or {'type': 'PosePreprocessor'}))
        if num_classes is None or skeleton is None or coordinates is None:
            raise UserError(
                f'model needs num_classes, skeleton and coordinates, got {num_classes}, {skeleton!r}, {coordinates}; '
                'give them, or train and test through tools/train.py and tools/test.py, which take them from the data'
            )
        self.num_classes = num_classes
        self.skeleton = skeleton
        self.coordinates = coordinates
        self.num_keypoints = get_skeleton(skeleton).num_keypoints
        self.features = SkeletonFeatures(skeleton, coordinates)

    @classmethod
    def complete_config(cls, model: dict[str, Any], metainfo: dict[str, Any]) -> None:
        """Fill what a model config leaves open from the dataset, and refuse contradictions.

        Args:
            model: The model's config; changed in place.
            metainfo: The dataset's ``classes``, ``skeleton``, ``coordinates``, ``multi_label`` and, for training,
                ``class_counts``; optionally ``body_parts``, and ``layout_declaration`` for a layout that is not
                built in.

        Raises:
            UserError: Config and data contradict each other, or a class has no training clip.
        """
        register_embedded(metainfo, "the data's layout")
        facts = {
            'num_classes': len(metainfo['classes']),
            'skeleton': metainfo['skeleton'],
            'coordinates': metainfo['coordinates'],
        }
        for key, value in facts.items():
            if model.get(key) is None:
                model[key] = value
            elif model[key] != value:
                raise UserError(f'model.{key} is {model[key]!r}, but the data has {value!r}')
        head = model.setdefault('head', {})
        head['multi_label'] = bool(metainfo.get('multi_label', False))
        if head.get('body_parts') is None and metainfo.get('body_parts') is not None:
            head['body_parts'] = list(metainfo['body_parts'])
        counts = metainfo.get('class_counts')
        if counts is not None:
            absent = [name for name, count in zip(metainfo['classes'], counts, strict=True) if not count]
            if absent:
                raise UserError(
                    f'{len(absent)} of {len(counts)} classes have no training clip: {", ".join(absent[:8])}. '
                    'Add clips, or leave the classes out of the dataset'
                )
            loss = head.setdefault('loss', {})
            if loss.get('balance') is not None and loss.get('class_counts') is None:
                loss['class_counts'] = list(counts)

    def read(self, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor, tuple[int, int, int]]:
        """Compute the joint channels of every body in a batch.

        Args:
            inputs: ``keypoint`` (B, S, M, T, V, C), ``visible`` (B, S, M, T, V) and ``pace`` (B, S, T).

        Returns:
            features (N, T, V, F), visible (N, T, V), and (B, S, M) with N = B * S * M.

        Raises:
            UserError: The keypoints are of another layout.
        """
        keypoint, visible = inputs['keypoint'], inputs['visible']
        if keypoint.shape[4:] != (self.num_keypoints, self.coordinates):
            raise UserError(
                f'the clips have {keypoint.shape[4]} keypoints of {keypoint.shape[5]} coordinates, the model was made '
                f'for {self.skeleton} ({self.num_keypoints} of {self.coordinates})'
            )
        bodies = keypoint.shape[:3]
        visible = visible.flatten(0, 2)
        pace = inputs['pace'].unsqueeze(2).expand(keypoint.shape[:4]).flatten(0, 2)
        return self.features(keypoint.flatten(0, 2), visible, pace), visible, (bodies[0], bodies[1], bodies[2])

    def add_predictions(
        self,
        samples: list[ActionSample] | None,
        scores: Tensor,
        body: Tensor | None,
        routing: Tensor | None,
        parts: Tensor | None = None,
    ) -> list[ActionSample]:
        """Write a batch's predictions into its samples.

        Args:
            samples: The batch's samples, or None to make new ones.
            scores: (B, C).
            body: (B, P) or None.
            routing: (B, R, T') or None.
            parts: (B, P, C) or None, the answers of the model's parts alone.

        Returns:
            The samples.
        """
        samples = samples if samples is not None else [ActionSample() for _ in scores]
        for i, sample in enumerate(samples):
            sample.pred_scores = scores[i].detach().float().cpu()
            if body is not None:
                sample.pred_body_scores = body[i].detach().float().cpu()
            if routing is not None:
                sample.routing = routing[i].detach().float().cpu()
            if parts is not None:
                sample.part_scores = parts[i].detach().float().cpu()
        return samples

    @staticmethod
    def targets(samples: list[ActionSample], device: torch.device) -> Tensor:
        """Stack the labels: (B,) int64, or (B, C) float for several labels."""
        return torch.stack([sample.gt_label for sample in samples]).to(device)
