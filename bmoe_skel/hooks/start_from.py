"""Fine-tuning: a model starts from the weights of another that knows other classes."""

from __future__ import annotations

import os

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from bmoe_ground.errors import UserError
from bmoe_skel.everyday import EVERYDAY
from bmoe_skel.registry import HOOKS
from mm_runtime.checkpoint import load_checkpoint


@HOOKS.register_module()
class StartFromHook(Hook):
    """Load all weights of a checkpoint but those of classifiers before the first step.

    A resumed run has its weights already and does not read the file; neither does a test.

    Args:
        checkpoint: A checkpoint of ``bmoe train`` with the same layout and sizes; None for the one that comes with the
            package (:data:`bmoe_skel.everyday.EVERYDAY`).
        frozen: Parts of the model that are not trained, by the beginning of their names, such as ``experts``.

    Raises:
        UserError: When training starts, the checkpoint does not fit, or no part of the model has such a name.

    Example:
        >>> StartFromHook().checkpoint.name
        'everyday.pth'
    """

    priority = 'VERY_HIGH'

    def __init__(self, checkpoint: str | os.PathLike[str] | None = None, frozen: tuple[str, ...] = ()) -> None:
        self.checkpoint = EVERYDAY if checkpoint is None else checkpoint
        self.frozen = (frozen,) if isinstance(frozen, str) else tuple(frozen)

    def before_train(self, runner: Runner) -> None:
        """Load the weights; see the class.

        Args:
            runner: The runner that trains.

        Raises:
            UserError: The run starts from ``load_from`` too, or the checkpoint is refused.
        """
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        for name in self.frozen:
            parts = [weight for key, weight in model.named_parameters() if key.startswith(name)]
            if not parts:
                roots = sorted({key.split('.')[0] for key, _ in model.named_parameters()})
                raise UserError(f'StartFromHook: frozen={name!r} names no part of the model; it has {", ".join(roots)}')
            for weight in parts:
                weight.requires_grad_(False)
        if runner._resume:
            return
        if runner._load_from:
            raise UserError(f'StartFromHook and load_from={runner._load_from!r} would both start the model; give one')
        loaded = load_checkpoint(self.checkpoint)
        theirs = loaded.get('meta', {}).get('dataset_meta') or {}
        ours = getattr(runner.train_dataloader.dataset, 'metainfo', {})
        if theirs.get('skeleton') != ours.get('skeleton'):
            raise UserError(
                f'{self.checkpoint} reads {theirs.get("skeleton")}, the clips have {ours.get("skeleton")}: bring them '
                f'to its layout with dataset.layout={theirs.get("skeleton")}'
            )
        own = model.state_dict()
        shared = {key: value for key, value in loaded['state_dict'].items() if not _of_classes(key)}
        wanted = {key for key in own if not _of_classes(key)}
        unfit = sorted(wanted ^ shared.keys()) or [
            key for key, value in shared.items() if value.shape != own[key].shape
        ]
        if unfit:
            raise UserError(
                f'{self.checkpoint} is of another model: {unfit[0]} and {len(unfit) - 1} more weights do not fit; give '
                'the model the sizes that it has'
            )
        model.load_state_dict({**own, **shared})


def _of_classes(key: str) -> bool:
    """Whether a weight belongs to a classifier, which has a row for each class."""
    return key.split('.')[0] in ('head', 'side_heads')
