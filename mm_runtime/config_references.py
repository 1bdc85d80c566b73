"""References inside a config: ``'${max_epochs}'`` is the value of ``max_epochs``, whenever that was set.

A Python name in a config is copied where it is used: setting ``max_epochs`` afterwards, in a config that inherits or
on the command line, would not reach the copies. A reference is looked up after all of that, so that one change takes
effect wherever the value is used.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from bmoe_ground.errors import UserError
from mm_runtime.suggest import did_you_mean, listing

_REFERENCE = re.compile(r'\$\{([\w.]+)\}')


def target_of(value: Any) -> str | None:
    """Tell what a value refers to.

    Args:
        value: Anything in a config.

    Returns:
        The dotted key, if the value is one whole reference.

    Example:
        >>> target_of('${train_cfg.max_epochs}'), target_of('epoch_${max_epochs}.pth')
        ('train_cfg.max_epochs', None)
    """
    found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return found.group(1) if found else None


def resolve(config: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Put values in the place of references.

    Args:
        config: A config; left as it is.
        where: Its name, for errors.

    Returns:
        A copy without references. One that is a whole value keeps the type of what it refers to; one inside a longer
        text becomes text.

    Raises:
        UserError: A reference leads nowhere, or back to itself.

    Example:
        >>> resolve(dict(n=3, a=dict(b='${n}'), c='epoch_${a.b}.pth'), 'example')
        {'n': 3, 'a': {'b': 3}, 'c': 'epoch_3.pth'}
    """
    return {key: _resolved(value, config, where, ()) for key, value in config.items()}


def resolve_base(value: Any, base: Mapping[str, Any], where: str) -> Any:
    """Put the values of another config in the place of ``'${_base_.key}'``.

    Args:
        value: Part of a config.
        base: The config that ``_base_`` stands for; its own references stay references.
        where: Its name, for errors.

    Returns:
        A copy.

    Raises:
        UserError: A reference leads nowhere.
    """
    target = target_of(value)
    if target is not None and target.startswith('_base_.'):
        return copy.deepcopy(look_up(base, target.removeprefix('_base_.'), where))
    if isinstance(value, Mapping):
        return {key: resolve_base(item, base, where) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(resolve_base(item, base, where) for item in value)
    return value


def look_up(config: Mapping[str, Any], dotted: str, where: str) -> Any:
    """Find a value by its dotted key, through references on the way.

    Args:
        config: A config.
        dotted: The key.
        where: The config's name, for errors.

    Returns:
        The value itself, which may be or hold references.

    Raises:
        UserError: There is no such key.
    """
    node: Any = config
    for part in dotted.split('.'):
        on_the_way = target_of(node)
        if on_the_way is not None:
            node = look_up(config, on_the_way, where)
        if not isinstance(node, Mapping) or part not in node:
            known = [key for key in node if not key.startswith('_')] if isinstance(node, Mapping) else []
            raise UserError(
                f'{where}: reference ${{{dotted}}} leads nowhere{did_you_mean(part, known)}; known: {listing(known)}'
            )
        node = node[part]
    return node


def _resolved(value: Any, config: Mapping[str, Any], where: str, behind: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        return _resolved_text(value, config, where, behind)
    if isinstance(value, Mapping):
        return {key: _resolved(item, config, where, behind) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_resolved(item, config, where, behind) for item in value)
    return copy.deepcopy(value)


def _resolved_text(text: str, config: Mapping[str, Any], where: str, behind: tuple[str, ...]) -> Any:
    def value_of(name: str) -> Any:
        if name in behind:
            raise UserError(f'{where}: reference ${{{name}}} leads back to itself: {" -> ".join((*behind, name))}')
        return _resolved(look_up(config, name, where), config, where, (*behind, name))

    whole = target_of(text)
    if whole is not None:
        return value_of(whole)
    return _REFERENCE.sub(lambda found: str(value_of(found.group(1))), text)
