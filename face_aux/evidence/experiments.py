"""The three comparisons: small transformers on small images, so that they run on a CPU. All of it is fixed here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mm_runtime.config import load_config, share_dataset

_CONFIGS = Path(__file__).resolve().parents[2] / 'configs' / 'face_aux'
BASELINE = 'none'
_LDP = 'MRGB/RLDP/CRGB'


@dataclass(frozen=True)
class Experiment:
    """A data set, a schedule and what is compared.

    Args:
        config: Name of the config below ``configs/face_aux``.
        variants: Name to variant string; None for the baseline.
        epochs: Number of epochs.
        side: Height and width of the images; patches are an eighth of it.
        change: Changes the loaded config for one seed.
        kinds: How a variant puts its pattern to the decoder, where that is not as a code picture.
    """

    config: str
    variants: Mapping[str, str | None]
    epochs: int
    side: int
    change: Callable[[Config, int], None]
    kinds: Mapping[str, str] = field(default_factory=dict)

    def make_config(self, variant: str, seed: int, data: Path, workers: int = 0) -> Config:
        """The config of one run.

        Args:
            variant: A key of :attr:`variants`.
            seed: The run's seed.
            data: Folder of the data set.
            workers: Loader processes.
        """
        cfg = load_config(_CONFIGS / f'{self.config}.py')
        share_dataset(cfg)
        _make_small(cfg, self.side, self.epochs)
        for part in ('train', 'val', 'test'):
            loader = cfg[f'{part}_dataloader']
            loader.dataset.data_root = str(data)
            loader.num_workers, loader.persistent_workers = workers, workers > 0
        chosen = self.variants[variant]
        if chosen is None:
            cfg.model.auxiliary = None
        else:
            cfg.model.variant = chosen
            cfg.model.auxiliary.kind = self.kinds.get(variant, 'codes')
        self.change(cfg, seed)
        return cfg


def _make_small(cfg: Config, side: int, epochs: int) -> None:
    cfg.model.pool = 'avg'
    cfg.model.encoder = {
        'name': 'vit_tiny_patch16_224', 'img_size': side, 'patch_size': side // 8,
        'embed_dim': 64, 'depth': 3, 'num_heads': 4,
    }  # fmt: skip
    cfg.model.auxiliary.decoder = {'dim': 64, 'depth': 1, 'heads': 4}
    # a few epochs from scratch leave no room for strong augmentation
    train = [
        {'type': 'LoadFace'},
        {'type': 'RandomResizedCrop', 'size': side, 'scale': (0.8, 1.0), 'ratio': (0.9, 1.1)},
        {'type': 'RandomFlip'},
        {'type': 'KeepTextureSource'},
        {'type': 'Normalize'},
        {'type': 'PackFaceInputs'},
    ]
    test = [{'type': 'LoadFace'}, {'type': 'Resize', 'size': side}, {'type': 'Normalize'}, {'type': 'PackFaceInputs'}]
    cfg.train_dataloader.dataset.pipeline = train
    cfg.val_dataloader.dataset.pipeline = cfg.test_dataloader.dataset.pipeline = test
    cfg.train_dataloader.batch_size = 32
    cfg.optim_wrapper.optimizer.lr = 1e-3
    cfg.train_cfg.max_epochs = epochs
    cfg.param_scheduler = [
        {'type': 'LinearLR', 'start_factor': 1e-3, 'begin': 0, 'end': 1, 'convert_to_iter_based': True},
        {'type': 'CosineAnnealingLR', 'begin': 1, 'end': epochs, 'T_max': epochs - 1, 'eta_min': 1e-6,
         'convert_to_iter_based': True},
    ]  # fmt: skip
    cfg.default_hooks.checkpoint = {'type': 'CheckpointHook', 'interval': epochs, 'max_keep_ckpts': 1}
    cfg.custom_hooks = [
        {'type': 'EpochSeedHook'},
        {'type': 'SafeCheckpointHook'},
        {'type': 'ReconstructionHook', 'interval': epochs},
    ]


def _fer2013(cfg: Config, seed: int) -> None:
    cfg.train_dataloader.dataset.subset = 4000
    cfg.test_dataloader.dataset.split = 'PublicTest'


def _utkface(cfg: Config, seed: int) -> None:
    del seed  # the same people are the test in every run; the seeds differ in weights, order and masks


def _real_or_fake(cfg: Config, seed: int) -> None:
    for part in ('train', 'val', 'test'):  # few images: each seed has another test part
        cfg[f'{part}_dataloader'].dataset.split_seed = seed


EXPERIMENTS = {
    'fer2013': Experiment(
        'fer2013',
        {BASELINE: None, 'RGB': 'MRGB/RRGB/CRGB', 'LBP': 'MRGB/RLBP/CRGB', 'LDP': _LDP},
        epochs=3,
        side=48,
        change=_fer2013,
    ),
    'utkface': Experiment(
        'utkface',
        {BASELINE: None, 'LDP': _LDP, 'LDP-planes': _LDP, 'LDP-kirsch': _LDP},
        epochs=12,
        side=48,
        change=_utkface,
        kinds={'LDP-planes': 'planes', 'LDP-kirsch': 'kirsch'},
    ),
    'real_or_fake': Experiment('real_or_fake', {BASELINE: None, 'LDP': _LDP}, epochs=40, side=96, change=_real_or_fake),
}


def without_labels(data: Path, side: int, subset: int) -> dict[str, Any]:
    """A dataset of UTKFace chips for a model that knows nothing of their labels: only their groups count."""
    pipeline = [
        {'type': 'LoadFace'}, {'type': 'Resize', 'size': side}, {'type': 'Normalize'}, {'type': 'PackFaceInputs'},
    ]  # fmt: skip
    return {
        'type': 'UTKFace', 'data_root': str(data), 'tasks': ['gender'], 'stratify': ['gender', 'race', 'age'],
        'subset': subset, 'pipeline': pipeline, 'test_mode': True,
    }  # fmt: skip
