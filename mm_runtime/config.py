"""Reading mmengine configs so that a mistake in one is an error that names it."""

from __future__ import annotations

import copy
import difflib
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml
from mmengine.config import Config, ConfigDict

from bmoe_ground.errors import UserError

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


def parse_cfg_options(options: Sequence[str] | None) -> dict[str, Any]:
    """Read ``--cfg-options key.path=value`` pairs.

    Args:
        options: Items ``key=value``. Values are YAML (``3``, ``1e-3``, ``true``, ``null``, ``[a, b]``); what is none
            is a string.

    Returns:
        Dotted key to value.

    Raises:
        UserError: An item has no ``=``.
    """
    parsed: dict[str, Any] = {}
    for item in options or ():
        key, equals, text = item.partition('=')
        if not equals or not key:
            raise UserError(f'--cfg-options {item!r}: expected KEY=VALUE, for example optim_wrapper.optimizer.lr=1e-3')
        parsed[key] = _parse_value(text)
    return parsed


def _parse_value(text: str) -> Any:
    try:
        return float(text) if not text.lstrip('+-').isdigit() else int(text)  # YAML reads 1e-3 as a string
    except ValueError:
        pass
    if text == 'None':
        return None
    try:
        return yaml.safe_load(text.replace('(', '[').replace(')', ']')) if text else ''
    except yaml.YAMLError:
        return text


def load_config(path: str | os.PathLike[str], options: dict[str, Any] | None = None) -> Config:
    """Load a config file and apply overrides.

    Args:
        path: A config in Python, YAML or JSON. Python configs run code: load only those you trust.
        options: Dotted key to value, from :func:`parse_cfg_options`.

    Returns:
        The config.

    Raises:
        UserError: The file is missing or broken, or a key is unknown.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f'config not found: {path}')
    try:
        cfg = Config.fromfile(str(path))
    except (SyntaxError, KeyError, TypeError, NameError, AttributeError, OSError, ImportError, ValueError) as error:
        raise UserError(f'config {path} cannot be read: {type(error).__name__}: {error}') from error
    check_top_level(cfg.keys(), str(path))
    for key in options or {}:
        _check_option(cfg, key, path)
        _open_null_parents(cfg, key)
    try:
        cfg.merge_from_dict(options or {})
    except (KeyError, TypeError, IndexError, AssertionError) as error:
        raise UserError(f'--cfg-options for {path}: {error}') from error
    return cfg


def share_dataset(cfg: Config) -> None:
    """Give the arguments in a config's ``dataset`` to the dataset of every loader that does not set them itself.

    So that one option, such as ``--cfg-options dataset.tracks=poses/``, reaches training, validation and test.

    Args:
        cfg: The config; changed in place, its ``dataset`` is left as it is.
    """
    shared = cfg.get('dataset')
    if not shared:
        return
    for key in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if cfg.get(key):
            cfg[key]['dataset'] = ConfigDict({**copy.deepcopy(shared), **cfg[key]['dataset']})


def set_epochs(cfg: Config, epochs: int) -> None:
    """Train for another number of epochs, on the same course: every schedule is stretched or squeezed with it.

    ``train_cfg.max_epochs`` alone would cut a decay off or leave the rate at its floor.

    Args:
        cfg: The config; changed in place.
        epochs: At least 1.

    Raises:
        UserError: Not a positive number, or a config that counts iterations and not epochs.
    """
    before = (cfg.get('train_cfg') or {}).get('max_epochs')
    if not before:
        raise UserError(f'--epochs: {cfg.filename} has no train_cfg.max_epochs, it does not train by epochs')
    if epochs < 1:
        raise UserError(f'--epochs {epochs}: expected a positive number')
    scale = epochs / before
    cfg.train_cfg.max_epochs = epochs
    schedulers = cfg.get('param_scheduler') or []
    for scheduler in schedulers if isinstance(schedulers, (list, tuple)) else [schedulers]:
        if not scheduler.get('by_epoch', True):
            continue
        # mmengine turns fractions of an epoch into iterations, but only where the schedule goes by iteration
        whole = not scheduler.get('convert_to_iter_based')
        for key in ('begin', 'end', 'T_max', 'step_size'):
            at = scheduler.get(key)
            if at and math.isfinite(at):
                scheduler[key] = max(round(at * scale), 1) if whole else at * scale
        if scheduler.get('milestones'):
            scheduler.milestones = [round(at * scale) if whole else at * scale for at in scheduler.milestones]


def check_top_level(keys: Iterable[str], source: str) -> None:
    """Refuse a misspelt runner key, which mmengine would silently ignore.

    Args:
        keys: The config's top-level keys.
        source: The config's name, for the error.

    Raises:
        UserError: A key is nearly, but not quite, one that the runner knows.
    """
    keys = list(keys)
    for key in keys:
        if key in RUNNER_KEYS:
            continue
        near = difflib.get_close_matches(key, RUNNER_KEYS, n=1, cutoff=0.9)
        if near and near[0] not in keys:
            raise UserError(f'{source}: unknown key {key!r}; did you mean {near[0]!r}?')


def _open_null_parents(cfg: Config, dotted: str) -> None:
    """Turn a null on the way to an option into an empty dict; mmengine merges nothing into null."""
    node: Any = cfg
    for part in dotted.split('.')[:-1]:
        if isinstance(node, (list, tuple)):
            node = node[int(part)]
            continue
        if node.get(part) is None:
            node[part] = ConfigDict()
        node = node[part]


def _check_option(cfg: Config, dotted: str, path: Path) -> None:
    node: Any = cfg
    parts = dotted.split('.')
    for depth, part in enumerate(parts[:-1]):
        if isinstance(node, (list, tuple)):
            if not part.isdigit() or int(part) >= len(node):
                raise UserError(
                    f'--cfg-options {dotted}: {".".join(parts[:depth])} is a list of {len(node)} items, '
                    f'{part!r} is none of them'
                )
            node = node[int(part)]
        elif isinstance(node, (Config, ConfigDict, dict)):
            if part not in node:
                known = sorted(key for key in node if not key.startswith('_'))
                missing = '.'.join(parts[: depth + 1])
                raise UserError(f'--cfg-options {dotted}: {path} has no {missing!r}; known: {known}')
            node = node[part]
        else:
            node = None
        if node is None:
            return  # merging replaces a value that is null
    known_top = set(cfg.keys()) | set(RUNNER_KEYS)
    if len(parts) == 1 and parts[0] not in known_top:
        raise UserError(f'--cfg-options {dotted}: {path} has no key {dotted!r}; known: {sorted(known_top)}')
