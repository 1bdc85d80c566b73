"""Classification of faces with a texture-reconstructing auxiliary task (L-SSAT; SSAT, Das et al. 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from mmengine.model import BaseModel

from bmoe_ground.errors import UserError
from bmoe_ground.pixels import IMAGENET_MEAN, IMAGENET_STD
from face_aux.models.auxiliary import Reconstruction
from face_aux.models.encoder import VisionEncoder
from face_aux.models.heads import decide_all, make_heads
from face_aux.models.patches import expand_mask
from face_aux.models.pooling import Pool, make_pool
from face_aux.models.targets import Pattern, denormalize, normalize
from face_aux.models.variant import Variant
from face_aux.registry import MODELS
from face_aux.structures import FaceSample


class ReconstructionPictures(NamedTuple):
    """What a batch looks like to the auxiliary task.

    Attributes:
        image: (B, 3, T, H, W) uint8, the source of the targets.
        mask: (B, tokens) bool, True where removed.
        shown: Target name to target and reconstruction, (B, C, T, H, W) each.
    """

    image: torch.Tensor
    mask: torch.Tensor
    shown: dict[str, tuple[torch.Tensor, torch.Tensor]]


@MODELS.register_module()
class TextureJointModel(BaseModel):
    """A vision transformer with two passes in training: all patches for the tasks, few of them for a decoder.

    At inference only the first pass runs, at the cost of the plain transformer. Without ``auxiliary`` the model is
    that transformer in training too, the baseline.

    Args:
        encoder: Arguments of :class:`face_aux.models.encoder.VisionEncoder`.
        heads: Task name to arguments of :class:`face_aux.models.heads.TaskHead`; None for the dataset's tasks.
        auxiliary: Arguments of :class:`face_aux.models.auxiliary.Reconstruction`; None for the baseline.
        variant: What is masked, reconstructed and classified; see :class:`face_aux.models.variant.Variant`. Without
            ``auxiliary`` only the last part counts.
        pool: Feature for the heads: ``'token'`` (class token, as in SSAT), ``'avg'`` (mean of the patches) or
            ``'flat'`` (every patch in its place, for aligned faces); see :mod:`face_aux.models.pooling`.
        patterns: Options of patterns by name, ``dict(LBP=dict(P=8, R=2))``; see
            :class:`face_aux.models.targets.Pattern`.
        mean: RGB mean that the pipeline normalised with, 0..1.
        std: Standard deviation likewise.
        data_preprocessor: mmengine's; None to only move the data to the device.
        init_cfg: mmengine's.

    Raises:
        UserError: A part of the description is wrong.
    """

    encoder: VisionEncoder
    heads: Any  # ModuleDict of TaskHead
    pool: Pool
    auxiliary: Reconstruction | None

    def __init__(
        self,
        encoder: Mapping[str, Any],
        heads: Mapping[str, Mapping[str, Any]] | None = None,
        auxiliary: Mapping[str, Any] | None = None,
        variant: str = 'MRGB/RLDP/CRGB',
        pool: str = 'token',
        patterns: Mapping[str, Mapping[str, Any]] | None = None,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        data_preprocessor: Mapping[str, Any] | None = None,
        init_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.variant = Variant.parse(variant)
        self.mean, self.std = tuple(mean), tuple(std)
        self.encoder = VisionEncoder(**encoder)
        self.pool = make_pool(pool, self.encoder)
        self.heads = make_heads(heads or {}, self.num_features)
        options = patterns or {}
        inputs = {self.variant.classified} | ({self.variant.masked} if auxiliary is not None else set())
        self.patterns = {name: Pattern(name, **options.get(name, {})) for name in inputs if name != 'RGB'}
        self.auxiliary = None if auxiliary is None else self._make_auxiliary(auxiliary, options)

    def _make_auxiliary(
        self, auxiliary: Mapping[str, Any], patterns: Mapping[str, Mapping[str, Any]]
    ) -> Reconstruction:
        try:
            return Reconstruction(self.encoder, self.variant.reconstructed, self.mean, self.std, patterns, **auxiliary)
        except TypeError as error:
            raise UserError(f'auxiliary: {error}') from error

    @property
    def num_features(self) -> int:
        """Width of the features that the heads take."""
        return self.pool.num_features

    def forward(
        self,
        inputs: torch.Tensor | Sequence[torch.Tensor],
        data_samples: list[FaceSample] | None = None,
        texture_source: torch.Tensor | Sequence[torch.Tensor] | None = None,
        unlabelled_inputs: torch.Tensor | Sequence[torch.Tensor] | None = None,
        unlabelled_source: torch.Tensor | Sequence[torch.Tensor] | None = None,
        mode: str = 'tensor',
    ) -> Any:
        """Run the model.

        Args:
            inputs: (B, 3, H, W), or (B, 3, T, H, W), normalised; or a list of such samples.
            data_samples: Ground truth, for ``'loss'``; where the scores go, for ``'predict'``.
            texture_source: uint8, of the shape of ``inputs``: the same pixels before photometric augmentation. Needed
                for ``'loss'`` with an auxiliary task.
            unlabelled_inputs: (B, ratio, ...) or (N, ...) further inputs, for the masked pass of ``'loss'`` alone.
            unlabelled_source: Their texture source.
            mode: ``'tensor'`` for logits, ``'loss'`` or ``'predict'``.

        Returns:
            Task name to logits (B, C); or loss name to scalar; or samples with ``scores`` and ``pred``.
        """
        inputs = _stack(inputs)
        source = None if texture_source is None else _stack(texture_source)
        if mode == 'tensor':
            return self.forward_head(self.forward_features(inputs, source))
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'loss':
            extra = None if unlabelled_inputs is None else self._extra(unlabelled_inputs, unlabelled_source)
            return self.loss(inputs, data_samples or [], source, extra)
        raise ValueError(f"mode must be 'tensor', 'loss' or 'predict', but got {mode!r}")

    def forward_features(self, inputs: torch.Tensor, source: torch.Tensor | None = None) -> torch.Tensor:
        """Tokens (B, prefix + tokens, D) of the primary pass."""
        return self.encoder(self._view(self.variant.classified, inputs, source))

    def forward_head(self, tokens: torch.Tensor, pre_logits: bool = False) -> Any:
        """Pool tokens and classify them.

        Returns:
            Task name to logits (B, C); the pooled features (B, :attr:`num_features`) with ``pre_logits``.
        """
        pooled = self.pool(tokens)
        return pooled if pre_logits else {task: head(pooled) for task, head in self.heads.items()}

    def loss(
        self,
        inputs: torch.Tensor,
        data_samples: Sequence[FaceSample],
        source: torch.Tensor | None = None,
        unlabelled: tuple[torch.Tensor, torch.Tensor] | None = None,
    ) -> dict[str, torch.Tensor]:
        """Losses of a batch.

        Args:
            inputs: See :meth:`forward`.
            data_samples: Their ground truth.
            source: Their texture source.
            unlabelled: Inputs and source (N, ...) of faces without labels, which go through the masked pass together
                with the labelled ones: the reconstruction loss is the mean over the hidden patches of both.

        Returns:
            ``loss_primary`` and, with an auxiliary task, ``loss_auxiliary``: their sum is minimised. Beside them,
            unweighted and without gradient, ``<task>`` and ``reconstruct_<target>``, for the log.
        """
        logits = self.forward_head(self.forward_features(inputs, source))
        by_task = {task: head.loss(logits[task], head.targets(data_samples)) for task, head in self.heads.items()}
        primary = torch.stack([self.heads[task].loss_weight * value for task, value in by_task.items()]).mean()
        logged = {task: value.detach() for task, value in by_task.items()}
        if self.auxiliary is None:
            if unlabelled is not None:
                raise UserError(
                    'unlabelled faces are for the auxiliary task, which model.auxiliary=None leaves out; '
                    'leave them out too: --cfg-options unlabelled=null'
                )
            return {'loss_primary': primary, **logged}
        if source is None:
            raise UserError(
                'the auxiliary task needs texture_source; put KeepTextureSource between the geometric and the '
                'photometric transforms of the train pipeline'
            )
        if unlabelled is not None:
            inputs, source = torch.cat([inputs, unlabelled[0]]), torch.cat([source, unlabelled[1]])
        mask = self.auxiliary.draw_mask(len(inputs), inputs.device)
        latent = self.encoder(self._view(self.variant.masked, inputs, source), mask)
        by_target = self.auxiliary.losses(latent, mask, self._clip(source))
        logged.update({f'reconstruct_{name}': value.detach() for name, value in by_target.items()})
        return {**self.auxiliary.weights(primary, torch.stack(list(by_target.values())).mean()), **logged}

    @torch.no_grad()
    def predict(self, inputs: torch.Tensor, data_samples: Sequence[FaceSample] | None = None) -> list[FaceSample]:
        """Probabilities and decisions of a batch.

        Args:
            inputs: See :meth:`forward`.
            data_samples: Samples to add ``scores`` and ``pred`` to; new ones by default.
        """
        return decide_all(self.heads, self.forward_head(self.forward_features(inputs)), data_samples)

    @torch.no_grad()
    def reconstruct(self, inputs: torch.Tensor, source: torch.Tensor | None = None) -> ReconstructionPictures:
        """Mask a batch, reconstruct it, and give what is needed to look at the result.

        Raises:
            ValueError: The model has no auxiliary task.
        """
        if self.auxiliary is None:
            raise ValueError('this model has no auxiliary task, so it reconstructs nothing')
        clip = self._clip(source) if source is not None else denormalize(self._clip(inputs), self.mean, self.std)
        mask = self.auxiliary.draw_mask(len(inputs), inputs.device)
        latent = self.encoder(self._view(self.variant.masked, inputs, source), mask)
        return ReconstructionPictures(clip, mask, self.auxiliary.pictures(latent, mask, clip))

    def hidden_pixels(self, mask: torch.Tensor) -> torch.Tensor:
        """A mask of patches (B, tokens) as a mask of pixels (B, 1, T, H, W)."""
        return expand_mask(mask, self.encoder.grid, self.encoder.patch)

    def remove_auxiliary(self) -> TextureJointModel:
        """Drop the decoder, which prediction does not need; returns the model itself."""
        self.auxiliary = None
        return self

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Trade time for memory in the encoder."""
        self.encoder.vit.set_grad_checkpointing(enable)

    def no_weight_decay(self) -> set[str]:
        """Names of parameters that weight decay should leave alone, beside biases and norms."""
        kept = {f'encoder.vit.{name}' for name in self.encoder.vit.no_weight_decay()}
        return kept | {'auxiliary.decoder.mask_token', 'auxiliary.weights.log_variance'}

    @staticmethod
    def complete_config(model: dict[str, Any], metainfo: Mapping[str, Any]) -> None:
        """Fill missing ``heads``, and missing classes of a head, from the dataset's tasks.

        Args:
            model: The model's config; changed in place.
            metainfo: ``tasks``: name to ``classes`` and ``multi_label``; for training, ``class_counts``: name to the
                samples of each class.

        Raises:
            UserError: The config names a task that the data lack, or other classes; or the samples to train on have
                one class only.
        """
        tasks = metainfo.get('tasks') or {}
        heads = model.get('heads') or {task: {} for task in tasks}
        for task, head in heads.items():
            if task not in tasks:
                raise UserError(f'heads.{task}: the data have no such task; they have {list(tasks)}')
            described = {
                'classes': list(tasks[task]['classes']),
                'type': 'multi_label' if tasks[task]['multi_label'] else 'multi_class',
            }
            for key, value in described.items():
                if head.get(key) is None:
                    head[key] = value
                elif list(head[key]) != list(value):
                    raise UserError(f'heads.{task}.{key} is {head[key]}, but the data have {value}')
            _check_counts(task, (metainfo.get('class_counts') or {}).get(task))
        model['heads'] = heads

    def _view(self, name: str, inputs: torch.Tensor, source: torch.Tensor | None) -> torch.Tensor:
        """What a pass sees: the inputs themselves, or a pattern of the source, normalised like them.

        Without a source (in a test, where nothing is changed photometrically) it is regained from the inputs.
        """
        if name == 'RGB':
            return inputs
        clip = self._clip(source) if source is not None else denormalize(self._clip(inputs), self.mean, self.std)
        image = normalize(self.patterns[name].image(clip) * 255, self.mean, self.std)
        return image if self.encoder.is_video else image[:, :, 0]

    def _extra(
        self, inputs: torch.Tensor | Sequence[torch.Tensor], source: torch.Tensor | Sequence[torch.Tensor] | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Unlabelled inputs and source as one batch (N, ...), whichever way they were gathered."""
        if source is None:
            raise UserError('unlabelled faces need KeepTextureSource in the train pipeline')
        each = len(self.encoder.input_shape)
        inputs, source = _stack(inputs), _stack(source)
        return inputs.reshape(-1, *inputs.shape[-each:]), source.reshape(-1, *source.shape[-each:])

    def _clip(self, images: torch.Tensor) -> torch.Tensor:
        """Images (B, 3, H, W) as clips of one frame; clips as they are."""
        return images if images.dim() == 5 else images[:, :, None]


def _check_counts(task: str, counts: Mapping[str, int] | None) -> None:
    """Refuse to train a task of which there is nothing to learn."""
    if counts is None:
        return
    present = [name for name, count in counts.items() if count]
    if len(present) < 2:
        found = f'have one class only, {present[0]!r}: there is nothing to tell it from' if present else 'have no label'
        raise UserError(
            f'task {task!r}: the training samples {found}. Add samples of another class, or name the tasks to train '
            'without it: --cfg-options dataset.tasks=[...]'
        )


def _stack(batch: torch.Tensor | Sequence[torch.Tensor]) -> torch.Tensor:
    return batch if isinstance(batch, torch.Tensor) else torch.stack(list(batch))
