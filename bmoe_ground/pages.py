"""What a self-contained HTML page is made of: one file, no network, whatever its names and labels hold.

A page's text goes through :func:`escape`, its data through :func:`data_block`; its one script is the only code that the
page's content security policy lets run, since it is admitted by its digest.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from typing import Any

from bmoe_ground.names import printable


def escape(text: object) -> str:
    """Any text as the content, or the quoted attribute, of an element; control characters as codes.

    Args:
        text: Anything that has a text.

    Example:
        >>> escape('<nod & "shake">')
        '&lt;nod &amp; &quot;shake&quot;&gt;'
    """
    return html.escape(printable(str(text)), quote=True)


def json_text(data: Any) -> str:
    r"""JSON that can stand inside a ``<script>`` element, where ``</script>`` and ``<!--`` would end or change it.

    Args:
        data: JSON types.

    Raises:
        ValueError: A number is NaN or infinite.

    Example:
        >>> json_text({'label': '</script>'})
        '{"label":"\\u003c/script>"}'
    """
    return json.dumps(data, separators=(',', ':'), allow_nan=False).replace('<', '\\u003c')


def data_block(name: str, data: Any) -> str:
    """A block of JSON, which a script reads with ``JSON.parse(document.getElementById(name).textContent)``.

    Args:
        name: The element's id.
        data: JSON types.
    """
    return f'<script type="application/json" id="{escape(name)}">{json_text(data)}</script>'


def admitted(scripts: Sequence[str]) -> str:
    """What a content security policy says of scripts so that these run and no other.

    Args:
        scripts: Their texts.

    Example:
        >>> admitted([])
        "'none'"
    """
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    return ' '.join(f"'sha256-{digest}'" for digest in digests) or "'none'"


def html_document(title: str, body: str, style: str, script: str = '') -> str:
    """A whole page.

    Args:
        title: What the browser's tab says; escaped here.
        body: HTML of the body, whose texts went through :func:`escape`; blocks of data in it, too.
        style: CSS.
        script: JavaScript, run as a module after the body.

    Returns:
        The page's HTML.
    """
    policy = (
        f"default-src 'none'; script-src {admitted([script] if script else [])}; style-src 'unsafe-inline'; "
        "img-src data:; connect-src 'none'; base-uri 'none'; form-action 'none'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n{body}\n'
        + (f'<script type="module">{script}</script>\n' if script else '')
        + '</body>\n</html>\n'
    )
