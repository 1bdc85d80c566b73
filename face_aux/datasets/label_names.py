"""Names for labels that are written as codes: folders 1 to 7, a column of 0 and 1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bmoe_ground.errors import UserError


def class_names(
    classes: Mapping[Any, Any] | Sequence[Any] | None, where: str
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Class names as text, and the label that stands for each in the data.

    Args:
        classes: Names in index order; or a dict of label to name, such as ``{1: 'Surprise', 2: 'Fear'}``, whose order
            is the index order. Numbers and True are taken as their text.
        where: Opens the message of an error.

    Returns:
        The names, and label to name for a dict.

    Raises:
        UserError: A name appears twice, or is a list or dict itself.

    Example:
        >>> class_names({1: 'calm', 2: 'tense'}, 'classes')
        (('calm', 'tense'), {'1': 'calm', '2': 'tense'})
        >>> class_names([0, 1], 'classes')
        (('0', '1'), {})
    """
    if classes is None:
        return (), {}
    if isinstance(classes, str) or not isinstance(classes, (Mapping, Sequence)):
        raise UserError(f'{where}: classes is {classes!r}; give a list of names, or a dict of label to name')
    given = list(classes.values()) if isinstance(classes, Mapping) else list(classes)
    if nested := [name for name in given if isinstance(name, (Mapping, list, tuple)) or name is None]:
        raise UserError(f'{where}: {nested[0]!r} is no class name')
    names = [str(name) for name in given]
    codes = {str(code): name for code, name in zip(classes, names, strict=True)} if isinstance(classes, Mapping) else {}
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise UserError(f'{where}: the class names {repeated} appear more than once')
    return tuple(names), codes


def names_of_codes(labels: Iterable[str], names: Sequence[str], where: str) -> dict[str, str]:
    """Match whole numbers in the data to the names that were given for them, in order.

    Where the data has names, or only some of its labels are numbers, nothing is matched: an unknown label is an error
    of its own then.

    Args:
        labels: Every label of the data; empty ones do not count.
        names: Class names in index order.
        where: Opens the message of an error.

    Returns:
        Label to name; empty where the labels are no codes.

    Raises:
        UserError: The codes may count from 0 or from 1, or are none of the two.

    Example:
        >>> names_of_codes(['3', '1', '2'], ['low', 'middle', 'high'], 'labels.csv')
        {'1': 'low', '2': 'middle', '3': 'high'}
    """
    found = {label for label in labels if label}
    if not found or not names or found & set(names):
        return {}
    numbers: dict[str, int] = {}
    for label in found:
        if not (label.isascii() and label.isdigit()):
            return {}
        numbers[label] = int(label)
    starts = [s for s in (0, 1) if s <= min(numbers.values()) and max(numbers.values()) < s + len(names)]
    if len(starts) == 1:
        start = starts[0]
        return {label: names[number - start] for label, number in sorted(numbers.items(), key=lambda item: item[1])}
    shown = ', '.join(sorted(found, key=lambda label: numbers[label])[:12])
    example = ', '.join(f"'{i + 1}': '{name}'" for i, name in enumerate(names[:2]))
    reason = 'may count from 0 or from 1' if starts else f'do not fit the {len(names)} names {list(names)}'
    raise UserError(f'{where}: the labels {shown} {reason}; say which is which: classes={{{example}, ...}}')
