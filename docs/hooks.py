"""What MkDocs calls while it builds the site (see mkdocs.yml)."""

from __future__ import annotations

import re
from typing import Any

# `:class:` and the like in a docstring, before the name as code; `~` says to show the last part only
ROLE = re.compile(r':(?:attr|class|data|exc|func|meth|mod|obj):<code>(~?)([^<]*)</code>')


def plain_roles(html: str) -> str:
    """Show Sphinx's cross-reference roles of docstrings, which Markdown does not know, as plain code.

    Example:
        >>> plain_roles(':func:<code>~pose_extract.tracks.load_tracks</code> reads')
        '<code>load_tracks</code> reads'
    """
    return ROLE.sub(lambda match: f'<code>{match[2].rsplit(".", 1)[-1] if match[1] else match[2]}</code>', html)


def on_page_content(html: str, **_: Any) -> str:
    """MkDocs' event: a page's Markdown has become HTML."""
    return plain_roles(html)
