"""MA-52's lists, ``NAME.mp4 LABEL`` a line, as they are published: CRLF line ends, the test labels hidden as 0."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from bmoe_ground.errors import UserError
from bmoe_ground.tables import MOST_DIGITS
from bmoe_ground.texts import read_lines
from bmoe_skel.datasets.ma52.classes import ACTIONS


class Entry(NamedTuple):
    """One line.

    Attributes:
        name: The clip's file name, such as ``0003_01_0001.mp4``.
        label: Action, 0..51.
        where: ``file:line``, for error messages.
    """

    name: str
    label: int
    where: str

    @property
    def subject(self) -> str:
        """Who is seen: the first number of a training or validation clip's name; empty for test clips."""
        parts = self.name.removesuffix('.mp4').split('_')
        return parts[0] if len(parts) == 3 else ''


def read_list(path: str | os.PathLike[str], num_classes: int = len(ACTIONS)) -> list[Entry]:
    """Read one list.

    Windows line ends, a byte-order mark, blank lines and further blanks around the two fields are allowed.

    Args:
        path: The text file.
        num_classes: Labels are below this.

    Returns:
        Its lines, in order.

    Raises:
        UserError: The file cannot be read, is empty, or a line is wrong or names a clip again; the message has file
            and line.
    """
    entries: list[Entry] = []
    first: dict[str, int] = {}
    for number, line in read_lines(path):
        where = f'{os.fspath(path)}:{number}'
        name, label = _fields(line, where)
        if not label.isdecimal() or len(label) > MOST_DIGITS or int(label) >= num_classes:
            raise UserError(f'{where}: label {label!r:.80} is not in 0..{num_classes - 1}')
        if name in first:
            raise UserError(f'{where}: clip {name!r} stands in line {first[name]} already')
        first[name] = number
        entries.append(Entry(name, int(label), where))
    if not entries:
        raise UserError(f'list {path} names no clip')
    return entries


def _fields(line: str, where: str) -> tuple[str, str]:
    fields = line.split()
    if len(fields) != 2:
        raise UserError(f'{where}: expected "NAME.mp4 LABEL", found {line!r}')
    if not fields[0].endswith('.mp4') or '/' in fields[0] or '\\' in fields[0]:
        raise UserError(f'{where}: expected a file name that ends in .mp4, found {fields[0]!r}')
    return fields[0], fields[1]


def clip_name(name: str) -> str:
    """The clip's name as the lists give it: its file name, ending in ``.mp4``.

    Args:
        name: A dataset's name of the clip, such as ``test/test0000.mp4`` or ``test0000``.
    """
    base = name.replace('\\', '/').rsplit('/', 1)[-1].removesuffix('.npz')
    return base if base.endswith('.mp4') else base + '.mp4'


def check_disjoint(lists: Sequence[Sequence[Entry]]) -> None:
    """Refuse a clip that is in two lists.

    Args:
        lists: The entries of each list.

    Raises:
        UserError: The first such clip, with both places.
    """
    seen: dict[str, str] = {}
    for entries in lists:
        for entry in entries:
            if entry.name in seen:
                raise UserError(f'{entry.where}: clip {entry.name!r} is in another split too, {seen[entry.name]}')
        seen.update({entry.name: entry.where for entry in entries})
