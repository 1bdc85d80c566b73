"""Curves of a training run in TensorBoard, where the package is installed."""

from __future__ import annotations

from importlib.util import find_spec

from mmengine.config import Config
from mmengine.dist import is_main_process

_BACKEND = 'TensorboardVisBackend'


def drop_tensorboard(cfg: Config) -> bool:
    """Take the TensorBoard backend out of a config's visualizer.

    Args:
        cfg: The config; changed in place.

    Returns:
        Whether there was one.
    """
    visualizer = cfg.get('visualizer') or {}
    backends = visualizer.get('vis_backends') or []
    kept = [backend for backend in backends if backend.get('type') != _BACKEND]
    if len(kept) == len(backends):
        return False
    cfg.visualizer.vis_backends = kept
    return True


def settle_tensorboard(cfg: Config) -> None:
    """Leave a config's TensorBoard backend only where the package is there, and say so where it is not.

    Args:
        cfg: The config; changed in place.
    """
    if find_spec('tensorboard') is None and drop_tensorboard(cfg) and is_main_process():
        print('curves: local log only (no TensorBoard; pip install tensorboard to have it)')
