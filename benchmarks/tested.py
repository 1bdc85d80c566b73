"""The test clips of a config and the models that are asked about them, for benchmarks that compare checkpoints."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import Tensor

from bmoe_ground.errors import UserError
from bmoe_skel.checkpoint import load_trained
from bmoe_skel.models.recognizer import Batch, SkeletonRecognizer
from bmoe_skel.structures import ActionSample
from mm_runtime.checkpoint import load_checkpoint
from mm_runtime.cli import check_same_data
from mm_runtime.config import load_config, parse_cfg_options, share_dataset
from mm_runtime.scope import complete_scope
from mm_runtime.suggest import named_mistakes


def load_tests(config: str, cfg_options: Sequence[str] | None) -> Any:
    """Build the loader of a config's test clips; what the config imports is imported.

    Args:
        config: The config's path.
        cfg_options: Changes to it, ``KEY=VALUE``.

    Raises:
        UserError: Config or data are wrong.
    """
    cfg = load_config(config, parse_cfg_options(cfg_options))
    share_dataset(cfg)
    init_default_scope(cfg.default_scope)
    complete_scope(cfg.default_scope)
    with named_mistakes(f'{config}: test_dataloader'):
        return Runner.build_dataloader(cfg.test_dataloader, seed=0)


def model_for(loader: Any, checkpoint: str | os.PathLike[str]) -> SkeletonRecognizer:
    """Load a checkpoint to be asked about the clips of a loader.

    Args:
        loader: From :func:`load_tests`.
        checkpoint: The checkpoint.

    Returns:
        The model in evaluation mode.

    Raises:
        UserError: The checkpoint is refused, was trained with other classes or another skeleton, or knows several
            labels a clip.
    """
    model = load_trained(checkpoint).model
    check_same_data(load_checkpoint(checkpoint), loader.dataset.metainfo, checkpoint)
    if model.head.multi_label:
        raise UserError(f'checkpoint {checkpoint}: clips have several labels, expected one each')
    return model


def batches(loader: Any, model: SkeletonRecognizer) -> Iterator[tuple[Batch, list[ActionSample], Tensor]]:
    """Go through the test clips.

    Args:
        loader: From :func:`load_tests`.
        model: Whose batch builder is used.

    Yields:
        Inputs, samples and (B,) int64 labels of each batch.

    Raises:
        UserError: The labels of the test clips are hidden.
    """
    for batch in loader:
        packed = model.data_preprocessor(batch)
        labels = torch.stack([sample.gt_label for sample in packed['data_samples']]).long()
        if (labels < 0).any():
            raise UserError('the labels of the test clips are hidden')
        yield packed['inputs'], packed['data_samples'], labels


@torch.no_grad()
def scores_of(model: SkeletonRecognizer, inputs: Batch) -> Tensor:
    """(B, C) probabilities, averaged over the cuts of each clip as in every test."""
    return torch.stack([sample.pred_scores for sample in model(inputs, mode='predict')])
