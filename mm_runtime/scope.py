"""A package's scope in mmengine's registries."""

from __future__ import annotations

import importlib

from mmengine.registry import MODELS, Registry, root


def complete_scope(scope: str) -> None:
    """Load the registries of a scope's package, and give every root registry of mmengine a child of it.

    ``default_scope = 'face_aux'`` in a config is thus enough: ``face_aux.registry`` is imported here, ``import
    face_aux`` alone imports nothing.

    A package only needs registries for the kinds of things it defines. For the others (samplers, optimizers, loops)
    mmengine falls back to its own, with a warning each time; an empty child makes the same fallback silent.

    Args:
        scope: The package's scope, as in ``default_scope``.
    """
    if scope == 'mmengine':
        return
    try:
        importlib.import_module(f'{scope}.registry')
    except ModuleNotFoundError as error:
        if error.name not in (scope, f'{scope}.registry'):  # a package that the registry itself needs
            raise
    for registry in [value for value in vars(root).values() if isinstance(value, Registry)]:
        if scope not in registry.children:
            Registry(registry.name, parent=registry, scope=scope)


def find_model(name: str) -> type | None:
    """Find a registered model class in the current default scope.

    Args:
        name: As in a config's ``type``.

    Returns:
        The class, or None.
    """
    with MODELS.switch_scope_and_registry(None) as registry:
        return registry.get(name)
