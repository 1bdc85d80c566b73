"""Which trainings make the curves, and the config of each. All of it is fixed here."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from benchmarks.face_evidence.experiments import BASELINE, EXPERIMENTS, Experiment

SETS = {'utkface': ('gender', 'race'), 'fer2013': ('emotion',)}
"""Set and its tasks."""
SHARES = (0.02, 0.05, 0.1, 0.25, 1.0)
"""Of the training part that keeps its labels."""
_RGB_LDP = 'MRGB/RRGB+LDP/CRGB'
TARGETS: dict[str, tuple[str | None, dict[str, Any]]] = {
    BASELINE: (None, {}),
    'RGB': ('MRGB/RRGB/CRGB', {}),
    'HOG': ('MRGB/RHOG/CRGB', {}),
    'LDP-bits': ('MRGB/RLDP/CRGB', {'kind': 'planes'}),
    'LBP-bits': ('MRGB/RLBP/CRGB', {'kind': 'planes'}),
    'LDP-cells': ('MRGB/RLDP/CRGB', {'kind': 'histogram', 'cells': 2}),
    'LDP-half': ('MRGB/RLDP/CRGB', {'kind': 'planes', 'shrink': 2}),
    'RGB+LDP': (_RGB_LDP, {'kind': 'planes'}),
}
"""Target to variant and options of the auxiliary task; the loss weights are 0.5 and 0.5."""
VALIDATIONS = 20
"""Points of the curve over a training, which shows whether it had stopped improving."""


@dataclass(frozen=True)
class Run:
    """One training.

    Args:
        set: A key of :data:`SETS`.
        target: A key of :data:`TARGETS`.
        share: Of the training part that keeps its labels, above 0 and up to 1.
        seed: Of weights, order and masks, and of which labels are kept.

    Example:
        >>> Run('utkface', 'HOG', 0.05, 1).name
        'utkface_HOG_5%_seed1'
    """

    set: str
    target: str
    share: float
    seed: int

    @property
    def name(self) -> str:
        """What its files are called."""
        return f'{self.set}_{self.target}_{100 * self.share:g}%_seed{self.seed}'


def experiment_of(run: Run) -> Experiment:
    """The network, crops and rate of ``face_evidence``, with the run's target."""
    variant, options = TARGETS[run.target]
    return dataclasses.replace(
        EXPERIMENTS[run.set],
        variants={run.target: variant},
        kinds={run.target: options.get('kind', 'codes')},
        weights={run.target: (0.5, 0.5)},
    )


def epochs_for(steps: int, labelled: int, batch: int) -> int:
    """Epochs of a training of at least so many steps, whatever the share of labels."""
    return math.ceil(steps / max(1, labelled // batch))


def make_config(run: Run, data: Path, steps: int, labelled: int, ratio: int) -> Config:
    """The config of a run: every share trains for as many steps, and the rest of its images have no labels.

    Args:
        run: Which.
        data: Folder of the set.
        steps: Steps of the training, at least.
        labelled: Images that keep their labels.
        ratio: Unlabelled images beside each labelled one.
    """
    experiment = experiment_of(run)
    batch = min(experiment.batch_size, labelled)
    experiment = dataclasses.replace(experiment, epochs=epochs_for(steps, labelled, batch), batch_size=batch)
    cfg = experiment.make_config(run.target, data)
    if cfg.model.auxiliary is not None:
        cfg.model.auxiliary.update(TARGETS[run.target][1])
    dataset = cfg.train_dataloader.dataset
    dataset.unlabelled, dataset.unlabelled_ratio = None, ratio
    if run.share < 1:
        if run.target != BASELINE:
            dropped = ('pipeline', 'unlabelled', 'unlabelled_ratio')
            dataset.unlabelled = {key: value for key, value in dataset.items() if key not in dropped}
        dataset.subset, dataset.subset_seed = run.share, run.seed
    interval = max(1, experiment.epochs // VALIDATIONS)
    cfg.train_cfg.val_interval = interval
    cfg.default_hooks.checkpoint = {'type': 'CheckpointHook', 'interval': interval, 'max_keep_ckpts': 1}
    cfg.custom_hooks = [hook for hook in cfg.custom_hooks if hook['type'] != 'ReconstructionHook']
    return cfg
