"""Loaders, model and runner from a config; what it names wrongly is a :class:`UserError`."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config, ConfigDict
from mmengine.dist import init_dist, is_distributed
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from bmoe_ground.errors import UserError
from mm_runtime.config import RUNNER_KEYS
from mm_runtime.console import log_to_file
from mm_runtime.scope import find_model
from mm_runtime.suggest import did_you_mean, listing, named_mistakes, registered

_built_in: list[int] = []  # the second of every runner that this process has built


def start_processes(cfg: Config) -> None:
    """Join the process group; mmengine's own way needs a GPU even for gloo.

    Args:
        cfg: Its ``launcher`` says whether there is one; on a CPU ``model_wrapper_cfg`` is set.

    Raises:
        UserError: The environment does not say which process this is.
    """
    if cfg.launcher == 'none' or is_distributed():
        return
    if torch.cuda.is_available():
        init_dist(cfg.launcher, **(cfg.get('env_cfg') or {}).get('dist_cfg', {'backend': 'nccl'}))
        return
    missing = [name for name in ('RANK', 'WORLD_SIZE', 'MASTER_ADDR', 'MASTER_PORT') if name not in os.environ]
    if missing:
        raise UserError(f'--launcher {cfg.launcher} on CPU: {", ".join(missing)} not set; start through torchrun')
    torch.distributed.init_process_group('gloo')
    # mmengine wraps the model for the GPU of this process unless told that there is none
    wrapper = {'type': 'MMDistributedDataParallel', 'broadcast_buffers': False, 'device_ids': None}
    wrapper['find_unused_parameters'] = cfg.get('find_unused_parameters', False)
    cfg.model_wrapper_cfg = {**wrapper, **(cfg.get('model_wrapper_cfg') or {})}


def build_loader(cfg: Config, key: str) -> Any:
    """Build the loader of one part.

    Args:
        cfg: The config.
        key: 'train_dataloader', 'val_dataloader' or 'test_dataloader'.

    Raises:
        UserError: The config names something that does not exist, or the data cannot be read.
    """
    with named_mistakes(f'{cfg.filename}: {key}'):
        return Runner.build_dataloader(cfg[key], seed=cfg.randomness['seed'])


def complete_model(model: ConfigDict, metainfo: dict[str, Any]) -> None:
    """Let the model class fill what its config leaves open.

    Args:
        model: The model's config; changed in place.
        metainfo: The dataset's metainfo.

    Raises:
        UserError: Model and data contradict each other, or the model type is unknown.
    """
    cls = find_model(model['type']) if isinstance(model['type'], str) else model['type']
    if cls is None:
        known = registered('model', DefaultScope.get_current_instance().scope_name, parents=False)
        raise UserError(
            f'unknown model type {model["type"]!r}{did_you_mean(model["type"], known)}; there are: {listing(known)}. '
            'Is its package in custom_imports?'
        )
    if hasattr(cls, 'complete_config'):
        cls.complete_config(model, metainfo)


def build_runner(cfg: Config, loaders: dict[str, Any]) -> Runner:
    """Build mmengine's runner, which is quiet on the screen and whole in its log file.

    Args:
        cfg: The config.
        loaders: Name of a part's loader to the loader, in place of the config's.

    Raises:
        UserError: The config names something that does not exist.
    """
    arguments = {key: cfg.get(key) for key in RUNNER_KEYS if key in cfg}
    arguments.update(loaders)
    # mmengine knows log, curves and the best score by name and second: of two runs in one, the second has the first's
    if _built_in and int(time.time()) <= _built_in[-1]:
        name = arguments.get('experiment_name') or Path(str(cfg.filename or 'run')).stem
        arguments['experiment_name'] = f'{name}_{len(_built_in)}'
    # the runner prints its environment, its config and its hooks before the first useful line; the log file has them
    level = arguments.pop('log_level', 'INFO')
    with named_mistakes(str(cfg.filename)):
        runner = Runner(cfg=cfg, log_level='WARNING', **arguments)
    _built_in.append(int(time.time()))
    log_to_file(runner, level)
    return runner
