"""Fixed descriptors of the whole face and a linear model, fitted in closed form, for small sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.dist import get_world_size
from mmengine.model import BaseModel

from bmoe_ground.errors import UserError
from bmoe_ground.pixels import IMAGENET_MEAN, IMAGENET_STD
from face_aux.models.descriptor_parts import ImageDescriptor, deviations, whole_pixels
from face_aux.models.heads import IGNORE, TaskHead, decide_all, make_heads
from face_aux.models.joint import TextureJointModel
from face_aux.models.ridge import STRENGTHS, Linear, Ridge
from face_aux.registry import MODELS
from face_aux.structures import FaceSample

_HEAD_OPTIONS = {'classes', 'num_classes', 'type'}


@MODELS.register_module()
class DescriptorModel(BaseModel):
    """Descriptors of a face side by side, standardised, and a ridge regression onto the classes of each task.

    A training is one pass over the images, which gathers their descriptors, and a fit at its end
    (:class:`face_aux.hooks.FitDescriptorHook`); no gradient is computed. The strength of the penalty, and the factor
    and offsets that make probabilities of scores, come from the training images, each left out in turn: the validation
    part has no say. What the checkpoint holds are tensors.

    Args:
        size: Side of the images in pixels.
        descriptors: See :class:`face_aux.models.descriptor_parts.ImageDescriptor`.
        heads: Task name to ``classes`` and ``type``, see :class:`face_aux.models.heads.TaskHead`; None for the
            dataset's tasks.
        mirror: See :class:`face_aux.models.descriptor_parts.ImageDescriptor`.
        strengths: Penalties to choose from, as shares of the features' variance.
        max_samples: Most images to fit on. Memory grows with their square, time with their cube.
        mean: RGB mean that the pipeline normalised with, 0..1.
        std: Standard deviation likewise.
        data_preprocessor: mmengine's; None to only move the data to the device.
        init_cfg: mmengine's.

    Raises:
        UserError: A part of the description is wrong.
    """

    center: torch.Tensor
    deviation: torch.Tensor
    fitted: torch.Tensor
    heads: Any  # ModuleDict of TaskHead
    complete_config = staticmethod(TextureJointModel.complete_config)

    def __init__(
        self,
        size: int,
        descriptors: Sequence[Mapping[str, Any]],
        heads: Mapping[str, Mapping[str, Any]] | None = None,
        mirror: bool = True,
        strengths: Sequence[float] = STRENGTHS,
        max_samples: int = 12_000,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        data_preprocessor: Mapping[str, Any] | None = None,
        init_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        for task, options in (heads or {}).items():
            if set(options) - _HEAD_OPTIONS:
                raise UserError(f'heads.{task}: a fit in closed form has no {sorted(set(options) - _HEAD_OPTIONS)}')
        if not strengths or min(strengths) <= 0:
            raise UserError(f'strengths must be numbers above 0, but got {list(strengths)}')
        self.mean, self.std = tuple(mean), tuple(std)
        self.strengths, self.max_samples = tuple(strengths), max_samples
        self.descriptor = ImageDescriptor(size, descriptors, mirror)
        width = self.descriptor.num_features
        self.heads = make_heads(heads or {}, width).requires_grad_(False)
        self.register_buffer('center', torch.zeros(width))
        self.register_buffer('deviation', torch.ones(width))
        self.register_buffer('fitted', torch.tensor(False))
        self._gathered: list[torch.Tensor] = []
        self._labels: dict[str, list[torch.Tensor]] = {}

    def forward(
        self,
        inputs: torch.Tensor | Sequence[torch.Tensor],
        data_samples: list[FaceSample] | None = None,
        mode: str = 'tensor',
        **_: Any,
    ) -> Any:
        """Run the model.

        Args:
            inputs: (B, 3, size, size), normalised, or a list of such samples.
            data_samples: Where the scores go, for ``'predict'``.
            mode: ``'tensor'`` for logits, or ``'predict'``.

        Returns:
            Task name to logits (B, C); or samples with ``scores`` and ``pred``.

        Raises:
            UserError: The model is not fitted.
        """
        if mode not in ('tensor', 'predict'):
            raise ValueError(f"mode must be 'tensor' or 'predict', but got {mode!r}: this model has no loss")
        if not torch.jit.is_tracing() and not bool(self.fitted):
            raise UserError('the descriptor model is not fitted; custom_hooks need a FitDescriptorHook to train it')
        features = (self.describe(inputs) - self.center) / self.deviation
        logits = {task: head(features) for task, head in self.heads.items()}
        return logits if mode == 'tensor' else decide_all(self.heads, logits, data_samples)

    def describe(self, inputs: torch.Tensor | Sequence[torch.Tensor]) -> torch.Tensor:
        """Descriptors (B, D) of normalised inputs, not standardised."""
        images = inputs if isinstance(inputs, torch.Tensor) else torch.stack(list(inputs))
        side = self.descriptor.size
        if not torch.jit.is_tracing() and images.shape[1:] != (3, side, side):
            raise UserError(f'the model takes single images (B, 3, {side}, {side}), but got {tuple(images.shape)}')
        return self.descriptor(whole_pixels(images, self.mean, self.std))

    @torch.no_grad()
    def train_step(self, data: Any, optim_wrapper: Any) -> dict[str, torch.Tensor]:
        """Gather the descriptors of a batch; the optimizer has nothing to do.

        Returns:
            How many images were gathered, for the log.

        Raises:
            UserError: There are more than ``max_samples``, several processes train, or there are unlabelled faces.
        """
        if get_world_size() > 1:
            raise UserError('a descriptor model is fitted by one process; train it without a launcher')
        batch = self.data_preprocessor(data, True)
        if batch.get('unlabelled_inputs') is not None:
            raise UserError(
                'unlabelled faces are for the auxiliary task, which a descriptor model has not: unlabelled=null'
            )
        self.gather(batch['inputs'], batch['data_samples'])
        return {'gathered': torch.tensor(float(self.gathered))}

    @property
    def gathered(self) -> int:
        """Images whose descriptors wait for a fit."""
        return sum(map(len, self._gathered))

    def gather(self, inputs: torch.Tensor | Sequence[torch.Tensor], data_samples: Sequence[FaceSample]) -> None:
        """Keep the descriptors and labels of some images until :meth:`fit`.

        Args:
            inputs: See :meth:`forward`.
            data_samples: Their ground truth.

        Raises:
            UserError: There are more than ``max_samples``.
        """
        self._gathered.append(self.describe(inputs).cpu())
        for task, head in self.heads.items():
            self._labels.setdefault(task, []).append(head.targets(data_samples).cpu())
        if self.gathered > self.max_samples:
            raise UserError(
                f'more than {self.max_samples:,} images to fit in closed form; take fewer (dataset.subset), raise '
                'model.max_samples where memory and time allow, or train the transformer'
            )

    def forget(self) -> None:
        """Drop what was gathered."""
        self._gathered.clear()
        self._labels.clear()

    @torch.no_grad()
    def fit(self) -> dict[str, str]:
        """Fit every task to what was gathered, and drop that.

        Returns:
            Task name to a line on the fit.

        Raises:
            UserError: Nothing was gathered, or a task has no two classes among it.
        """
        if not self._gathered:
            raise UserError('there are no images to fit the descriptor model on')
        features = torch.cat(self._gathered)
        labels = {task: torch.cat(found) for task, found in self._labels.items()}
        self.forget()
        self.center.copy_(features.mean(dim=0))
        features -= self.center.cpu()
        self.deviation.copy_(deviations(features, self.descriptor.widths))
        features /= self.deviation.cpu()
        ridges: dict[bytes, Ridge] = {}
        said = {task: self._fit_head(head, labels[task], features, ridges) for task, head in self.heads.items()}
        self.fitted.fill_(True)
        return said

    def _fit_head(
        self, head: TaskHead, labels: torch.Tensor, features: torch.Tensor, ridges: dict[bytes, Ridge]
    ) -> str:
        """Fit one task; ``ridges`` are those at hand, by which images they know."""

        def fit(known: torch.Tensor, targets: torch.Tensor, classes: int) -> Linear:
            if len(targets.unique()) < 2:
                raise UserError(f'task {head.task!r}: the images to fit on have no two classes')
            key = known.numpy().tobytes()
            if key not in ridges:
                ridges.clear()  # one at a time: each holds the square of the images
                ridges[key] = Ridge(features if known.all() else features[known])
            return ridges[key].classify(targets, classes, self.strengths)

        if head.multi_label:
            masks = labels.T != IGNORE
            columns = zip(labels.T, masks, strict=True)
            found = [fit(known, column[known][:, None], 1) for column, known in columns]
        else:
            masks = (labels != IGNORE)[None]
            found = [fit(masks[0], labels[masks[0]], head.num_classes)]
        head.fc.weight.copy_(torch.cat([each.weight for each in found]))
        head.fc.bias.copy_(torch.cat([each.bias for each in found]))
        strengths = ', '.join(f'{each.strength:g}' for each in found)
        right = sum(each.accuracy for each in found) / len(found)
        return f'{int(masks.any(dim=0).sum())} images, penalty {strengths}; {right:.1%} right of those left out in turn'
