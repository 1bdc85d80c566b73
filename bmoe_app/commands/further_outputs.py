"""What ``bmoe infer`` writes beside tables and JSON: pages, files for other programs, the answer in its video."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bmoe_app.answer import Answer
from bmoe_app.answer.files import beside
from bmoe_app.commands.outputs import Entry, Output, Overview
from bmoe_app.exports import EXPORTS, write_export
from bmoe_app.pages import IndexEntry, relative_href, write_index, write_page

PAGE, OVERLAY = '.html', '.overlay.mp4'
"""What the names of these files end in, behind the video's name."""


def further_outputs(page: bool, exports: Sequence[str], overlay: bool) -> tuple[list[Output], list[Overview]]:
    """What is written of each answer, and over all of them.

    Args:
        page: Whether each answer gets a page, and the folder an index of them.
        exports: Names of :data:`bmoe_app.exports.EXPORTS`.
        overlay: Whether the answer is drawn into its video.
    """
    each: list[Output] = [partial(_export, kind) for kind in dict.fromkeys(exports)]
    if overlay:
        each.append(_overlay)
    if page:
        each.append(_page)
    return each, [_index] if page else []


def _export(kind: str, stem: Path, answer: Answer) -> None:
    write_export(kind, beside(stem, EXPORTS[kind].suffix), answer)


def _overlay(stem: Path, answer: Answer) -> None:
    from bmoe_app.exports.overlay import write_overlay  # brings OpenCV and fonts along

    write_overlay(beside(stem, OVERLAY), answer)


def _page(stem: Path, answer: Answer) -> None:
    path = beside(stem, PAGE)
    write_page(path, answer, None if answer.video is None else relative_href(answer.video, path))


def _index(out: Path, entries: Sequence[Entry]) -> None:
    path = out / 'index.html'
    rows = []
    for entry in entries:
        if entry['status'] == 'failed':
            rows.append(IndexEntry(entry['video'], reason=entry['error']))
            continue
        href = relative_href(beside(out / entry['video'], PAGE), path)
        rows.append(IndexEntry(entry['video'], href, entry['seconds'], entry['persons'], entry['regions']))
    write_index(path, rows)
