"""The three comparisons: small transformers on small images, so that they run on a CPU. All of it is fixed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mm_runtime.config import load_config, share_dataset

_CONFIGS = Path(__file__).resolve().parents[2] / 'configs' / 'face_aux'
BASELINE = 'none'
SSAT_WEIGHTS = (0.1, 0.9)
_LDP = 'MRGB/RLDP/CRGB'
_LDP_VARIANTS = dict.fromkeys(('LDP', 'LDP-equal', 'LDP-planes', 'LDP-kirsch', 'LDP-histogram'), _LDP)
_KINDS = {'LDP-planes': 'planes', 'LDP-kirsch': 'kirsch', 'LDP-histogram': 'histogram'}
_EQUAL_WEIGHTS = {name: (0.5, 0.5) for name in _LDP_VARIANTS if name != 'LDP'}  # 'LDP' is SSAT to the letter


@dataclass(frozen=True)
class Network:
    """A small transformer and the images that it sees.

    Args:
        side: Height and width of the input.
        patch: Height and width of a patch.
        stem: Channels of the convolutions before the tokens; None for a plain patch projection.
        width: Width of a token.
        depth: Number of blocks.
        pool: See :mod:`face_aux.models.pooling`.
    """

    side: int
    patch: int
    stem: tuple[int, ...] | None
    width: int
    depth: int
    pool: str = 'flat'

    def encoder(self) -> dict[str, Any]:
        """Arguments of :class:`face_aux.models.encoder.VisionEncoder`."""
        return {
            'name': 'vit_tiny_patch16_224', 'img_size': self.side, 'patch_size': self.patch, 'stem': self.stem,
            'embed_dim': self.width, 'depth': self.depth, 'num_heads': 4,
        }  # fmt: skip


@dataclass(frozen=True)
class Experiment:
    """A data set, a recipe and what is compared.

    Args:
        config: Name of the config below ``configs/face_aux``.
        variants: Name to variant string; None for the baseline.
        epochs: Number of epochs.
        batch_size: Images a step.
        lr: Learning rate at its highest.
        network: The transformer.
        geometric: Transforms of the training images that the targets see as well.
        photometric: Those that the targets do not see, ``Normalize`` among them.
        options: What else is changed in the config.
        test_side: Side to which test images are resized before the network's is cut out of the centre; None for no cut.
        kinds: How a variant puts its pattern to the decoder, where that is not as a code picture.
        weights: A variant's weights of the primary and the reconstruction loss, where they are not SSAT's 0.1 and 0.9.
    """

    config: str
    variants: Mapping[str, str | None]
    epochs: int
    batch_size: int
    lr: float
    network: Network
    geometric: Sequence[dict[str, Any]]
    photometric: Sequence[dict[str, Any]] = ({'type': 'Normalize'},)
    options: Mapping[str, Any] = field(default_factory=dict)
    test_side: int | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def make_config(self, variant: str, data: Path, workers: int = 0) -> Config:
        """The config of a variant's runs; the seed changes weights, order and masks, and no image of the test part.

        Args:
            variant: A key of :attr:`variants`.
            data: Folder of the data set.
            workers: Loader processes.
        """
        cfg = load_config(_CONFIGS / f'{self.config}.py')
        share_dataset(cfg)
        cfg.model.pool, cfg.model.encoder = self.network.pool, self.network.encoder()
        cfg.model.auxiliary.decoder = {'dim': 64, 'depth': 1, 'heads': 4}
        self._set_pipelines(cfg)
        self._set_schedule(cfg)
        for part in ('train', 'val', 'test'):
            loader = cfg[f'{part}_dataloader']
            loader.dataset.data_root = str(data)
            loader.num_workers, loader.persistent_workers = workers, workers > 0
        chosen = self.variants[variant]
        if chosen is None:
            cfg.model.auxiliary = None
        else:
            primary, auxiliary = self.weights.get(variant, SSAT_WEIGHTS)
            cfg.model.variant = chosen
            cfg.model.auxiliary.kind = self.kinds.get(variant, 'codes')
            cfg.model.auxiliary.weights = {'type': 'fixed', 'primary': primary, 'auxiliary': auxiliary}
        cfg.merge_from_dict(dict(self.options))
        return cfg

    def _set_pipelines(self, cfg: Config) -> None:
        cfg.train_dataloader.dataset.pipeline = [
            {'type': 'LoadFace'},
            *self.geometric,
            {'type': 'KeepTextureSource'},
            *self.photometric,
            {'type': 'PackFaceInputs'},
        ]
        cfg.val_dataloader.dataset.pipeline = cfg.test_dataloader.dataset.pipeline = self.test_pipeline()

    def test_pipeline(self) -> list[dict[str, Any]]:
        """Transforms of a test image."""
        return [
            {'type': 'LoadFace'},
            {'type': 'Resize', 'size': self.test_side or self.network.side},
            {'type': 'CenterCrop', 'size': self.network.side},
            {'type': 'Normalize'},
            {'type': 'PackFaceInputs'},
        ]

    def _set_schedule(self, cfg: Config) -> None:
        cfg.train_dataloader.batch_size = self.batch_size
        cfg.optim_wrapper.optimizer.lr = self.lr
        cfg.optim_wrapper.optimizer.weight_decay = 0.05
        cfg.train_cfg.max_epochs = self.epochs
        warm = 1 if self.epochs < 20 else 2
        cfg.param_scheduler = [
            {'type': 'LinearLR', 'start_factor': 1e-3, 'begin': 0, 'end': warm, 'convert_to_iter_based': True},
            {'type': 'CosineAnnealingLR', 'begin': warm, 'end': self.epochs, 'T_max': self.epochs - warm,
             'eta_min': 1e-6, 'convert_to_iter_based': True},
        ]  # fmt: skip
        cfg.default_hooks.checkpoint = {'type': 'CheckpointHook', 'interval': self.epochs, 'max_keep_ckpts': 1}
        cfg.custom_hooks = [
            {'type': 'EpochSeedHook'},
            {'type': 'SafeCheckpointHook'},
            {'type': 'ReconstructionHook', 'interval': self.epochs},
        ]


def _random_crop(side: int, smallest: float) -> list[dict[str, Any]]:
    return [
        {'type': 'RandomResizedCrop', 'size': side, 'scale': (smallest, 1.0), 'ratio': (0.9, 1.1)},
        {'type': 'RandomFlip'},
    ]


EXPERIMENTS = {
    'fer2013': Experiment(
        'fer2013',
        {BASELINE: None, 'RGB': 'MRGB/RRGB/CRGB', 'LBP-planes': 'MRGB/RLBP/CRGB', 'LDP-planes': _LDP},
        epochs=3,
        batch_size=32,
        lr=2e-3,
        network=Network(side=48, patch=8, stem=(24, 48), width=96, depth=2),
        geometric=_random_crop(48, 0.8),
        options={'test_dataloader.dataset.split': 'PublicTest'},
        kinds={'LBP-planes': 'planes', 'LDP-planes': 'planes'},
        weights=dict.fromkeys(('RGB', 'LBP-planes', 'LDP-planes'), (0.5, 0.5)),
    ),
    'utkface': Experiment(
        'utkface',
        {BASELINE: None, **_LDP_VARIANTS},
        epochs=12,
        batch_size=32,
        lr=2e-3,
        network=Network(side=48, patch=8, stem=(24, 48), width=96, depth=2),
        geometric=_random_crop(48, 0.8),
        kinds=_KINDS,
        weights=_EQUAL_WEIGHTS,
    ),
    'real_or_fake': Experiment(
        'real_or_fake',
        {BASELINE: None, **_LDP_VARIANTS},
        epochs=25,
        batch_size=16,
        lr=1.5e-3,
        network=Network(side=128, patch=8, stem=(16, 32), width=48, depth=1),
        # nearly the whole image, hardly moved: what tells the two apart is which edges lie where
        geometric=[
            {'type': 'Resize', 'size': 132},
            {'type': 'RandomResizedCrop', 'size': 128, 'scale': ((128 / 132) ** 2,) * 2, 'ratio': (1.0, 1.0)},
            {'type': 'RandomFlip'},
        ],
        photometric=[
            {'type': 'ColorJitter', 'brightness': 0.2, 'contrast': 0.2, 'saturation': 0.2},
            {'type': 'Normalize'},
            {'type': 'RandomErasing', 'prob': 0.3, 'mode': 'const', 'scale': (0.02, 0.2)},
        ],
        test_side=132,
        kinds=_KINDS,
        weights=_EQUAL_WEIGHTS,
    ),
}


def without_labels(data: Path, pipeline: Sequence[dict[str, Any]], subset: int) -> dict[str, Any]:
    """A dataset of UTKFace chips for a model that knows nothing of their labels: only their groups count."""
    return {
        'type': 'UTKFace', 'data_root': str(data), 'tasks': ['gender'], 'stratify': ['gender', 'race', 'age'],
        'subset': subset, 'pipeline': list(pipeline), 'test_mode': True,
    }  # fmt: skip
