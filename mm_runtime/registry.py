"""Registries of this project's own, and building from a config that came with somebody else's checkpoint.

mmengine's registries resolve a name that they do not know by importing it (``type='os.system'`` is Python's
``os.system``), and ``_scope_`` sends the search to another package. That serves configs, which are programs that the
user chose to run. A checkpoint is data: what it names is looked up in the project's own registries and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from mmengine.registry import DefaultScope, Registry

from bmoe_ground.errors import UserError

_SOURCE: ContextVar[str | None] = ContextVar('checkpoint whose config is being built', default=None)
_NAME = re.compile(r'[A-Za-z_]\w*')


class ProjectRegistry(Registry):
    """A registry that, while a checkpoint's config is built, knows the classes registered in it and no others."""

    def get(self, key: str) -> type[Any] | None:
        """Find a registered class; see :class:`mmengine.registry.Registry`.

        While a checkpoint's config is built, mmengine comes here for the defaults of its own base classes; it finds
        what it registered itself, and nothing is imported.

        Args:
            key: The name that a config gives as ``type``.
        """
        if _SOURCE.get() is None:
            return super().get(key)
        return self._own(key) or (self.parent.module_dict.get(key) if self.parent else None)

    def _own(self, key: Any) -> type[Any] | None:
        self.import_from_location()
        return self.module_dict.get(key) if isinstance(key, str) else None

    def build(self, cfg: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Build an object from its config; see :class:`mmengine.registry.Registry`.

        Raises:
            UserError: The config came from a checkpoint, and its ``type`` is not registered here.
        """
        source = _SOURCE.get()
        if source is None:
            # the scope that was set last in this process may be another package's, whose names hide ours
            with DefaultScope.overwrite_default_scope(self.scope):
                return super().build(cfg, *args, **kwargs)
        arguments = dict(cfg)
        name = arguments.pop('type', None)
        cls = self._own(name)
        if cls is None:
            raise UserError(
                f'{source} is refused: its config names {_short(name)} as {self.name}, which is none of {self.scope}; '
                'what a checkpoint names is neither imported nor run'
            )
        return cls(**arguments)


@contextmanager
def names_from(source: str) -> Iterator[None]:
    """While this is open, configs are those of a checkpoint: every ``type`` must be registered by the project itself.

    Args:
        source: The checkpoint, for the error.
    """
    token = _SOURCE.set(source)
    try:
        yield
    finally:
        _SOURCE.reset(token)


def build_embedded(registry: ProjectRegistry, config: Any, source: str, drop: Collection[str] = ()) -> Any:
    """Build what a checkpoint's config describes, and run nothing that it names.

    Args:
        registry: Where ``config['type']`` must be registered.
        config: Part of a checkpoint's config, as :func:`mm_runtime.config_text.parse_config_text` reads it.
        source: The checkpoint, for the error.
        drop: Keys that are left out at every depth: those whose values name files, which a checkpoint may not open.

    Returns:
        The object.

    Raises:
        UserError: A name is not registered, has a dot, or asks for another scope; or the object cannot be built.

    Example:
        >>> build_embedded(MODELS, {'type': 'os.system', 'command': 'true'}, 'theirs.pth')
        Traceback (most recent call last):
        UserError: theirs.pth is refused: its config names type 'os.system', ...
    """
    if not isinstance(config, Mapping):
        raise UserError(f'{source}: its config describes no {registry.name}')
    _check(config, source)
    try:
        with names_from(source):
            return registry.build(_without(config, drop))
    except UserError:
        raise
    except (TypeError, ValueError, KeyError, AttributeError, IndexError, RuntimeError, MemoryError) as error:
        reason = f'{type(error).__name__}: {error}'.splitlines()[0]
        raise UserError(f'{source}: its {registry.name} cannot be built: {reason}') from error


def _check(value: Any, source: str) -> None:
    """Refuse names that no registry of ours can have, at every depth, used or not."""
    if isinstance(value, Mapping):
        if '_scope_' in value:
            raise UserError(f'{source} is refused: its config asks for the scope {_short(value["_scope_"])}')
        name = value.get('type', 'none')
        if not (isinstance(name, str) and _NAME.fullmatch(name)):
            raise UserError(
                f'{source} is refused: its config names type {_short(name)}, expected a plain name of this project; '
                'what a checkpoint names is neither imported nor run'
            )
        for item in value.values():
            _check(item, source)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check(item, source)


def _without(value: Any, drop: Collection[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _without(item, drop) for key, item in value.items() if key not in drop}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return type(value)(_without(item, drop) for item in value)  # type: ignore[call-arg]
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + '...'
