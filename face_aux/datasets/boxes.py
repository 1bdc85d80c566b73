"""Several labelled faces an image: their boxes in the columns of a table, and one identity for all of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bmoe_ground.errors import UserError
from face_aux.datasets.records import Record

Box = tuple[float, float, float, float]

SIZES = (('x', 'y', 'w', 'h'), ('x', 'y', 'width', 'height'), ('face_x', 'face_y', 'face_width', 'face_height'),
         ('left', 'top', 'width', 'height'))  # fmt: skip
CORNERS = (('x1', 'y1', 'x2', 'y2'), ('xmin', 'ymin', 'xmax', 'ymax'), ('left', 'top', 'right', 'bottom'))
"""Column names whose meaning is known, in any case: corner and size, or two corners."""


def find_box_columns(header: Sequence[str]) -> tuple[str, ...] | None:
    """The four columns of a table that hold a box; None where it has none.

    Example:
        >>> find_box_columns(['path', 'X1', 'Y1', 'X2', 'Y2'])
        ('X1', 'Y1', 'X2', 'Y2')
    """
    lower = {name.lower(): name for name in header}
    for names in (*SIZES, *CORNERS):
        if all(name in lower for name in names):
            return tuple(lower[name] for name in names)
    return None


def check_box_columns(columns: Sequence[str], where: str) -> tuple[str, ...]:
    """Refuse columns whose meaning is unknown.

    Raises:
        UserError: They are not four, or their names do not say whether the last two are a size or a corner.
    """
    if find_box_columns(columns) is None or len(columns) != 4:
        known = '; '.join(', '.join(names) for names in (*SIZES, *CORNERS))
        raise UserError(f'{where}: box_columns={list(columns)}; name the four columns in one of these ways: {known}')
    return tuple(columns)


def box_of(row: Mapping[str, str], columns: Sequence[str], where: str) -> Box | None:
    """Read a box.

    Args:
        row: Column name to text.
        columns: From :func:`find_box_columns`.
        where: File and line, for the message.

    Returns:
        x, y, width, height in pixels; None where all four cells are empty: the whole image is the face.

    Raises:
        UserError: A cell is no finite number, or the box has no area.
    """
    texts = [row[column] for column in columns]
    if not any(texts):
        return None
    try:
        a, b, c, d = (float(text) for text in texts)
    except ValueError:
        a = math.nan
        b = c = d = 0.0
    if not all(map(math.isfinite, (a, b, c, d))):
        raise UserError(f'{where}: the box {", ".join(columns)} is {texts}, expected four numbers of pixels')
    is_corners = tuple(name.lower() for name in columns) in CORNERS
    width, height = (c - a, d - b) if is_corners else (c, d)
    if width <= 0 or height <= 0:
        raise UserError(
            f'{where}: the box {", ".join(columns)} is {texts}, which is {width:g} wide and {height:g} high'
        )
    return a, b, width, height


def share_images(records: list[Record]) -> list[Record]:
    """Give the faces of one image one identity, so that no split parts them.

    Who is seen with whom is followed on: where A is in a picture with B and B in another with C, all three are kept
    together.
    """
    count = Counter(record.path for record in records)
    if not count or max(count.values()) == 1:
        return records
    parent: dict[str, str] = {}

    def top(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = name = parent[parent[name]]
        return name

    for record in records:
        names = [f'image {record.path}', *(f'person {name}' for name in record.subjects)]
        for name in names[1:] if count[record.path] > 1 else names[2:]:
            parent[top(name)] = top(names[0])
    joined = []
    for record in records:
        if count[record.path] > 1:
            record = replace(record, subjects=(top(f'image {record.path}'),))
        elif record.subjects:
            record = replace(record, subjects=tuple(sorted({top(f'person {name}') for name in record.subjects})))
        joined.append(record)
    return joined
