"""Configs laid out as Python text, each once.

mmengine writes a config out at every start, into every log and into every checkpoint, and lays its text out anew each
time: a third of a second and more, fourteen times in a training and its test, of four texts.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from mmengine.config import config as engine
from mmengine.config.config import FormatCode

KEPT = 16


def apply_format_cure() -> None:
    """Have mmengine lay the same text out once; calling it again changes nothing."""
    engine.FormatCode = format_once


def format_once(text: str, style_config: dict[str, Any] | None = None, **options: Any) -> tuple[str, bool]:
    """``yapf``'s ``FormatCode``, remembering the last :data:`KEPT` texts.

    Args:
        text: Python code.
        style_config: How it is laid out.
        **options: Further options of ``FormatCode``.

    Returns:
        The code laid out, and whether that changed it.

    Example:
        >>> format_once('a = dict( b=1 )')[0].strip()
        'a = dict(b=1)'
    """
    return _format(text, tuple(sorted((style_config or {}).items())), tuple(sorted(options.items())))


@lru_cache(KEPT)
def _format(text: str, style: tuple[Any, ...], options: tuple[Any, ...]) -> tuple[str, bool]:
    formatted, changed = FormatCode(text, style_config=dict(style) or None, **dict(options))
    return formatted, changed
