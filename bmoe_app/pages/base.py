"""What every page is made of: one self-contained HTML file, without network, whatever names and labels hold.

A page's text goes through :func:`bmoe_ground.pages.escape`, its data through :func:`bmoe_ground.pages.data_block`, and
its code, inlined from ``bmoe_app/pages/assets/``, is the only code that the page's content security policy lets run:
each script is admitted by its digest.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from bmoe_ground.pages import admitted, escape
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
    served: bool = False,
) -> str:
    """A whole page.

    Args:
        title: What the browser's tab says; escaped here.
        body: HTML of the body, whose texts went through :func:`bmoe_ground.pages.escape`.
        styles: Assets, in order, after the common style and the regions' colours.
        scripts: Assets, in order. Those that end in ``.min.js`` are elements of their own; all others are joined to one
            module, so that they see each other's names and the page does not.
        data: Blocks of :func:`bmoe_ground.pages.data_block`.
        served: Whether it asks the server that it came from, and shows pages of it inside.

    Returns:
        The page's HTML.
    """
    libraries, own = _texts(scripts)
    elements = [f'<script>{text}</script>' for text in libraries]
    if own:
        elements.append(f'<script type="module">{own}</script>')
    style = '\n'.join([region_style(), asset(_COMMON_STYLE), *(asset(name) for name in styles)])
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(scripts, served)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f'<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n{body}\n'
        + '\n'.join([*data, *elements])
        + '\n</body>\n</html>\n'
    )


def policy(scripts: Sequence[str], served: bool = False) -> str:
    """The content security policy of a page: no script but its own; video and pictures from its own disk or data.

    Args:
        scripts: Assets, as for :func:`html_page`.
        served: Likewise; a page that is not connects to nothing.
    """
    libraries, own = _texts(scripts)
    connections = "connect-src 'self'; frame-src 'self'" if served else "connect-src 'none'"
    return (
        f"default-src 'none'; script-src {admitted([*libraries, *([own] if own else [])])}; "
        "style-src 'unsafe-inline'; img-src 'self' file: data: blob:; media-src 'self' file: data: blob:; "
        f"{connections}; base-uri 'none'; form-action 'none'"
    )


def _texts(scripts: Sequence[str]) -> tuple[list[str], str]:
    """The libraries one by one, and all other scripts joined to one."""
    libraries = [asset(name) for name in scripts if name.endswith('.min.js')]
    return libraries, '\n'.join(asset(name) for name in scripts if not name.endswith('.min.js'))
