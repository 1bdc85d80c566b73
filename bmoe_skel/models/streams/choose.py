"""Which global stream a config means, and building it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bmoe_ground.errors import UserError
from bmoe_skel.models.streams.base import GlobalStream, StreamFacts
from bmoe_skel.registry import MODELS
from bmoe_skel.upgrade import STREAM_OF_KIND

StreamConfig = str | Mapping[str, Any] | None
"""``type`` and the stream's own arguments, the type alone, or None for no global stream."""


def choose_stream(config: StreamConfig, crops: Mapping[str, Any] | None) -> tuple[dict[str, Any] | None, str | None]:
    """Settle which global stream a config means, now that the data is known.

    Args:
        config: The model's ``global_stream``.
        crops: What the dataset says of its RGB crops: ``clips``, ``stored`` and the names ``lacking``; None if nothing.

    Returns:
        A config for :func:`build_global_stream`, and, where the data decided, what was chosen and why.

    Raises:
        UserError: The type is unknown, or the data lacks what the stream needs.

    Example:
        >>> choose_stream('SkeletonStream', None)
        ({'type': 'SkeletonStream'}, None)
    """
    if not config:
        return None, None
    arguments = _as_dict(config)
    return stream_class(arguments).settle(arguments, crops)


def build_global_stream(config: StreamConfig, facts: StreamFacts) -> GlobalStream | None:
    """Build the stream that a config names.

    Args:
        config: The model's ``global_stream``, settled.
        facts: What the model says of itself.

    Returns:
        The stream, or None.

    Raises:
        UserError: The type is unknown, or still to be settled.
    """
    if not config:
        return None
    arguments = _as_dict(config)
    cls = stream_class(arguments)
    del arguments['type']
    return cls.from_model(facts, **arguments)


def stream_class(config: Mapping[str, Any]) -> type[GlobalStream]:
    """Find the class that a stream's config names.

    Args:
        config: With ``type``, a name registered in ``MODELS`` or a class.

    Returns:
        The class.

    Raises:
        UserError: There is no such global stream, or the config is of version 0.1.
    """
    if 'kind' in config:
        now = STREAM_OF_KIND.get(config['kind'], 'NAME')
        raise UserError(f'global_stream.kind={config["kind"]!r}: a global stream is named by type now: type={now!r}')
    name = config.get('type')
    found = MODELS.get(name) if isinstance(name, str) else name
    if isinstance(found, type) and issubclass(found, GlobalStream):
        return found
    raise UserError(f'unknown global stream {name!r}; choose type of {", ".join(stream_names())}, or None for none')


def stream_names() -> list[str]:
    """List the registered global streams."""
    MODELS.import_from_location()
    return sorted(name for name, cls in MODELS.module_dict.items() if issubclass(cls, GlobalStream))


def _as_dict(config: str | Mapping[str, Any]) -> dict[str, Any]:
    return {'type': config} if isinstance(config, str) else dict(config)
