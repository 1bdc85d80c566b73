"""Reading mmengine configs so that a mistake in one is an error that names it."""

from __future__ import annotations

import copy
import difflib
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml
from mmengine.config import Config, ConfigDict

from bmoe_ground.errors import UserError
from mm_runtime.catalog import find_config
from mm_runtime.config_options import (
    OWN_KEYS,
    RUNNER_KEYS,
    check_plain_keys,
    check_shared,
    effective,
    set_option,
    where_copied,
)
from mm_runtime.config_references import resolve, resolve_base
from mm_runtime.config_steps import to_lists
from mm_runtime.suggest import did_you_mean, listing


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
    """Load a config and apply overrides.

    A config may hold, beside what mmengine reads: references ``'${key}'`` (:mod:`mm_runtime.config_references`);
    pipelines, hooks, schedules and metrics as dicts ``name -> step`` (:mod:`mm_runtime.config_steps`); and ``presets``,
    named sets of changes of which ``preset`` chooses one or several. A preset goes on top of the file, options on top
    of both.

    Args:
        path: A config in Python, YAML or JSON, or the name of one that comes with the project
            (:func:`mm_runtime.catalog.list_configs`). Python configs run code: load only those you trust.
        options: Dotted key to value, from :func:`parse_cfg_options`.

    Returns:
        The config as mmengine expects it: no references, and lists of steps.

    Raises:
        UserError: The file is missing or broken, a key is unknown, or an option would have no effect.

    Example:
        >>> cfg = load_config('bmoe_skel', {'train_pipeline.RandomJitter.joint': 0.1, 'early_stop.patience': 4})
        >>> cfg.train_dataloader.dataset.pipeline[3]
        {'type': 'RandomJitter', 'joint': 0.1, 'frame': 0.005}
    """
    path, options = find_config(path), options or {}
    try:
        raw = Config.fromfile(str(path))._cfg_dict
    except (SyntaxError, KeyError, TypeError, NameError, AttributeError, OSError, ImportError, ValueError) as error:
        raise UserError(f'config {path} cannot be read: {type(error).__name__}: {error}') from error
    check_top_level(raw.keys(), str(path))
    whole = _finish(raw, options, str(path))
    check_plain_keys(whole, str(path))
    for key in options:
        check_shared(whole, key)
        if key != 'preset' and key.split('.')[0] not in RUNNER_KEYS + OWN_KEYS:
            _check_effect(raw, options, key, whole, str(path))
    return Config(whole, filename=str(path))


def _finish(raw: Mapping[str, Any], options: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Apply presets and options to a config as it was read, then resolve references and make lists of steps."""
    cfg = copy.deepcopy(dict(raw))
    presets = cfg.pop('presets', None) or {}
    chosen = options.get('preset', cfg.get('preset'))
    for name in [chosen] if isinstance(chosen, str) else chosen or ():
        if name not in presets:
            raise UserError(f'{where}: unknown preset {name!r}{did_you_mean(name, presets)}; known: {listing(presets)}')
        changes = resolve_base(presets[name], cfg, where)
        try:
            cfg = Config._merge_a_into_b(ConfigDict(copy.deepcopy(changes)), cfg)
        except TypeError as error:
            raise UserError(f'{where}: preset {name!r}: {error}') from error
    if chosen is not None:
        cfg['preset'] = chosen
    # names that others refer to come first: an option that leads through a reference changes a copy of its own
    for key in sorted((key for key in options if key != 'preset'), key=lambda key: key.split('.')[0] in RUNNER_KEYS):
        set_option(cfg, key, copy.deepcopy(options[key]), where)
    return to_lists(resolve(cfg, where))


def _check_effect(
    raw: Mapping[str, Any], options: dict[str, Any], key: str, whole: Mapping[str, Any], where: str
) -> None:
    """Refuse an option of a name that is only copied inside the config, where no copy changes with it."""
    without = _finish(raw, {other: value for other, value in options.items() if other != key}, where)
    if without == whole or effective(without) != effective(whole):
        return
    copies = where_copied(without, key)
    hint = f'; set {", ".join(copies)}' if copies else ''
    users = [name for name, changes in (raw.get('presets') or {}).items() if f'${{{key.split(".")[0]}' in str(changes)]
    if users and not copies:
        hint = f'; it is for preset={" or ".join(users)}'
    raise UserError(f'--cfg-options {key}: nothing in {where} uses it, it would have no effect{hint}')


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
    if 'max_epochs' in cfg:
        cfg.max_epochs = epochs
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


def drop_empty_schedules(cfg: Config, steps: int) -> list[str]:
    """Leave schedules out that a short training has no step for.

    Such as a warm-up of a quarter of an epoch, or the decay that follows a warm-up longer than the training.

    Args:
        cfg: The config; changed in place.
        steps: Steps of an epoch.

    Returns:
        A line for each schedule that begins when the training is over, with the option that shortens it instead.
    """
    schedulers = cfg.get('param_scheduler') or []
    if not isinstance(schedulers, (list, tuple)):
        return []
    epochs = (cfg.get('train_cfg') or {}).get('max_epochs') or math.inf
    late = [scheduler for scheduler in schedulers if _is_late(scheduler, epochs)]
    cfg.param_scheduler = [s for s in schedulers if s not in late and not _is_empty(s, steps)]
    return [
        f'note: {scheduler["type"]} is left out: it begins after epoch {scheduler["begin"]:g} and the training has '
        f'{epochs:g}. All schedules shortened alike: --epochs {epochs:g}'
        for scheduler in late
    ]


def _is_late(scheduler: Mapping[str, Any], epochs: float) -> bool:
    return bool(scheduler.get('by_epoch', True)) and 0 < epochs <= scheduler.get('begin', 0)


def _is_empty(scheduler: Mapping[str, Any], steps: int) -> bool:
    begin, end = scheduler.get('begin', 0), scheduler.get('end', math.inf)
    if begin == end:  # a warm-up of no epoch
        return True
    if not scheduler.get('convert_to_iter_based') or not begin < end < math.inf:
        return False
    return int(begin * steps) == int(end * steps)


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
