"""Pipelines, hooks, schedules and metrics of a config as dicts ``name -> step``, so that a step is changed by name.

mmengine wants lists. A list in a base config can only be replaced as a whole, and an option reaches into it by index
only. A dict is merged key by key::

    # base                                              # child
    train_pipeline = dict(                              train_pipeline = dict(
        SampleFrames=dict(num_frames=64),                   SampleFrames=dict(num_frames=32),   # changed
        RandomJitter=dict(joint=0.02),                      RandomJitter=None,                  # left out
        PackPose=dict(),                                    RandomFlip=dict(_before_='PackPose'),  # put in
    )                                                   )

The name of a step is its type unless it has a ``type`` of its own (which a step that occurs twice needs). Lists are
taken too; their steps are named by type, ``Resize:1`` and ``Resize:2`` where a type occurs twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bmoe_ground.errors import UserError
from mm_runtime.suggest import did_you_mean, listing

_PLACES = ('custom_hooks', 'param_scheduler', 'val_evaluator', 'test_evaluator', 'vis_backends', 'pipeline')
_ORDER = ('_before_', '_after_')


def is_steps(key: str, value: Any) -> bool:
    """Tell whether a value is a dict ``name -> step``.

    Args:
        key: The key that it stands under.
        value: Anything in a config.
    """
    if not isinstance(value, Mapping) or 'type' in value or not (key in _PLACES or key.endswith('_pipeline')):
        return False
    return all(step is None or isinstance(step, (Mapping, str)) for step in value.values())


def step_names(steps: Mapping[str, Any] | Sequence[Any]) -> list[str]:
    """Name the steps of a dict or a list, in the order in which they run.

    Args:
        steps: A dict ``name -> step``, or a list of dicts with ``type``.

    Returns:
        One name a step; an empty list where a list's items have no type and hence no name.

    Example:
        >>> step_names([dict(type='Resize'), dict(type='Resize'), dict(type='Normalize')])
        ['Resize:1', 'Resize:2', 'Normalize']
    """
    if isinstance(steps, Mapping):
        return [name for name, _ in _ordered(steps, 'steps')]
    types = [step.get('type') if isinstance(step, Mapping) else None for step in steps]
    if not all(isinstance(name, str) for name in types):
        return []
    total, seen, names = Counter(types), Counter[str](), []
    for name in map(str, types):
        seen[name] += 1
        names.append(f'{name}:{seen[name]}' if total[name] > 1 else name)
    return names


def to_lists(value: Any, key: str = '', where: str = '') -> Any:
    """Turn every dict ``name -> step`` into the list that mmengine expects.

    Args:
        value: A config, or any part of one.
        key: The key that it stands under.
        where: Its place, for errors.

    Returns:
        A copy; steps that are None are left out.

    Raises:
        UserError: A step is to stand before or after one that there is not.
    """
    if is_steps(key, value):
        return [
            {'type': name, **{k: to_lists(v, k, f'{where}.{name}') for k, v in step.items() if k not in _ORDER}}
            for name, step in _ordered(value, where)
        ]
    if isinstance(value, Mapping):
        return {k: to_lists(v, k, f'{where}.{k}' if where else k) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(to_lists(item, '', where) for item in value)
    return value


def _ordered(steps: Mapping[str, Any], where: str) -> list[tuple[str, Mapping[str, Any]]]:
    kept = [(name, step) for name, step in steps.items() if step is not None]
    for name, step in list(kept):
        for word in _ORDER:
            other = step.get(word) if isinstance(step, Mapping) else None
            if other is None:
                continue
            kept.remove((name, step))
            names = [name for name, _ in kept]
            if other not in names:
                raise UserError(
                    f'{where}.{name}: {word}={other!r} is no step{did_you_mean(str(other), names)}; '
                    f'steps: {listing(names)}'
                )
            kept.insert(names.index(other) + (word == '_after_'), (name, step))
    return kept
