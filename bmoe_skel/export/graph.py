"""A trained recogniser together with its preprocessing, as one network: raw keypoints in, probabilities out.

What the numpy transforms of the test pipeline do to a clip is done here with tensors, so that a program in another
language needs no more than the exported file. Each part equals its transform (``tests/bmoe_skel/export``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from bmoe_ground.errors import UserError
from bmoe_skel.checkpoint import TrainedModel
from bmoe_skel.models.bmoe import BMoE
from bmoe_skel.models.normalize import normalize_pose
from bmoe_skel.transforms.mirror import AddMirrored, mirrored_classes
from bmoe_skel.transforms.packing import PackPose
from bmoe_skel.transforms.side_inputs import LoadCrops
from bmoe_skel.transforms.spatial import NormalizePose
from bmoe_skel.transforms.temporal import SampleFrames
from pose_extract.skeletons import get_skeleton

_RATE = 30.0  # frames a second in whose steps the pace is given, as in SampleFrames


class RecognizerGraph(nn.Module):
    """From raw keypoints to probabilities.

    Args:
        trained: The model and its test pipeline.

    Raises:
        UserError: The pipeline has a step, or the model an input, that cannot go into the network; it is named.

    Example:
        >>> graph = RecognizerGraph(load_trained('best.pth'))
        >>> probabilities, routing = graph(keypoints, scores, times)
    """

    def __init__(self, trained: TrainedModel) -> None:
        super().__init__()
        steps = _Steps(trained.pipeline)
        self.model = trained.model
        self.skeleton = trained.skeleton
        self.min_score = steps.normalize.min_score
        self.sample = EvenFrames(steps.sample)
        self.max_persons = steps.pack.max_persons
        self.flip: list[int] | None = None
        keep, renamed = mirrored_classes(tuple(trained.classes))
        if steps.mirror and not keep and not renamed:
            self.flip = [int(i) for i in get_skeleton(trained.skeleton).flip_indices]
        self.routes = isinstance(trained.model, BMoE)
        if self.model.coordinates == 2 and steps.normalize.view not in ('auto', 'none'):
            raise UserError(f'NormalizePose(view={steps.normalize.view!r}) needs 3D keypoints')
        if self.model.coordinates == 3 and steps.normalize.view not in ('auto', 'yaw'):
            raise UserError(f'NormalizePose(view={steps.normalize.view!r}) cannot be exported: only yaw can')

    def forward(self, keypoints: Tensor, scores: Tensor, times: Tensor) -> tuple[Tensor, ...]:
        """Classify clips.

        Args:
            keypoints: (N, M, T, V, C) float32, pixels or another unit; NaN where absent.
            scores: (N, M, T, V) float32, 0..1; 0 where absent.
            times: (N, T) float32, seconds of the frames, from any start.

        Returns:
            Probabilities (N, classes), and where the model has a router the mean weight of each region (N, 4).
        """
        believed = scores.nan_to_num() > self.min_score
        points = torch.where(believed.unsqueeze(-1), keypoints, torch.nan)
        points, visible = normalize_pose(points, self.skeleton)
        if self.max_persons is not None:
            points, visible = points[:, : self.max_persons], visible[:, : self.max_persons]
        points, visible, pace = self.sample(points, visible, times)
        if self.flip is not None:
            flipped = points[..., self.flip, :] * points.new_tensor([-1.0, *[1.0] * (self.model.coordinates - 1)])
            points = torch.cat([points, flipped], 1)
            visible = torch.cat([visible, visible[..., self.flip]], 1)
            pace = torch.cat([pace, pace], 1)
        encoded = self.model.encode({'keypoint': points, 'visible': visible, 'pace': pace})
        cuts = points.shape[1]
        answers = self.model.head.scores(self.model.forward_head(encoded.clip))
        probabilities = answers.unflatten(0, (-1, cuts)).mean(1)
        if not self.routes:
            return (probabilities,)
        return probabilities, self.model.explain(encoded)['routing'].mean(2)


class EvenFrames(nn.Module):
    """``SampleFrames`` of a test: cuts spread evenly, each read at even steps.

    Args:
        step: The transform.

    Raises:
        UserError: The transform draws at random, or keeps the frame rate (mode 'window').
    """

    def __init__(self, step: SampleFrames) -> None:
        super().__init__()
        if step.random or step.mode != 'resample':
            raise UserError("only SampleFrames(random=False, mode='resample') can be exported")
        self.step = step

    def forward(self, points: Tensor, visible: Tensor, times: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Cut and read.

        Args:
            points: (N, M, T, V, C), 0 where invisible.
            visible: (N, M, T, V) bool.
            times: (N, T) seconds.

        Returns:
            points (N, S, M, T', V, C), visible (N, S, M, T', V) and pace (N, S, T').
        """
        length = torch.ones_like(times[0]).sum().double()
        cuts = [self._cut(points, visible, times, self._positions(length, i)) for i in range(self.step.num_clips)]
        read, seen, paces = zip(*cuts, strict=True)
        return torch.stack(read, 1), torch.stack(seen, 1), torch.stack(paces, 1)

    def _positions(self, length: Tensor, index: int) -> Tensor:
        """(T',) float64 fractional frames of one cut, see :meth:`SampleFrames.positions`."""
        low = self.step.crop[0] if self.step.num_clips > 1 else self.step.crop[1]
        share = self.step.crop[1] if index == 0 else (low + self.step.crop[1]) / 2
        span = torch.maximum(share * length, length.clamp(max=float(self.step.min_frames)))
        room = length - span
        if self.step.num_clips == 1 or index == 0:
            start = room / 2
        else:
            start = room * (index - 1) / max(self.step.num_clips - 2, 1)
        moments = torch.linspace(0, 1, self.step.num_frames, dtype=torch.float64)
        return torch.minimum((start + (span - 1) * moments).clamp(min=0), length - 1)

    @staticmethod
    def _cut(points: Tensor, visible: Tensor, times: Tensor, places: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read a clip at fractional frames, see :func:`bmoe_skel.transforms.temporal.interpolate_frames`."""
        low = places.floor().long()
        high = torch.minimum(low + 1, torch.ones_like(times[0]).sum().long() - 1)
        part = (places - low).to(points.dtype)[:, None]
        before, after = visible[:, :, low], visible[:, :, high]
        weight_low, weight_high = before * (1 - part), after * part
        total = weight_low + weight_high
        seen = total >= 0.5
        mixed = points[:, :, low] * weight_low.unsqueeze(-1) + points[:, :, high] * weight_high.unsqueeze(-1)
        read = torch.where(seen.unsqueeze(-1), mixed / total.clamp(min=1e-6).unsqueeze(-1), 0)
        since = (times - times[:, :1]).double()
        moments = _RATE * (since[:, low] + (since[:, high] - since[:, low]) * (places - low))
        steps = moments[:, 1:] - moments[:, :-1]
        return read, seen, torch.cat([steps, steps[:, -1:]], 1).to(points.dtype)


class _Steps:
    """The steps of a test pipeline by what they do; others are refused."""

    normalize: NormalizePose
    sample: SampleFrames
    pack: PackPose

    def __init__(self, pipeline: Sequence[Callable[[dict[str, Any]], dict[str, Any]]]) -> None:
        self.mirror = False
        found: list[str] = []
        for step in pipeline:
            found.append(type(step).__name__)
            if isinstance(step, NormalizePose):
                self.normalize = step
            elif isinstance(step, SampleFrames):
                self.sample = step
            elif isinstance(step, PackPose):
                self.pack = step
            elif isinstance(step, AddMirrored):
                self.mirror = True
            elif not (isinstance(step, LoadCrops) and step.optional):
                raise UserError(f'the step {found[-1]} of the test pipeline cannot be exported')
        order = [name for name in found if name != 'LoadCrops']
        wanted = ['NormalizePose', 'SampleFrames', *(['AddMirrored'] if self.mirror else []), 'PackPose']
        if order != wanted:
            raise UserError(f'the test pipeline has the steps {", ".join(order)}; export knows {", ".join(wanted)}')
