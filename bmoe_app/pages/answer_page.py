"""The page of one answer: the video with its keypoints, a timeline, curves, and corrections."""

from __future__ import annotations

import os
from string import Template

from bmoe_app.answer import Answer
from bmoe_app.pages.base import UPLOT_SCRIPT, UPLOT_STYLE, asset, html_page
from bmoe_app.pages.payload import payload
from bmoe_app.pages.words import facts, nothing, summary
from bmoe_ground.files import atomic_write
from bmoe_ground.pages import data_block, escape

SCRIPTS = ('unpack', 'store', 'tables', 'elan', 'player', 'overlay', 'timeline', 'curves', 'editor', 'keys', 'answer')
"""One idea each, in the order in which they are joined; the last one ties them together."""


def answer_page(answer: Answer, video_href: str | None) -> str:
    """The page of an answer as HTML.

    Args:
        answer: The answer.
        video_href: Address of the video as the page names it, see :func:`bmoe_app.pages.relative_href`; None draws the
            keypoints on grey.
    """
    reason = nothing(answer)
    body = Template(asset('answer.html')).substitute(
        name=escape(answer.name),
        summary=escape(summary(answer)),
        nothing=f'<p class="notice">{escape(reason)}</p>' if reason else '',
        facts=facts(answer),
    )
    return html_page(
        f'{answer.name}: what happened',
        body,
        styles=(UPLOT_STYLE, 'answer.css'),
        scripts=(UPLOT_SCRIPT, *(f'answer/{name}.js' for name in SCRIPTS)),
        data=[data_block('answer-data', payload(answer, video_href))],
    )


def write_page(path: str | os.PathLike[str], answer: Answer, video_href: str | None) -> None:
    """Write the page of an answer: one file that opens from the disk, without network.

    Args:
        path: The HTML file, replaced if it exists; written whole or not at all.
        answer: The answer.
        video_href: Address of the video as the page names it, see :func:`bmoe_app.pages.relative_href`; None draws the
            keypoints on grey.

    Raises:
        UserError: The file cannot be written.

    Example:
        >>> from bmoe_app.pages import relative_href, write_page
        >>> write_page('answers/a.html', answer, relative_href('videos/a.mp4', 'answers/a.html'))
    """
    page = answer_page(answer, video_href)
    with atomic_write(path) as file:
        file.write(page.encode())
