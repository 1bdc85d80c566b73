"""What the whole mixture and a single expert share: reading input, the one forward, completing a config."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from mmengine.model import BaseModel
from torch import Tensor

from bmoe_ground.errors import UserError
from bmoe_skel.models import preprocessor  # noqa: F401  (registers the batch builder)
from bmoe_skel.models.features import SkeletonFeatures
from bmoe_skel.models.heads import ActionHead
from bmoe_skel.models.normalize import normalize_pose
from bmoe_skel.registry import MODELS
from bmoe_skel.structures import ActionSample
from pose_extract.skeletons import get_skeleton, register_embedded

MODES = ('tensor', 'loss', 'predict')
Batch = dict[str, Tensor]
"""``inputs`` as :class:`PosePreprocessor` builds them."""


@dataclass(frozen=True)
class Encoded:
    """A batch after everything but the heads.

    Attributes:
        clip: (B * S, D), each cut of each clip.
        bodies: (B, S, M), clips, cuts of a clip, persons.
    """

    clip: Tensor
    bodies: tuple[int, int, int]


EncodedT = TypeVar('EncodedT', bound=Encoded)


class SkeletonRecognizer(BaseModel, Generic[EncodedT]):
    """Base of models that read skeletons.

    A subclass sets ``head`` and says how it encodes (:meth:`encode`), what it loses (:meth:`losses`) and, where it has
    more to say of a prediction than its scores, what (:meth:`explain`).

    Args:
        num_classes: C; None in a config takes the dataset's.
        skeleton: Name of the keypoint layout; None in a config takes the dataset's.
        coordinates: 2 or 3; None in a config takes the dataset's.
        data_preprocessor: Config of the batch builder.

    Raises:
        UserError: One of the first three is still None when the model is built.
    """

    head: ActionHead
    classes: list[str] | None = None  # their names, where the model came from a checkpoint

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
            UserError: Config and data contradict each other, a class has no training clip, or there is one class only.
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
        if counts is not None:  # the data are to be trained on
            if len(counts) < 2 and not head['multi_label']:
                raise UserError(
                    f'the data have one class only, {metainfo["classes"][0]!r}: there is nothing to tell it from. Add '
                    'clips of another class, such as of people who do nothing in particular'
                )
            absent = [name for name, count in zip(metainfo['classes'], counts, strict=True) if not count]
            if absent:
                raise UserError(
                    f'{len(absent)} of {len(counts)} classes have no training clip: {", ".join(absent[:8])}. '
                    'Add clips, or leave the classes out of the dataset'
                )
            loss = head.setdefault('loss', {})
            if loss.get('balance') is not None and loss.get('class_counts') is None:
                loss['class_counts'] = list(counts)

    def encode(self, inputs: Batch) -> EncodedT:
        """Run everything but the heads.

        Args:
            inputs: A batch as :class:`PosePreprocessor` builds it.

        Returns:
            The clips' features and what led to them.
        """
        raise NotImplementedError

    def losses(self, encoded: EncodedT, target: Tensor) -> dict[str, Tensor]:
        """Compute the losses of a batch.

        Args:
            encoded: From :meth:`encode`.
            target: (B * S,) int64, or (B * S, C) float for several labels: each cut has its clip's label.

        Returns:
            Name to () loss.
        """
        raise NotImplementedError

    def explain(self, encoded: EncodedT) -> dict[str, Tensor]:
        """What else a prediction says; by default nothing.

        Args:
            encoded: From :meth:`encode`.

        Returns:
            A field of :class:`ActionSample` to its values, one row a clip.
        """
        return {}

    def forward(
        self, inputs: Batch | Tensor, data_samples: list[ActionSample] | None = None, mode: str = 'tensor'
    ) -> Any:
        """Run the model.

        Args:
            inputs: A batch as :class:`PosePreprocessor` builds it, or clips as a plain tensor, see :meth:`batch_of`.
            data_samples: The batch's samples; needed for the losses.
            mode: 'tensor' for logits (B * S, C), 'loss' for a dict of losses, 'predict' for samples with predictions.

        Returns:
            As ``mode`` says.

        Raises:
            ValueError: The mode is unknown.
            UserError: The clips are of another layout.
        """
        if mode not in MODES:
            raise ValueError(f'unknown mode {mode!r}; choose one of {MODES}')
        encoded = self.encode(self.batch_of(inputs))
        if mode == 'loss':
            return self.losses(encoded, self._targets(encoded, data_samples or []))
        if mode == 'predict':
            return self._predict(encoded, data_samples)
        return self.forward_head(encoded.clip)

    def forward_features(self, inputs: Batch | Tensor) -> Tensor:
        """Describe clips by what the head would classify, for retrieval, probing or a head of one's own.

        Args:
            inputs: As for :meth:`forward`.

        Returns:
            (N, D) of a plain tensor of N clips, (B * S, D) of a batch.
        """
        return self.encode(self.batch_of(inputs)).clip

    def forward_head(self, features: Tensor) -> Tensor:
        """Classify features.

        Args:
            features: (N, D), from :meth:`forward_features`.

        Returns:
            (N, C) logits; ``forward_head(forward_features(x))`` is ``forward(x)``.
        """
        return self.head(features)

    def batch_of(self, inputs: Batch | Tensor) -> Batch:
        """Turn a plain tensor of clips into a batch; one that is a batch already passes.

        Clips are normalised as the transform ``NormalizePose`` does by default (:func:`normalize_pose`). Their frames
        are taken as they are: none is resampled, and the pace, time from step to step in 1/30 s, is 1 throughout, that
        of a video of 30 frames a second. A clip in which nobody is seen gives the logits of an empty clip.

        Args:
            inputs: (N, M, T, V, C) floats: clips, persons, frames, keypoints of the model's skeleton, coordinates of
                any unit (pixels, metres); NaN where absent. Any M, T >= 1. Or a batch.

        Returns:
            ``keypoint``, ``visible`` and ``pace`` of N clips with one cut each.

        Raises:
            UserError: The tensor has another shape, or no floats.
        """
        if not isinstance(inputs, Tensor):
            return inputs
        if inputs.ndim != 5 or 0 in inputs.shape[1:] or not inputs.is_floating_point():
            raise UserError(
                f'clips have shape {tuple(inputs.shape)} of {inputs.dtype}, expected floats of shape (N, M, T, V, C): '
                'clips, persons, frames, keypoints, coordinates'
            )
        self._check_layout(*inputs.shape[3:])
        keypoint, visible = normalize_pose(inputs, self.skeleton)
        keypoint = keypoint.to(self.features.standardize.mean.dtype)
        pace = keypoint.new_ones(keypoint.shape[0], 1, keypoint.shape[2])
        return {'keypoint': keypoint.unsqueeze(1), 'visible': visible.unsqueeze(1), 'pace': pace}

    def read(self, inputs: Batch) -> tuple[Tensor, Tensor, tuple[int, int, int]]:
        """Compute the joint channels of every body in a batch.

        Args:
            inputs: ``keypoint`` (B, S, M, T, V, C), ``visible`` (B, S, M, T, V) and ``pace`` (B, S, T).

        Returns:
            features (N, T, V, F), visible (N, T, V), and (B, S, M) with N = B * S * M.

        Raises:
            UserError: The keypoints are of another layout.
        """
        keypoint, visible = inputs['keypoint'], inputs['visible']
        self._check_layout(*keypoint.shape[4:])
        bodies = keypoint.shape[:3]
        visible = visible.flatten(0, 2)
        pace = inputs['pace'].unsqueeze(2).expand(keypoint.shape[:4]).flatten(0, 2)
        return self.features(keypoint.flatten(0, 2), visible, pace), visible, (bodies[0], bodies[1], bodies[2])

    def _check_layout(self, keypoints: int, coordinates: int) -> None:
        if (keypoints, coordinates) != (self.num_keypoints, self.coordinates):
            raise UserError(
                f'the clips have {keypoints} keypoints of {coordinates} coordinates, the model was made '
                f'for {self.skeleton} ({self.num_keypoints} of {self.coordinates})'
            )

    @staticmethod
    def _targets(encoded: Encoded, samples: list[ActionSample]) -> Tensor:
        """The labels of every cut: (B * S,) int64, or (B * S, C) float for several labels."""
        labels = torch.stack([sample.gt_label for sample in samples]).to(encoded.clip.device)
        return labels.repeat_interleave(encoded.bodies[1], 0)

    def _predict(self, encoded: EncodedT, samples: list[ActionSample] | None) -> list[ActionSample]:
        """Write predictions, averaged over the cuts of each clip, into the samples (or new ones)."""
        batch, cuts, _ = encoded.bodies
        scores = self.head.scores(self.forward_head(encoded.clip).float())
        answers = {'pred_scores': scores.view(batch, cuts, -1).mean(1)}
        body = self.head.body_scores(encoded.clip, scores)
        if body is not None:
            answers['pred_body_scores'] = body.view(batch, cuts, -1).mean(1)
        answers |= self.explain(encoded)
        samples = samples if samples is not None else [ActionSample() for _ in range(batch)]
        for i, sample in enumerate(samples):
            for field, values in answers.items():
                setattr(sample, field, values[i].detach().float().cpu())
        return samples
