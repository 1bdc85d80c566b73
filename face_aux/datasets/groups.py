"""Which values of a group column mean that the group is not known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bmoe_ground.errors import UserError
from face_aux.datasets.records import Record
from face_aux.labels import MISSING

Codes = Sequence[Any] | Mapping[str, Sequence[Any]]
"""Values of any column, or column to values."""


class UnknownGroups:
    """Tells values that name no group: what tables write for a missing one, and a set's own codes.

    Args:
        codes: The set's own, such as ``[-1, 9]``, or by column ``{'race': [9]}``. '9' and 9 and 9.0 are the same.

    Raises:
        UserError: ``codes`` are neither.

    Example:
        >>> unknown = UnknownGroups({'race': [9]})
        >>> unknown('race', '9.0'), unknown('age', '9'), unknown('age', ' n/a ')
        (True, False, True)
    """

    def __init__(self, codes: Codes | None = None) -> None:
        codes = codes or ()
        by_column = codes if isinstance(codes, Mapping) else {'': codes}
        if isinstance(codes, str) or any(isinstance(c, str) or not isinstance(c, Sequence) for c in by_column.values()):
            raise UserError(f'unknown_groups={codes!r}: expected a list such as [-1, 9], or a dict of column to list')
        self._codes = {column: {_plain(value) for value in values} for column, values in by_column.items()}

    def __call__(self, column: str, value: Any) -> bool:
        """Whether a value of a column means that the group is not known."""
        text = _plain(value)
        return text in MISSING or any(text in self._codes.get(key, ()) for key in ('', column))


def drop_unknown(records: Sequence[Record], unknown: UnknownGroups) -> list[Record]:
    """Leave out of every record the groups that are not known: an absent column is an unknown group.

    Args:
        records: Samples.
        unknown: What names no group.

    Returns:
        The samples, those without such a value as they were.
    """
    kept = []
    for record in records:
        groups = {column: value for column, value in record.groups.items() if not unknown(column, value)}
        kept.append(record if len(groups) == len(record.groups) else replace(record, groups=groups))
    return kept


def count_unknown(records: Sequence[Record], columns: Sequence[str] = ()) -> dict[str, int]:
    """Count the samples whose group is not known, by column.

    Args:
        records: Samples.
        columns: Columns that there are, beside those that a sample has.

    Returns:
        Column to count, of those that lack one somewhere.
    """
    found: Counter[str] = Counter(column for record in records for column in record.groups)
    every = dict.fromkeys([*columns, *found])
    return {column: len(records) - found[column] for column in every if found[column] < len(records)}


def _plain(value: Any) -> str:
    """A value as text, numbers in one spelling."""
    text = str(value).strip().lower()
    try:
        return f'{float(text):g}'
    except ValueError:
        return text
