"""A trained face model from its checkpoint alone: weights, label map and preprocessing."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from bmoe_ground.errors import UserError
from bmoe_ground.import_cures import apply_import_cures
from face_aux.labels import check_label_map
from face_aux.registry import MODELS
from mm_runtime.checkpoint import load_checkpoint
from mm_runtime.config_text import parse_config_text, section
from mm_runtime.registry import build_embedded

TRAINING_ONLY = ('auxiliary.',)
"""State that prediction does not need: the decoder of the texture task."""

# Of training only; or names of files and addresses, which a checkpoint may not have opened: its weights are in itself.
_NOT_NEEDED = frozenset(
    {'auxiliary', 'data_preprocessor', 'init_cfg', 'pretrained', 'pretrained_cfg', 'pretrained_cfg_overlay'}
    | {'checkpoint_path', 'cache_dir'}
)


@dataclass(frozen=True)
class FaceModel:
    """What prediction needs.

    Args:
        model: In evaluation mode, on its device.
        tasks: Task name to class names.
        multi_label: The tasks whose classes are independent.
        pipeline: The transforms of the test data, loading included.
        crop: Margin, shift and alignment of the faces it was trained on, as the config's ``face_crop`` has them.
        source: The checkpoint.

    Example:
        >>> trained = face_aux.load_face_model('face.pth')
        >>> trained.tasks
        {'light': ['dark', 'bright']}
    """

    model: nn.Module
    tasks: dict[str, list[str]]
    multi_label: frozenset[str]
    pipeline: list[dict[str, Any]]
    crop: dict[str, Any]
    source: str


def load_face_model(
    path: str | os.PathLike[str],
    device: str | torch.device = 'cpu',
    label_map: Mapping[str, Sequence[str]] | None = None,
) -> FaceModel:
    """Build the model that a checkpoint describes and load its weights, without the texture task's decoder.

    Neither pickled objects nor the config's code are run.

    Args:
        path: A checkpoint of this project's trainer.
        device: Where the model goes.
        label_map: Task to class names that the model must have.

    Raises:
        UserError: The checkpoint is missing, damaged, of another kind, or has another label map.

    Example:
        >>> trained = face_aux.load_face_model('face.pth', label_map={'light': ['dark', 'bright']})
        >>> trained.model.training, [step['type'] for step in trained.pipeline][:2]
        (False, ['LoadFace', 'Resize'])
    """
    checkpoint = load_checkpoint(path)
    meta = checkpoint.get('meta') or {}
    if not isinstance(meta.get('cfg'), str):
        raise UserError(f'{path}: holds weights but no config; use a checkpoint that tools/train.py wrote')
    cfg = parse_config_text(meta['cfg'], str(path))
    config = cfg.get('model')
    if not isinstance(config, dict) or not isinstance(config.get('type'), str):
        raise UserError(f'{path}: its config describes no model')
    tasks = _tasks(config, meta, str(path))
    check_label_map(label_map or {}, {task: spec['classes'] for task, spec in tasks.items()}, str(path))
    model = _build(config, str(path))
    _load(model, checkpoint['state_dict'], str(path))
    return FaceModel(
        model=model.to(device).eval(),
        tasks={task: list(spec['classes']) for task, spec in tasks.items()},
        multi_label=frozenset(task for task, spec in tasks.items() if spec['multi_label']),
        pipeline=_pipeline(cfg, str(path)),
        crop=dict(section(cfg, 'face_crop')),
        source=str(path),
    )


def _tasks(config: dict, meta: dict, where: str) -> dict[str, dict]:
    """Label map of each head; the data's and the model's must agree."""
    described, heads = section(meta, 'dataset_meta', 'tasks'), section(config, 'heads')
    tasks = {}
    for task in heads or described:
        spec, head = dict(section(described, task)), section(heads, task)
        classes = head.get('classes')
        if classes is not None and spec.get('classes') is not None:
            check_label_map({task: spec['classes']}, {task: classes}, where)
        spec.setdefault('classes', classes)
        spec.setdefault('multi_label', head.get('type') == 'multi_label')
        if not spec['classes'] or not isinstance(spec['classes'], (list, tuple)):
            raise UserError(f'{where}: task {task!r} has no class names')
        tasks[task] = spec
    if not tasks:
        raise UserError(f'{where}: names no tasks; it is no checkpoint of a face model')
    return tasks


def _build(config: dict, where: str) -> nn.Module:
    apply_import_cures()
    return build_embedded(MODELS, config, where, drop=_NOT_NEEDED)


def _load(model: nn.Module, state: dict[str, torch.Tensor], where: str) -> None:
    kept = {key: value for key, value in state.items() if not key.startswith(TRAINING_ONLY)}
    own = model.state_dict()
    for key, value in kept.items():
        if key in own and own[key].shape != value.shape:
            raise UserError(
                f'{where}: {key} has shape {tuple(value.shape)}, but its config gives {tuple(own[key].shape)}; '
                'weights and label map do not belong together'
            )
    missing, unexpected = model.load_state_dict(kept, strict=False)
    if missing or unexpected:
        raise UserError(f'{where}: weights do not fit its config; missing {missing[:3]}, unexpected {unexpected[:3]}')


def _pipeline(cfg: dict, where: str) -> list[dict[str, Any]]:
    """The test pipeline; the validation one where there is no test."""
    for key in ('test_dataloader', 'val_dataloader'):
        steps = section(cfg, key, 'dataset').get('pipeline') or cfg.get('test_pipeline')
        if isinstance(steps, (list, tuple)) and all(isinstance(step, Mapping) for step in steps):
            return [dict(step) for step in steps]
    raise UserError(f'{where}: its config has no test pipeline, so the preprocessing is unknown')
