"""Stage 1: one expert alone. Stage 2 starts from its weights."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from bmoe_ground.errors import UserError
from bmoe_skel.models.heads import ActionHead
from bmoe_skel.models.layers import masked_mean
from bmoe_skel.models.recognizer import SkeletonRecognizer
from bmoe_skel.models.region_expert import RegionExpert
from bmoe_skel.registry import MODELS
from bmoe_skel.structures import ActionSample
from mm_runtime.checkpoint import load_checkpoint

_PREFIX = 'expert.'


@MODELS.register_module()
class RegionRecognizer(SkeletonRecognizer):
    """A region's expert as a classifier of its own.

    Args:
        region: 'head', 'body', 'upper', 'lower', or 'whole'.
        num_classes: C; None takes the dataset's.
        skeleton: Name of the keypoint layout; None takes the dataset's.
        coordinates: 2 or 3; None takes the dataset's.
        dims: D, channels of every token; as in the mixture it is to start.
        expert: Further arguments of :class:`RegionExpert`; as in the mixture.
        drop_path: Chance to skip a branch in training.
        head: Arguments of :class:`ActionHead` but ``dims`` and ``num_classes``.
        data_preprocessor: Config of the batch builder.
    """

    expert: RegionExpert
    head: ActionHead

    def __init__(
        self,
        region: str,
        num_classes: int | None = None,
        skeleton: str | None = None,
        coordinates: int | None = None,
        dims: int = 96,
        expert: dict[str, Any] | None = None,
        drop_path: float = 0.0,
        head: dict[str, Any] | None = None,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(num_classes, skeleton, coordinates, data_preprocessor)
        arguments = {'drop_path': drop_path, **(expert or {})}
        self.expert = RegionExpert(self.skeleton, region, self.features.num_channels, dims, **arguments)
        self.head = ActionHead(dims, self.num_classes, **(head or {}))

    def forward(
        self, inputs: dict[str, Tensor], data_samples: list[ActionSample] | None = None, mode: str = 'tensor'
    ) -> Any:
        """Run the model; modes as in :class:`BMoE`."""
        features, visible, (batch, cuts, persons) = self.read(inputs)
        tokens, seen = self.expert(features, visible)
        body = masked_mean(tokens, seen.unsqueeze(-1), dim=1).view(batch * cuts, persons, -1)
        shown = seen.any(1).view(batch * cuts, persons, 1)
        clip = masked_mean(body, shown, dim=1)
        if mode == 'loss':
            target = self.targets(data_samples or [], clip.device).repeat_interleave(cuts, 0)
            return self.head.losses(clip, target, shown.any(1).squeeze(-1).to(clip.dtype))
        logits = self.head(clip)
        if mode == 'tensor':
            return logits
        if mode == 'predict':
            scores = self.head.scores(logits.float())
            parts = self.head.body_scores(clip, scores)
            parts = None if parts is None else parts.view(batch, cuts, -1).mean(1)
            return self.add_predictions(data_samples, scores.view(batch, cuts, -1).mean(1), parts, None)
        raise ValueError(f"unknown mode {mode!r}; choose 'loss', 'predict' or 'tensor'")


def load_expert(expert: RegionExpert, path: str, train_clips: str | None = None) -> None:
    """Start a mixture's expert from one trained alone.

    Args:
        expert: The expert to fill.
        path: Checkpoint of a :class:`RegionRecognizer`.
        train_clips: Digest of the clips it must have been trained on, as its ``dataset_meta`` has it; None for any.

    Raises:
        UserError: The checkpoint is of another model, region, size or set of training clips.
    """
    checkpoint = load_checkpoint(path)
    weights = {k.removeprefix(_PREFIX): v for k, v in checkpoint['state_dict'].items() if k.startswith(_PREFIX)}
    if not weights:
        raise UserError(f'{path} is no checkpoint of a single expert (RegionRecognizer): it has no keys "{_PREFIX}..."')
    theirs, ours = weights.get('embedding.joints'), expert.embedding.joints
    if theirs is None or theirs.tolist() != ours.tolist():
        found = None if theirs is None else theirs.tolist()
        raise UserError(
            f'{path} is the expert of another region or skeleton: it sees joints {found}, region {expert.region!r} '
            f'has {ours.tolist()}'
        )
    theirs_clips = (checkpoint.get('meta', {}).get('dataset_meta') or {}).get('clips_digest')
    if train_clips is not None and theirs_clips is not None and theirs_clips != train_clips:
        raise UserError(
            f"{path} was trained on other clips than this run's training set, perhaps on some that validate or test "
            'it: train the expert with the same split_seed and annotations, or, if no clip is in both, give '
            '--cfg-options model.train_clips=any'
        )
    try:
        expert.load_state_dict(weights)
    except RuntimeError as error:
        raise UserError(f'{path} does not fit the expert of region {expert.region!r}: {error}') from error
