"""A trained model from its checkpoint alone: network, classes, skeleton and preprocessing."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from bmoe_ground.device import choose_device
from bmoe_ground.errors import UserError
from bmoe_skel.models.recognizer import SkeletonRecognizer
from bmoe_skel.registry import MODELS, TRANSFORMS
from bmoe_skel.upgrade import upgrade_model
from mm_runtime.checkpoint import load_checkpoint
from mm_runtime.config_text import parse_config_text, section
from mm_runtime.registry import build_embedded
from pose_extract.skeletons import register_embedded
from pose_extract.tracks import MAX_SECONDS

# What names files: all that prediction needs is in the checkpoint, and a checkpoint may not have others opened.
_FILES = frozenset({'init_cfg', 'pretrained', 'label_embeddings', 'root'})
_TRAINING_ONLY = ('head.embedder.',)


@dataclass(frozen=True)
class TrainedModel:
    """What prediction needs.

    Attributes:
        model: In evaluation mode, on its device, with ``classes`` and ``skeleton``.
        classes: Class names, in the order of the logits.
        skeleton: Name of the keypoint layout that the model reads.
        pipeline: The transforms of the test data, from a clip's arrays to a sample.
        clip_seconds: How long the clips it was trained on last: their median, and what 95 % of them do not exceed; None
            where the checkpoint does not say (those of before 0.3).
    """

    model: SkeletonRecognizer
    classes: list[str]
    skeleton: str
    pipeline: list[Callable[[dict[str, Any]], dict[str, Any]]]
    clip_seconds: tuple[float, float] | None = None


def load_model(checkpoint: str | os.PathLike[str], device: str | torch.device = 'cpu') -> SkeletonRecognizer:
    """Load the network of a checkpoint, ready to predict.

    Nothing that the checkpoint names is imported, run or opened. For labels straight from track files there is
    :class:`bmoe_skel.MicroActionInferencer`, which prepares the clips too.

    Args:
        checkpoint: A checkpoint of ``bmoe train``.
        device: Where the model goes: 'cpu', 'cuda', 'cuda:N', or 'auto' for a GPU where there is one.

    Returns:
        The model in evaluation mode; ``classes`` holds its class names, ``skeleton`` its keypoint layout.

    Raises:
        UserError: The checkpoint is damaged, refused, or lacks what is needed to build the model.

    Example:
        >>> model = bmoe_skel.load_model('best.pth')
        >>> model.classes
        ['arms', 'head', 'legs']
        >>> model.skeleton, model.training
        ('coco17', False)
    """
    return load_trained(checkpoint, device).model


def load_trained(checkpoint: str | os.PathLike[str], device: str | torch.device = 'cpu') -> TrainedModel:
    """Load the network of a checkpoint together with the preprocessing of its clips.

    Args:
        checkpoint: A checkpoint of ``bmoe train``.
        device: Where the model goes.

    Raises:
        UserError: The checkpoint is damaged, refused, or lacks what is needed to build the model.
    """
    loaded = load_checkpoint(checkpoint)
    source = str(checkpoint)
    meta = loaded.get('meta', {})
    missing = [key for key in ('cfg', 'dataset_meta') if not meta.get(key)]
    if missing:
        raise UserError(f'checkpoint {source} says nothing of {", ".join(missing)}; was it made by tools/train.py?')
    config = parse_config_text(meta['cfg'], f'checkpoint {source}')
    classes, skeleton = _facts(meta['dataset_meta'], source)
    model = build_embedded(MODELS, upgrade_model(config.get('model')), source, drop=_FILES)
    steps = _test_pipeline(config, source)
    pipeline = [build_embedded(TRANSFORMS, step, source, drop=_FILES) for step in steps]
    if not isinstance(model, SkeletonRecognizer):
        raise UserError(f'checkpoint {source}: its {type(model).__name__} is no model that recognises actions')
    weights = {key: value for key, value in loaded['state_dict'].items() if not key.startswith(_TRAINING_ONLY)}
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        reason = ' '.join(str(error).split())[:300]
        raise UserError(f'checkpoint {source}: weights do not fit its config: {reason}') from error
    model.classes = classes
    model.eval().to(choose_device(str(device)))
    return TrainedModel(model, classes, skeleton, pipeline, _clip_seconds(meta['dataset_meta'], source))


def _facts(described: Any, source: str) -> tuple[list[str], str]:
    """Class names and skeleton of a checkpoint's ``dataset_meta``; a layout that it brings along is registered."""
    classes, skeleton = (described.get(key) if isinstance(described, dict) else None for key in ('classes', 'skeleton'))
    if not isinstance(classes, (list, tuple)) or not all(isinstance(name, str) for name in classes):
        raise UserError(f'checkpoint {source}: its classes are no list of names')
    if not isinstance(skeleton, str):
        raise UserError(f'checkpoint {source}: its skeleton is no name')
    register_embedded(described, f'checkpoint {source}')
    return list(classes), skeleton


def _clip_seconds(described: dict[str, Any], source: str) -> tuple[float, float] | None:
    """The durations that :class:`bmoe_skel.datasets.base.PoseDataset` wrote down."""
    found = described.get('clip_seconds')
    if found is None:
        return None
    fits = isinstance(found, (list, tuple)) and len(found) == 2 and all(type(one) in (int, float) for one in found)
    if not fits or not 0 < found[0] <= found[1] <= MAX_SECONDS:
        raise UserError(f'checkpoint {source}: its clip_seconds are no two rising durations: {found!r:.80}')
    return float(found[0]), float(found[1])


def _test_pipeline(config: dict[str, Any], source: str) -> list[Any]:
    steps = section(config, 'test_dataloader', 'dataset').get('pipeline')
    if not isinstance(steps, (list, tuple)):
        raise UserError(f'checkpoint {source}: its config has no test pipeline, so the preprocessing is unknown')
    return list(steps)
