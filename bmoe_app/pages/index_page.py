"""The index of a folder of answers: a row a video, with what moved in it, and what could not be answered."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bmoe_app.answer import Answer
from bmoe_app.pages.base import html_page
from bmoe_app.pages.words import clock, count
from bmoe_ground.files import atomic_write
from bmoe_ground.pages import escape
from pose_extract.skeletons import REGIONS

UNKNOWN = 'unknown'
"""Stands in :attr:`IndexEntry.events` for a part of the body that nobody can name."""


@dataclass(frozen=True)
class IndexEntry:
    """One video of the folder.

    Attributes:
        name: The video's path below the folder.
        href: Address of its page, see :func:`bmoe_app.pages.base.relative_href`; None where there is none.
        seconds: How long it lasts; None where that is not known.
        persons: How many people it shows; None likewise.
        events: How many events each part of the body gave away.
        reason: Why there is no answer; None where there is one.
    """

    name: str
    href: str | None = None
    seconds: float | None = None
    persons: int | None = None
    events: Mapping[str, int] = field(default_factory=dict)
    reason: str | None = None

    @classmethod
    def of_answer(cls, answer: Answer, href: str) -> IndexEntry:
        """The row of a video that was answered."""
        found = Counter(event.region or UNKNOWN for event in answer.events)
        return cls(answer.name, href, answer.seconds, answer.tracks.num_persons, dict(found))


def write_index(path: str | os.PathLike[str], entries: Sequence[IndexEntry]) -> None:
    """Write the index page of a folder, whole or not at all.

    Args:
        path: The HTML file, replaced if it exists.
        entries: The videos, in the order of the page; those that failed are listed after the others.

    Raises:
        UserError: The file cannot be written.

    Example:
        >>> from bmoe_app.pages import IndexEntry, write_index
        >>> write_index('answers/index.html', [IndexEntry('a.mp4', 'a.mp4.html', 12.0, 1, {'head': 3})])
    """
    page = index_page(entries)
    with atomic_write(path) as file:
        file.write(page.encode())


def index_page(entries: Sequence[IndexEntry]) -> str:
    """The index page as HTML; see :func:`write_index`."""
    answered = [entry for entry in entries if entry.reason is None]
    failed = [entry for entry in entries if entry.reason is not None]
    most = max((sum(entry.events.values()) for entry in answered), default=0)
    events = sum(sum(entry.events.values()) for entry in answered)
    parts = [count(len(answered), 'video'), count(events, 'event')]
    if failed:
        parts.append(f'{len(failed)} not answered')
    rows = ''.join(_row(entry, most) for entry in answered)
    legend = ''.join(f'<li><span class="swatch {region}"></span>{region}</li>' for region in (*REGIONS, UNKNOWN))
    table = (
        f'<ul class="legend" aria-label="Colours of the parts of the body">{legend}</ul>'
        '<table><thead><tr><th scope="col">Video</th><th scope="col">Length</th><th scope="col">Persons</th>'
        f'<th scope="col">Events by part of the body</th></tr></thead><tbody>{rows}</tbody></table>'
    )
    body = (
        f'<header class="page-head"><h1>Answers</h1><p class="soft">{escape(" · ".join(parts))}</p></header><main>'
        f'{table if answered else "<p>No video could be answered.</p>"}{_failures(failed)}</main>'
    )
    return html_page('Answers', body, styles=('index.css',))


def _row(entry: IndexEntry, most: int) -> str:
    name = escape(entry.name)
    link = f'<a href="{escape(entry.href)}">{name}</a>' if entry.href else name
    seconds = '' if entry.seconds is None else clock(entry.seconds)
    persons = '' if entry.persons is None else str(entry.persons)
    return (
        f'<tr><th scope="row">{link}</th><td class="number">{seconds}</td><td class="number">{persons}</td>'
        f'<td>{_strip(entry.events, most)}</td></tr>'
    )


def _strip(events: Mapping[str, int], most: int) -> str:
    """A bar as long as the video has events, in the regions' colours, with the numbers in words beside it."""
    present = [(region, events[region]) for region in (*REGIONS, UNKNOWN) if events.get(region)]
    if not present:
        return '<span class="soft">nothing happened</span>'
    said = ', '.join(f'{number} {region}' for region, number in present)
    bars = ''.join(f'<span class="{region}" style="width:{100 * n / most:.2f}%"></span>' for region, n in present)
    return f'<div class="strip" aria-hidden="true">{bars}</div><span class="soft">{said}</span>'


def _failures(failed: Sequence[IndexEntry]) -> str:
    if not failed:
        return ''
    items = ''.join(f'<li><strong>{escape(entry.name)}</strong>: {escape(entry.reason)}</li>' for entry in failed)
    return f'<section class="notice bad"><h2>Not answered</h2><ul>{items}</ul></section>'
