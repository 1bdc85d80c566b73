"""The text of a config, laid out once and not anew for every checkpoint.

mmengine writes the config's text into each checkpoint, and has yapf lay it out each time: a third of a second, which
is half of what the training of a small model costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from mmengine.config import config as _mmengine

_lay_out_anew = _mmengine.FormatCode  # yapf's
_FEW = 8  # a run has two: its own, and the one without the parts of a test that its runner is built from


def format_once() -> None:
    r"""Let ``Config.pretty_text`` remember the last few texts that it laid out; calling this again changes nothing.

    The text is the same as before, since it is looked up by what would be laid out and how.

    Example:
        >>> from mmengine.config import Config
        >>> format_once()
        >>> Config({'a': 1}).pretty_text
        'a = 1\n'
    """
    _mmengine.FormatCode = _remembered


def _remembered(text: str, style_config: Mapping[str, Any], **options: Any) -> tuple[str, bool]:
    """Stand for yapf's ``FormatCode``: the text laid out, and whether that changed it."""
    return _lay_out(text, tuple(style_config.items()), tuple(options.items()))


@lru_cache(maxsize=_FEW)
def _lay_out(text: str, style: tuple[tuple[str, Any], ...], options: tuple[tuple[str, Any], ...]) -> tuple[str, bool]:
    return _lay_out_anew(text, style_config=dict(style), **dict(options))
