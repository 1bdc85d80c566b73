"""What every page is made of: one self-contained HTML file, without network, whatever names and labels hold.

A page's text goes through :func:`escape`, its data through :func:`data_block`, and its code, inlined from
``bmoe_app/pages/assets/``, is the only code that the page's content security policy lets run: each script is admitted
by its digest.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bmoe_ground.names import printable
from pose_extract.skeletons import REGIONS, region_hex

UPLOT_STYLE = 'vendor/uPlot.min.css'
UPLOT_SCRIPT = 'vendor/uPlot.iife.min.js'
"""Curves: uPlot 1.6.32, MIT, the licence beside it; it defines ``uPlot`` for the scripts after it."""
_COMMON_STYLE = 'common.css'


def asset(name: str) -> str:
    """The text of a file of ``bmoe_app/pages/assets/``.

    Args:
        name: Its path in there, with ``/``.
    """
    return (resources.files('bmoe_app.pages') / 'assets' / name).read_text('utf-8')


def escape(text: object) -> str:
    """Any text as the content, or the quoted attribute, of an element; control characters as codes.

    Example:
        >>> escape('<nod & "shake">')
        '&lt;nod &amp; &quot;shake&quot;&gt;'
    """
    return html.escape(printable(str(text)), quote=True)


def json_text(data: Any) -> str:
    r"""JSON that can stand inside a ``<script>`` element, where ``</script>`` and ``<!--`` would end or change it.

    Args:
        data: JSON types; NaN and infinity are refused.

    Raises:
        ValueError: A number is not finite.

    Example:
        >>> json_text({'label': '</script>'})
        '{"label":"\\u003c/script>"}'
    """
    return json.dumps(data, separators=(',', ':'), allow_nan=False).replace('<', '\\u003c')


def data_block(name: str, data: Any) -> str:
    """A block of JSON in the page, which a script reads with ``JSON.parse(document.getElementById(name).textContent)``.

    Args:
        name: The element's id.
        data: JSON types.
    """
    return f'<script type="application/json" id="{escape(name)}">{json_text(data)}</script>'


def relative_href(target: str | os.PathLike[str], page: str | os.PathLike[str]) -> str:
    """The address of a file as a page names it that lies in another folder, or in the same one.

    Args:
        target: The file, such as a video.
        page: The HTML file that names it.

    Example:
        >>> relative_href('videos/a #1.mp4', 'answers/a.html')
        '../videos/a%20%231.mp4'
    """
    try:
        way = os.path.relpath(target, Path(page).parent)
    except ValueError:  # another drive of Windows, to which there is no relative way
        return Path(target).absolute().as_uri()
    # a first part with a colon would read as a scheme: javascript:, C:
    return quote(os.fsencode(Path(way).as_posix()), safe='/')


def region_style() -> str:
    """The regions' colours as CSS variables, ``--head`` and so on: those of every picture of the project."""
    return ':root{' + ''.join(f'--{region}:{region_hex(region)};' for region in REGIONS) + '}'


def html_page(
    title: str,
    body: str,
    styles: Sequence[str] = (),
    scripts: Sequence[str] = (),
    data: Sequence[str] = (),
) -> str:
    """A whole page.

    Args:
        title: What the browser's tab says; escaped here.
        body: HTML of the body, whose texts went through :func:`escape`.
        styles: Assets, in order, after the common style and the regions' colours.
        scripts: Assets, in order. Those that end in ``.min.js`` are elements of their own; all others are joined to one
            module, so that they see each other's names and the page does not.
        data: Blocks of :func:`data_block`.

    Returns:
        The page's HTML.
    """
    libraries = [asset(name) for name in scripts if name.endswith('.min.js')]
    own = '\n'.join(asset(name) for name in scripts if not name.endswith('.min.js'))
    elements = [f'<script>{text}</script>' for text in libraries]
    if own:
        elements.append(f'<script type="module">{own}</script>')
    style = '\n'.join([region_style(), asset(_COMMON_STYLE), *(asset(name) for name in styles)])
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy([*libraries, *([own] if own else [])])}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f'<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n{body}\n'
        + '\n'.join([*data, *elements])
        + '\n</body>\n</html>\n'
    )


def _policy(scripts: Sequence[str]) -> str:
    """No connection anywhere; no script but the page's own; video and pictures from the page's own disk or data."""
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    allowed = ' '.join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src 'self' file: data: blob:; "
        "media-src 'self' file: data: blob:; connect-src 'none'; base-uri 'none'; form-action 'none'"
    )
