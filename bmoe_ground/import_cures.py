"""Cures for two imports that fail in otherwise sound environments, and in commands for one that is slow for nothing.

* ``torchvision``: PyPI's wheel for Linux is a CUDA build. Beside a CPU build of torch its operators cannot be loaded
  and the import dies with ``operator torchvision::nms does not exist``. ``mmengine.Runner`` (which lists the
  environment and expects at worst a missing module), timm and mmpose all import torchvision, and none of them needs
  those operators here. Declaring the two missing schemas is enough for the import.
* ``pkg_resources``: setuptools 82 dropped it, and mmengine 0.10 asks it where a package is installed.
* mmengine's three classes that shard a training over machines: their bases in torch bring sympy along, and are a third
  of what a training or an answer of a model imports. In our own commands (:func:`defer_sharding`) they are imported
  when one of them is made; a program that only imports this package has mmengine as it is.

All are import hooks: nothing is imported, patched or declared before the import in question happens.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

_NMS_SCHEMAS = (
    'nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor',
    'qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor',
)
_STAND_IN = Path(__file__).with_name('_pkg_resources.py')
_SHARDING = {  # module -> its class, and where it is registered
    'mmengine.optim.optimizer.zero_optimizer': ('ZeroRedundancyOptimizer', 'OPTIMIZERS'),
    'mmengine.model.wrappers.fully_sharded_distributed': ('MMFullyShardedDataParallel', 'MODEL_WRAPPERS'),
    'mmengine._strategy.fsdp': ('FSDPStrategy', 'STRATEGIES'),
}
_libraries: list[object] = []  # torch drops a library's declarations together with the object


def apply_import_cures() -> None:
    """Install the import hooks; calling it again changes nothing. Takes microseconds and imports no package."""
    installed = {type(finder) for finder in sys.meta_path}
    if _TorchvisionFinder not in installed:
        sys.meta_path.insert(0, _TorchvisionFinder())
    if _PkgResourcesFinder not in installed:
        sys.meta_path.append(_PkgResourcesFinder())  # last: only where no real pkg_resources is found


def defer_sharding() -> None:
    """Import mmengine's sharding when it is used first.

    For a process that is ours alone: until then its classes can be made, but not derived from.
    """
    if not any(isinstance(finder, _ShardingFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _ShardingFinder())


class _TorchvisionFinder(importlib.abc.MetaPathFinder):
    """Finds torchvision where it is, and has it loaded by :class:`_TorchvisionLoader`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != 'torchvision':
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, 'find_spec'):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _TorchvisionLoader(spec.loader)
                return spec
        return None


class _TorchvisionLoader(importlib.abc.Loader):
    """Loads torchvision as its own loader does, and once more with the schemas declared if they were missing."""

    def __init__(self, loader: importlib.abc.Loader) -> None:
        self.loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        try:
            self.loader.exec_module(module)
        except RuntimeError as error:
            if 'torchvision::nms' not in str(error) or 'does not exist' not in str(error):
                raise
            _declare_nms()
            self.loader.exec_module(module)


def _declare_nms() -> None:
    """Declare torchvision's two non-maximum suppression operators, without an implementation."""
    import torch

    library = torch.library.Library('torchvision', 'FRAGMENT')
    for schema in _NMS_SCHEMAS:
        library.define(schema)
    _libraries.append(library)


class _PkgResourcesFinder(importlib.abc.MetaPathFinder):
    """Answers for ``pkg_resources`` when everything else has failed to."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != 'pkg_resources':
            return None
        return importlib.util.spec_from_file_location(fullname, _STAND_IN)


class _ShardingFinder(importlib.abc.MetaPathFinder):
    """Finds the modules of :data:`_SHARDING` where they are, and has them loaded by :class:`_ShardingLoader`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in _SHARDING or 'torch.distributed.fsdp' in sys.modules:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _ShardingLoader(spec.loader)
        return spec


class _ShardingLoader(importlib.abc.Loader):
    """Gives a module a class of the name of its own, which loads the module once it is made an object of."""

    def __init__(self, loader: importlib.abc.Loader) -> None:
        self.loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        name, registry = _SHARDING[module.__name__]
        registered = getattr(importlib.import_module('mmengine.registry'), registry)
        real: list[Any] = []

        def make(cls: type, *args: Any, **kwargs: Any) -> Any:
            if not real:
                registered.module_dict.pop(name)
                self.loader.exec_module(module)
                real.append(getattr(module, name))
            return real[0](*args, **kwargs)

        stand_in = type(name, (), {'__new__': make, '__module__': module.__name__})
        registered.register_module(module=stand_in)
        setattr(module, name, stand_in)
