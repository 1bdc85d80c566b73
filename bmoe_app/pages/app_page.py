"""The page of ``bmoe app``: the same for everybody; what it shows it asks the server for."""

from __future__ import annotations

from bmoe_app.pages.base import asset, html_page, policy
from bmoe_ground.media import GIF, VIDEO_SUFFIXES
from bmoe_ground.pages import data_block

SCRIPTS = tuple(f'app/{name}.js' for name in ('server', 'words', 'send', 'list', 'answer', 'live', 'app'))
"""One idea each, in the order in which they are joined; the last one ties them together."""


def app_page() -> str:
    """The page as HTML."""
    return html_page(
        'Micro-actions',
        asset('app/app.html'),
        styles=('app/app.css',),
        scripts=SCRIPTS,
        data=[data_block('endings', sorted((*VIDEO_SUFFIXES, GIF)))],
        served=True,
    )


def app_policy() -> str:
    """Its content security policy, for the header that it is sent with."""
    return policy(SCRIPTS, served=True)
