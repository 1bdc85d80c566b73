"""Checkpoints that hold nothing but tensors and plain values, so that ``weights_only=True`` loads them.

mmengine 0.10 stores its message hub as ``HistoryBuffer`` objects with pickled bound methods, which torch >= 2.6
refuses to load. :class:`SafeCheckpointHook` turns them into tensors on saving and back on loading; nothing else of
mmengine's format changes.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer
from mmengine.registry import HOOKS
from mmengine.runner import CheckpointLoader, Runner

from bmoe_ground.errors import UserError

_PLAIN = (str, int, float, bool, bytes, type(None), torch.Tensor)
_BUFFER_KEYS = {'log_history', 'count_history', 'max_length'}


def to_plain(value: Any, where: str = 'checkpoint') -> Any:
    """Copy a nested value into tensors, builtin containers and builtin scalars.

    Args:
        value: Nested dicts, lists and tuples of tensors, numpy arrays and scalars, and ``HistoryBuffer`` objects.
        where: The value's name, for the error.

    Returns:
        The same nesting; numpy arrays are tensors, a ``HistoryBuffer`` is a dict of its two histories.

    Raises:
        TypeError: Something in it has another type; the message names its place.
    """
    if isinstance(value, HistoryBuffer):
        log, count = value.data
        return {
            'log_history': torch.from_numpy(np.asarray(log, dtype=np.float64).copy()),
            'count_history': torch.from_numpy(np.asarray(count, dtype=np.int64).copy()),
            'max_length': int(value.max_length),
        }
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Mapping):
        return {key: to_plain(item, f'{where}.{key}') for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [to_plain(item, f'{where}[{i}]') for i, item in enumerate(value)]
        return tuple(items) if isinstance(value, tuple) else items
    raise TypeError(f'{where} is a {type(value).__name__}, which a checkpoint cannot hold safely')


def _to_history(value: Any) -> Any:
    if isinstance(value, Mapping) and set(value) == _BUFFER_KEYS:
        return HistoryBuffer(value['log_history'].numpy(), value['count_history'].numpy(), value['max_length'])
    return value


def load_checkpoint(path: str | os.PathLike[str], map_location: Any = 'cpu') -> dict[str, Any]:
    """Load a checkpoint without unpickling anything but tensors and builtins.

    Args:
        path: A ``.pth`` file.
        map_location: As for :func:`torch.load`.

    Returns:
        The checkpoint's dict, with key ``state_dict``.

    Raises:
        UserError: The file is missing, damaged, needs unrestricted unpickling, or holds no weights.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f'checkpoint not found: {path}')
    try:
        checkpoint = torch.load(path, map_location=map_location, weights_only=True)
    except pickle.UnpicklingError as error:
        reason = (str(error).splitlines() or ['damaged'])[0]
        raise UserError(
            f'checkpoint {path} is refused: it is no torch checkpoint, or holds objects other than tensors and plain '
            f'values ({reason}). Checkpoints written by this project load; a foreign one must be re-saved as a plain '
            'state_dict'
        ) from error
    except Exception as error:  # torch's unpickler is plain Python, and trips over damaged bytes in every way
        reason = str(error) or type(error).__name__
        raise UserError(f'checkpoint {path} is damaged or no torch checkpoint: {reason}') from error
    if not isinstance(checkpoint, dict):
        raise UserError(f'checkpoint {path} holds a {type(checkpoint).__name__}, expected a dict with "state_dict"')
    meta = checkpoint.setdefault('meta', {}) if 'state_dict' in checkpoint else {}
    if not isinstance(meta, dict):
        raise UserError(f'checkpoint {path}: its "meta" is a {type(meta).__name__}, expected a dict')
    # mmengine, on resuming, runs a config of this name as Python to see how many GPUs it was made on
    meta.pop('config', None)
    if 'state_dict' not in checkpoint:
        if not checkpoint or not all(isinstance(value, torch.Tensor) for value in checkpoint.values()):
            raise UserError(f'checkpoint {path} has no "state_dict"; its keys: {sorted(map(str, checkpoint))[:10]}')
        checkpoint = {'state_dict': checkpoint, 'meta': {}}
    return checkpoint


def register_safe_loader() -> None:
    """Make mmengine load local checkpoints through :func:`load_checkpoint`, on every torch version."""

    def load_from_local(filename: str, map_location: Any) -> dict[str, Any]:
        return load_checkpoint(filename, map_location)

    CheckpointLoader.register_scheme(prefixes='', loader=load_from_local, force=True)


@HOOKS.register_module()
class SafeCheckpointHook(Hook):
    """Write checkpoints of plain values only, and turn the message hub's histories back on resume.

    Runs after every other hook on saving (so that it sees what they added) and reads what mmengine expects back
    before the runner restores its message hub.
    """

    priority = 'LOWEST'

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Turn everything that is no tensor or builtin into one.

        Args:
            runner: The runner that saves.
            checkpoint: mmengine's checkpoint; changed in place.

        Raises:
            TypeError: A hook or scheduler stored an object that has no plain form.
        """
        # the scheduler's and logger's histories are the only objects mmengine stores; anything else is an error here,
        # at the time of saving, instead of at the time of loading
        for key in list(checkpoint):
            checkpoint[key] = to_plain(checkpoint[key], key)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Turn the message hub's histories back into ``HistoryBuffer``.

        Args:
            runner: The runner that loads.
            checkpoint: The loaded checkpoint; changed in place.
        """
        hub = checkpoint.get('message_hub')
        if isinstance(hub, dict):
            # only the log scalars are ever histories; runtime info may hold dicts of its own
            hub['log_scalars'] = {key: _to_history(value) for key, value in hub.get('log_scalars', {}).items()}
