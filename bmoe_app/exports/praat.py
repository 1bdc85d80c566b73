"""Events as a Praat TextGrid: an interval tier a person, without gaps."""

from __future__ import annotations

import os
from collections.abc import Iterator

from bmoe_app.answer import Answer
from bmoe_app.exports.layers import Span, tiers_of
from bmoe_app.exports.texts import one_line
from bmoe_ground.files import atomic_write


def write_textgrid(path: str | os.PathLike[str], answer: Answer) -> None:
    """Write the events for Praat; an interval's text is the label, and empty where nothing was found.

    Args:
        path: The ``.TextGrid`` file, replaced if it exists.
        answer: To the video.

    Raises:
        UserError: The file cannot be written.
    """
    tiers = tiers_of(answer)
    last = max([1, round(answer.seconds * 1000), *(one.end for _, _, spans in tiers for one in spans)])
    limits = f'xmin = 0\nxmax = {last / 1000}\n'
    lines = ['File type = "ooTextFile"\nObject class = "TextGrid"\n\n', limits]
    lines.append(f'tiers? <exists>\nsize = {len(tiers)}\nitem []:\n')
    for number, (name, _, spans) in enumerate(tiers, 1):
        cells = list(_tiles(spans, last))
        lines.append(f'item [{number}]:\nclass = "IntervalTier"\nname = "{name}"\n{limits}')
        lines.append(f'intervals: size = {len(cells)}\n')
        for place, (start, end, label) in enumerate(cells, 1):
            text = one_line(label).replace('"', '""')
            lines.append(f'intervals [{place}]:\nxmin = {start / 1000}\nxmax = {end / 1000}\ntext = "{text}"\n')
    with atomic_write(path) as file:
        file.write(''.join(lines).encode())


def _tiles(spans: list[Span], last: int) -> Iterator[tuple[int, int, str]]:
    """The spans with empty intervals between them, from 0 to the end."""
    now = 0
    for one in spans:
        if one.start > now:
            yield now, one.start, ''
        yield one.start, one.end, one.event.label
        now = one.end
    if now < last:
        yield now, last, ''
