"""What an earlier version wrote, said in today's words: model configs of 0.1, which live on in its checkpoints.

Weights kept their names; only the arguments of the model moved. Configs that are trained from must be written in
today's words, see :func:`refuse_old_words`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bmoe_ground.errors import UserError

STREAM_OF_KIND = {
    'skeleton': 'SkeletonStream',
    'feature': 'FeatureStream',
    'rgb': 'RGBStream',
    'auto': 'AutoStream',
}
"""``global_stream.kind`` of 0.1 -> ``global_stream.type``."""

MOVED = {
    'aux_weight': ('head', 'side_weight'),
    'balance_weight': ('router', 'balance_weight'),
    'fusion_depth': ('router', 'fusion_depth'),
}
"""Argument of ``BMoE`` in 0.1 -> the group that holds it now, and its name there."""

OF_TRAINING = ('init_experts', 'train_clips')
"""Arguments of ``BMoE`` in 0.1 that are ``InitExpertsHook``'s now; what is trained needs them no more."""


def upgrade_model(config: Any) -> Any:
    """Translate the model config of a 0.1 checkpoint; one of today passes unchanged.

    Args:
        config: The config's ``model``, as read from a checkpoint; it is not changed. Whatever has an unexpected shape
            is left as it is, for the builder to refuse.

    Returns:
        A config that today's ``BMoE`` takes and that builds the same model.

    Example:
        >>> upgrade_model({'type': 'BMoE', 'global_stream': {'kind': 'rgb', 'frames': 8}, 'aux_weight': 0.0})
        {'type': 'BMoE', 'global_stream': {'type': 'RGBStream', 'frames': 8}, 'head': {'side_weight': 0.0}}
    """
    if not isinstance(config, Mapping) or config.get('type') != 'BMoE':
        return config
    model = {key: value for key, value in config.items() if key not in OF_TRAINING}
    stream = model.setdefault('global_stream', None)  # 0.1 took none where its config named none
    if isinstance(stream, Mapping) and isinstance(stream.get('kind'), str):
        kind = stream['kind']
        rest = {key: value for key, value in stream.items() if key != 'kind'}
        model['global_stream'] = {'type': STREAM_OF_KIND.get(kind, kind), **rest}
    for old, (group, name) in MOVED.items():
        holder = model.get(group) or {}
        if old in model and isinstance(holder, Mapping):
            model[group] = {**holder, name: model.pop(old)}
    return model


def refuse_old_words(model: Mapping[str, Any]) -> None:
    """Refuse a model config to be trained or tested that is written in the words of 0.1, and say today's.

    Args:
        model: The config's ``model``.

    Raises:
        UserError: An argument has moved.
    """
    for old, (group, name) in MOVED.items():
        if old in model:
            raise UserError(f'model.{old} is now model.{group}.{name}')
    for old in OF_TRAINING:
        if old in model:
            raise UserError(
                f"model.{old} is a hook's now: custom_hooks.init_experts=dict(type='InitExpertsHook', head=FILE, ...)"
            )
