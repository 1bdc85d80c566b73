"""The tables of the pages that follow from the code: keypoint layouts, conversions between them, texture descriptors.

A page marks the place of a table, which stays where it is when pages are renamed or moved::

    <!-- table: layouts -->
    ...
    <!-- end of table -->
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from bmoe_skel.taxonomy import MA52_WITHOUT, TAXONOMY
from face_aux.textures import DESCRIPTORS
from pose_extract.layout_conversion import COMMON, can_convert, lost_points
from pose_extract.layouts import LAYOUTS

COMMAND = 'python tools/write_pages.py'
"""What rewrites the tables."""
_MARKED = re.compile(r'(<!-- table: ([\w ]+) -->\n).*?(<!-- end of table -->)', re.DOTALL)


def layout_table() -> str:
    """Every layout of the project, with what it comes with and what it was checked against."""
    rows = []
    for name, layout in LAYOUTS.items():
        origin = f'{layout.source}: {layout.detail}' if layout.detail else layout.source
        rows.append((f'`{name}`', str(len(layout.keypoints)), origin, layout.checked))
    return _table(('name', 'points', 'comes with', 'checked against'), rows)


def conversion_table() -> str:
    """Which layouts each layout can be turned into."""
    targets = {name: [t for t in LAYOUTS if t != name and can_convert(name, t)] for name in LAYOUTS}
    rows = [(f'`{name}`', ', '.join(f'`{t}`' for t in found)) for name, found in targets.items() if found]
    return _table(('from', 'to'), rows)


def lost_table() -> str:
    """What of the common layout each layout cannot give, and the number that it can."""
    total, rows = len(LAYOUTS[COMMON].keypoints), []
    for name in (name for name in LAYOUTS if name != COMMON):
        lost = lost_points(name)
        parts = dict.fromkeys(point.removeprefix('left_').removeprefix('right_') for point in lost)
        rows.append((f'`{name}`', f'{total - len(lost)} of {total}', ', '.join(parts) or 'nothing'))
    return _table(('from', 'points', 'lost (of a side: both)'), rows)


def texture_table() -> str:
    """Every texture descriptor that a variant can name."""
    rows = []
    for name, descriptor in DESCRIPTORS.items():
        parameters = inspect.signature(descriptor.operator).parameters.values()
        arguments = ', '.join(one.name for one in parameters if one.kind != one.KEYWORD_ONLY)
        rows.append((f'`{name}`', f'`{descriptor.operator.__name__}({arguments})`', descriptor.what, descriptor.codes))
    return _table(('in variants', 'function', 'what', 'codes'), rows)


def taxonomy_table() -> str:
    """Every class of everyday micro-actions with its counterparts in other sets."""
    rows = []
    for name, one in TAXONOMY.items():
        others = [', '.join(names) or '–' for names in (one.ma52, one.bbsi, one.social_gesture)]
        rows.append((f'`{name}`', one.region, one.what, *others))
    return _table(('class', 'region', 'what', 'MA-52', 'BBSI', 'SocialGesture'), rows)


def without_table() -> str:
    """What of MA-52 has no class."""
    return ', '.join(MA52_WITHOUT) + '.'


TABLES: dict[str, Callable[[], str]] = {
    'layouts': layout_table,
    'conversions': conversion_table,
    'common': lost_table,
    'textures': texture_table,
    'taxonomy': taxonomy_table,
    'ma52 without': without_table,
}


def fill_tables(text: str, source: str) -> str:
    """Write the tables into a page.

    Args:
        text: The page.
        source: Its name, for the error.

    Returns:
        The page with every marked table as it is now.

    Raises:
        UserError: A mark names no table of :data:`TABLES`.
    """

    def fill(match: re.Match[str]) -> str:
        if match[2] not in TABLES:
            raise UserError(f'{source}: unknown table {match[2]!r}; there are {", ".join(TABLES)}')
        return f'{match[1]}{TABLES[match[2]]()}\n{match[3]}'

    return _MARKED.sub(fill, text)


def write_pages(folder: Path) -> list[Path]:
    """Bring the tables of all pages below a folder up to date.

    Args:
        folder: The folder of the pages.

    Returns:
        The pages that have changed.

    Raises:
        UserError: A mark names no table, or a page cannot be written.
    """
    changed = []
    for page in sorted(folder.rglob('*.md')):
        before = page.read_text(encoding='utf-8')
        after = fill_tables(before, str(page))
        if after != before:
            with atomic_write(page) as file:
                file.write(after.encode())
            changed.append(page)
    return changed


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f'| {" | ".join(cells)} |' for cells in (head, *rows)]
    return '\n'.join([lines[0], '|' + '---|' * len(head), *lines[1:]])
