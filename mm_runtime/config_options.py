"""Options of a command line, ``key.path=value``: they name steps and hooks, and never miss in silence."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config, ConfigDict

from bmoe_ground.errors import UserError
from mm_runtime.config_references import look_up, target_of
from mm_runtime.config_steps import is_steps, step_names
from mm_runtime.suggest import did_you_mean, listing

# read by mmengine's runner
RUNNER_KEYS = (
    'model',
    'work_dir',
    'train_dataloader',
    'val_dataloader',
    'test_dataloader',
    'train_cfg',
    'val_cfg',
    'test_cfg',
    'auto_scale_lr',
    'optim_wrapper',
    'param_scheduler',
    'val_evaluator',
    'test_evaluator',
    'default_hooks',
    'custom_hooks',
    'data_preprocessor',
    'load_from',
    'resume',
    'launcher',
    'env_cfg',
    'log_processor',
    'log_level',
    'visualizer',
    'default_scope',
    'randomness',
    'experiment_name',
)
# read by this project: what the loaders share, how a face is framed for prediction, what to call after a test, and the
# settings of distributed training
OWN_KEYS = ('dataset', 'face_crop', 'after_test', 'find_unused_parameters', 'model_wrapper_cfg')
_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
_ELSEWHERE = {'resume': '--resume', 'launcher': '--launcher'}
# dicts of which mmengine reads these keys and skips over any other
_PLAIN_KEYS = {
    'env_cfg': ('cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'),
    'env_cfg.mp_cfg': ('mp_start_method', 'opencv_num_threads'),
    'auto_scale_lr': ('enable', 'base_batch_size'),
    'randomness': ('seed', 'diff_rank_seed', 'deterministic'),
    'optim_wrapper.clip_grad': ('type', 'max_norm', 'norm_type', 'error_if_nonfinite', 'foreach', 'clip_value'),
    'optim_wrapper.paramwise_cfg': (
        *('custom_keys', 'bias_lr_mult', 'bias_decay_mult', 'norm_decay_mult', 'flat_decay_mult'),
        *('dwconv_decay_mult', 'dcn_offset_lr_mult', 'bypass_duplicate'),
    ),
}


def set_option(config: dict[str, Any], dotted: str, value: Any, where: str) -> None:
    """Set one option.

    Args:
        config: An unresolved config; changed in place.
        dotted: The key; a step of a pipeline, a hook, a schedule or a metric is called by its name or type. A hook
            needs no ``custom_hooks.`` or ``default_hooks.`` before it.
        value: What it is set to; a dict is merged into one that is there.
        where: The config's name, for errors.

    Raises:
        UserError: A part of the key is unknown, is an index of something that has a name, or leads into a plain value.
    """
    parts = _without_shorthand(config, dotted.split('.'))
    if parts[0] in _ELSEWHERE:
        raise UserError(f'--cfg-options {dotted}: use {_ELSEWHERE[parts[0]]}')
    if parts[0] not in config and parts[0] not in RUNNER_KEYS + OWN_KEYS:
        known = {key for key in config if not key.startswith('_')} | set(RUNNER_KEYS)
        kind = 'key' if len(parts) == 1 else ''
        raise UserError(
            f'--cfg-options {dotted}: {where} has no {kind}{" " if kind else ""}{parts[0]!r}'
            f'{did_you_mean(parts[0], [*known, *_hooks(config)])}; known: {listing(known)}'
        )
    node: Any = config
    for depth in range(len(parts) - 1):
        node = _enter(config, node, parts, depth, f'--cfg-options {dotted}: {where}')
    place = _place(node, parts, len(parts) - 1, f'--cfg-options {dotted}: {where}', last=True)
    if isinstance(value, dict) and isinstance(node, dict) and isinstance(node.get(place), dict):
        try:
            value = Config._merge_a_into_b(copy.deepcopy(value), node[place])
        except TypeError as error:
            raise UserError(f'--cfg-options {dotted}: {error}') from error
    node[place] = value


def check_plain_keys(config: Mapping[str, Any], where: str) -> None:
    """Refuse keys that mmengine would skip over without a word.

    Args:
        config: A resolved config.
        where: Its name, for errors.

    Raises:
        UserError: A key is unknown.
    """
    for dotted, known in _PLAIN_KEYS.items():
        node: Any = config
        for part in dotted.split('.'):
            node = node.get(part) if isinstance(node, Mapping) else None
        for key in node if isinstance(node, Mapping) else ():
            if key not in known:
                raise UserError(
                    f'{where}: {dotted} has no {key!r}{did_you_mean(str(key), known)}; known: {listing(known)}'
                )


def check_shared(config: Mapping[str, Any], dotted: str) -> None:
    """Refuse an option of ``dataset`` that a loader's own dataset overrules.

    Args:
        config: The resolved config.
        dotted: The option's key.

    Raises:
        UserError: Some loader sets this argument itself.
    """
    parts = dotted.split('.')
    if parts[0] != 'dataset' or len(parts) < 2:
        return
    loaders = [loader for loader in _LOADERS if parts[1] in ((config.get(loader) or {}).get('dataset') or {})]
    if loaders:
        keys = ', '.join(f'{loader}.{dotted}' for loader in loaders)
        raise UserError(f'--cfg-options {dotted}: the loaders have a {parts[1]} of their own; set {keys}')


def effective(config: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out of a resolved config what nothing reads: names that are only there to be referred to.

    Args:
        config: A resolved config.
    """
    return {key: value for key, value in config.items() if key in RUNNER_KEYS + OWN_KEYS}


def where_copied(config: Mapping[str, Any], dotted: str) -> list[str]:
    """Find the keys to which a value of a config was copied.

    Args:
        config: The resolved config.
        dotted: Key of the value, steps by name.

    Returns:
        Dotted keys, steps by name: those that hold an equal value under the same name, else a dict or list equal to it.
    """
    value = dict(_leaves(config)).get(dotted)
    equal = [key for key, item in _leaves(effective(config)) if item == value]
    for length in (3, 2, 1):  # the more of the key's end is the same, the surer
        end = dotted.split('.')[-length:]
        if same := [key for key in equal if key.split('.')[-len(end) :] == end]:
            return same
    return equal if isinstance(value, (dict, list)) else []


def _leaves(node: Any, above: str = '') -> Any:
    if isinstance(node, Mapping):
        items = list(node.items())
    elif isinstance(node, (list, tuple)):
        items = list(zip(step_names(node) or map(str, range(len(node))), node, strict=True))
    else:
        return
    for key, value in items:
        yield f'{above}{key}', value
        yield from _leaves(value, f'{above}{key}.')


def _hooks(config: Mapping[str, Any]) -> dict[str, str]:
    """Names and types of the hooks, and where they stand."""
    found: dict[str, str] = {}
    for place in ('custom_hooks', 'default_hooks'):
        hooks = config.get(place) or {}
        if isinstance(hooks, Mapping):
            found |= {name: place for name in hooks if name not in found}
        else:
            found |= {name: place for name in step_names(hooks) if name not in found}
    return found


def _without_shorthand(config: Mapping[str, Any], parts: list[str]) -> list[str]:
    if parts[0] in config or parts[0] in RUNNER_KEYS + OWN_KEYS:
        return parts
    place = _hooks(config).get(parts[0])
    return parts if place is None else [place, *parts]


def _enter(config: Mapping[str, Any], node: Any, parts: list[str], depth: int, what: str) -> Any:
    """Go one key deeper; a reference becomes a copy of its target here, and null an empty dict."""
    place = _place(node, parts, depth, what)
    inner = node.get(place) if isinstance(node, dict) else node[place]
    target = target_of(inner)
    while target is not None:
        inner = copy.deepcopy(look_up(config, target, what))
        target = target_of(inner)
    if isinstance(inner, tuple):
        inner = list(inner)
    if inner is None:
        inner = ConfigDict()
    if not isinstance(inner, (dict, list)):
        raise UserError(f'{what}: {".".join(parts[: depth + 1])} is {inner!r} and has no {parts[depth + 1]!r}')
    node[place] = inner
    return inner


def _place(node: Any, parts: list[str], depth: int, what: str, last: bool = False) -> Any:
    """The key or index of a part in its container."""
    part, above = parts[depth], '.'.join(parts[:depth])
    if isinstance(node, dict) and not (depth and is_steps(parts[depth - 1], node)):
        if part in node or last or depth == 0:
            return part
        known = [key for key in node if not key.startswith('_')]
        missing = '.'.join(parts[: depth + 1])
        raise UserError(f'{what} has no {missing!r}{did_you_mean(part, known)}; known: {listing(known)}')
    names = step_names(node)
    if part in names or (isinstance(node, dict) and part in node):
        return part if isinstance(node, dict) else names.index(part)
    if isinstance(node, dict):
        typed = [name for name, step in node.items() if step is not None and step.get('type') == part]
        if len(typed) == 1:
            return typed[0]
    if part.isdigit() and not names and int(part) < len(node):
        return int(part)
    if part.isdigit() and int(part) < len(names):
        named = '.'.join([above, names[int(part)], *parts[depth + 1 :]])
        raise UserError(f'{what}: {above} is changed by name, not by index: {named}')
    if names or isinstance(node, dict):
        numbered = [name for name in names if name.startswith(f'{part}:')]
        hint = f'; there are several, say which: {listing(numbered)}' if numbered else did_you_mean(part, names)
        raise UserError(f'{what}: {above} has no {part!r}{hint}; there are: {listing(names)}')
    raise UserError(f'{what}: {above} is a list of {len(node)} items, {part!r} is none of them')
