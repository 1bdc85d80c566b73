"""Which region of the body an answer came from: by hiding regions, and by what the model says of itself.

The router's weights say which expert was listened to. They do not say that the answer came from there: the global
stream, which sees every region, is added to what was routed. What an answer came from shows when a region is hidden.

Regions are hidden behind the normalisation: place, size and direction of the body stay those of the whole clip, and
experts and global stream lose the region's keypoints, as ``DropJoints`` hides them in training. RGB crops and
precomputed features are not touched: what they show of a region stays in view.
"""

from __future__ import annotations

from collections.abc import Collection
from math import factorial

import torch
from torch import Tensor

from bmoe_ground.errors import UserError
from bmoe_skel.models.recognizer import Batch, SkeletonRecognizer
from bmoe_skel.structures import ActionSample
from pose_extract.skeletons import REGIONS, get_skeleton

METHODS = ('leave_one_out', 'alone', 'shapley', 'margin', 'routing')
"""How an answer can be attributed to regions, see :func:`attribute_regions`."""
LEAST = 1e-6
"""Probabilities below this count as this before their logarithm is taken."""
_ALL = (1 << len(REGIONS)) - 1
_CLIPS_AT_ONCE = 32  # of one pass, where a batch is smaller


def hide_regions(inputs: Batch, skeleton: str, regions: Collection[str]) -> Batch:
    """Hide regions of every person in a batch, for the whole clip.

    Args:
        inputs: As :class:`PosePreprocessor` builds it, normalised; left as it is.
        skeleton: Name of its keypoint layout.
        regions: Some of the four regions.

    Returns:
        A batch that shares everything but ``keypoint`` and ``visible`` with ``inputs``. With all four regions hidden
        nobody is seen, which a model answers as it answers an empty clip.

    Raises:
        UserError: There is no such region.

    Example:
        >>> inputs = {'keypoint': torch.ones(1, 1, 1, 8, 17, 2), 'visible': torch.ones(1, 1, 1, 8, 17).bool()}
        >>> hide_regions(inputs, 'coco17', ['head'])['visible'][0, 0, 0, 0].int().tolist()
        [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    """
    layout = get_skeleton(skeleton)
    unknown = [region for region in regions if region not in REGIONS]
    if unknown:
        raise UserError(f'unknown region {unknown[0]!r}; choose of {REGIONS}')
    hidden = [joint for region in regions for joint in layout.regions[region]]
    visible = inputs['visible'].clone()
    visible[..., hidden] = False
    keypoint = inputs['keypoint'].masked_fill(~visible.unsqueeze(-1), 0)
    return {**inputs, 'keypoint': keypoint, 'visible': visible}


def seen_regions(inputs: Batch, skeleton: str) -> Tensor:
    """Tell which regions of each clip are seen at all.

    Args:
        inputs: As :class:`PosePreprocessor` builds it.
        skeleton: Name of its keypoint layout.

    Returns:
        (B, 4) bool, in the order of ``REGIONS``.
    """
    layout = get_skeleton(skeleton)
    joints = inputs['visible'].flatten(1, -2).any(1)  # (B, V)
    return torch.stack([joints[:, list(layout.regions[region])].any(1) for region in REGIONS], 1)


@torch.no_grad()
def subset_scores(model: SkeletonRecognizer, inputs: Batch, subsets: Collection[int] = range(_ALL + 1)) -> Tensor:
    """Ask a model what it answers where it sees some of the regions only.

    Args:
        model: In evaluation mode.
        inputs: B clips, as :class:`PosePreprocessor` builds them.
        subsets: Which sets of regions are shown: bit r of a number stands for ``REGIONS[r]``, 0 shows nothing and 15
            the whole body.

    Returns:
        (B, len(subsets), C) probabilities, averaged over the cuts of each clip as in every test.
    """
    asked, count = list(subsets), len(inputs['visible'])
    at_once = max(1, _CLIPS_AT_ONCE // count)
    answers: list[Tensor] = []
    for first in range(0, len(asked), at_once):
        parts = [hide_regions(inputs, model.skeleton, _hidden(subset)) for subset in asked[first : first + at_once]]
        together = {key: torch.cat([part[key] for part in parts]) for key in inputs}
        scores = torch.stack([sample.pred_scores for sample in model(together, mode='predict')])
        answers += scores.split(count)
    return torch.stack(answers, 1)


def _hidden(subset: int) -> list[str]:
    return [region for r, region in enumerate(REGIONS) if not subset >> r & 1]


@torch.no_grad()
def attribute_regions(
    model: SkeletonRecognizer, inputs: Batch, method: str = 'shapley', target: Tensor | None = None
) -> Tensor:
    """Attribute the answer for each clip to the four regions.

    What the number of a region says, c being the class:

    * ``leave_one_out``: log p(c), minus log p(c) with the region hidden: what is lost without it. 5 passes.
    * ``alone``: log p(c) with only the region shown, minus log p(c) with nothing shown. 6 passes.
    * ``shapley``: the Shapley value of log p(c) over the 16 sets of regions, exact: the mean, over all orders in which
      regions could come into view, of what it adds; in sum log p(c) minus log p(c) with nothing shown. 16 passes.
    * ``margin``: of the region's own classifier: log p(c) minus log p of its best other class. 1 pass.
    * ``routing``: the router's mean weight, 0..1 and 1 in sum, the same for every c. 1 pass.

    A region that hurts the answer has a negative number with the first four. Two regions that say the same have small
    numbers by ``leave_one_out``, since each makes up for the other, and share alike by ``shapley``.

    Args:
        model: In evaluation mode.
        inputs: B clips, as :class:`PosePreprocessor` builds them, or ``model.batch_of(clips)``.
        method: One of :data:`METHODS`.
        target: (B,) int64, the class c of each clip; None takes the class that the model answers for the whole.

    Returns:
        (B, 4) float32 on the CPU, in the order of ``REGIONS``; NaN for a region of which nothing is seen.

    Raises:
        UserError: The method is unknown, or asks for a part that the model lacks: a router, the regions' classifiers.

    Example:
        >>> model = bmoe_skel.BMoE(num_classes=7, skeleton='coco17').eval()
        >>> inputs = model.batch_of(torch.rand(4, 1, 30, 17, 2))
        >>> attribute_regions(model, inputs, 'shapley').shape
        torch.Size([4, 4])
    """
    if method not in METHODS:
        raise UserError(f'unknown attribution {method!r}; choose one of {METHODS}')
    seen = seen_regions(inputs, model.skeleton).cpu()
    if method in ('routing', 'margin'):
        samples = model(inputs, mode='predict')
        values = _routing(samples) if method == 'routing' else _margin(samples, target)
    else:
        subsets = {
            'leave_one_out': [_ALL, *(_ALL ^ 1 << r for r in range(len(REGIONS)))],
            'alone': [_ALL, 0, *(1 << r for r in range(len(REGIONS)))],
            'shapley': range(_ALL + 1),
        }[method]
        answers = dict(zip(subsets, subset_scores(model, inputs, subsets).unbind(1), strict=True))
        chosen = answers[_ALL].argmax(1) if target is None else target.cpu()
        logs = {subset: _log_of(scores, chosen) for subset, scores in answers.items()}
        values = {'leave_one_out': left_out, 'alone': shown_alone, 'shapley': shapley}[method](logs)
    return values.masked_fill(~seen, torch.nan)


def left_out(logs: dict[int, Tensor]) -> Tensor:
    """What is lost without each region.

    Args:
        logs: Set of regions to (B,) the logarithm of the class's probability with these shown.

    Returns:
        (B, 4).
    """
    return torch.stack([logs[_ALL] - logs[_ALL ^ 1 << r] for r in range(len(REGIONS))], 1)


def shown_alone(logs: dict[int, Tensor]) -> Tensor:
    """What each region brings alone; see :func:`left_out`."""
    return torch.stack([logs[1 << r] - logs[0] for r in range(len(REGIONS))], 1)


def shapley(logs: dict[int, Tensor]) -> Tensor:
    """Shapley values (Shapley 1953; in explanations: Lundberg and Lee 2017) over all 16 sets; see :func:`left_out`."""
    count = len(REGIONS)
    values = []
    for r in range(count):
        total = torch.zeros_like(logs[0])
        for subset in range(_ALL + 1):
            if subset >> r & 1:
                continue
            size = subset.bit_count()
            weight = factorial(size) * factorial(count - size - 1) / factorial(count)
            total = total + weight * (logs[subset | 1 << r] - logs[subset])
        values.append(total)
    return torch.stack(values, 1)


def _log_of(scores: Tensor, chosen: Tensor) -> Tensor:
    """(B, C) and (B,) -> (B,) logarithm of the chosen class's probability."""
    return scores.gather(1, chosen[:, None]).squeeze(1).clamp(min=LEAST).log()


def _routing(samples: list[ActionSample]) -> Tensor:
    if 'routing' not in samples[0]:
        raise UserError("attribution 'routing' needs a model with a router, this one has none; choose 'leave_one_out'")
    return torch.stack([sample.routing.mean(1) for sample in samples])


def _margin(samples: list[ActionSample], target: Tensor | None) -> Tensor:
    if 'part_scores' not in samples[0]:
        raise UserError(
            "attribution 'margin' needs a model whose regions have classifiers of their own (model.head.side_weight "
            "above 0 in training); choose 'leave_one_out'"
        )
    scores = torch.stack([sample.part_scores[: len(REGIONS)] for sample in samples])  # (B, 4, C)
    chosen = torch.stack([sample.pred_scores for sample in samples]).argmax(1) if target is None else target.cpu()
    index = chosen[:, None, None].expand(-1, len(REGIONS), 1)
    own = scores.gather(2, index).squeeze(2).clamp(min=LEAST).log()
    return own - scores.scatter(2, index, 0.0).amax(2).clamp(min=LEAST).log()
