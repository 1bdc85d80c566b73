"""Parts of which no two show the same person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from bmoe_ground.errors import UserError
from bmoe_ground.splits import stratified_group_split
from mm_runtime.console import say_once

PARTS = ('train', 'val', 'test')
_OTHER_NAMES = {'training': 'train', 'validation': 'val', 'valid': 'val', 'dev': 'val', 'testing': 'test'}


def part_name(text: str, where: str) -> str:
    """A part as a list names it, in this project's word.

    Args:
        text: Such as 'train' or 'Validation'; empty where the list gives none.
        where: ``file:line``, for the error.

    Raises:
        UserError: It is no part's name.

    Example:
        >>> part_name('Validation', 'list.csv:2')
        'val'
    """
    part = text.lower()
    part = _OTHER_NAMES.get(part, part)
    if part and part not in PARTS:
        raise UserError(f'{where}: unknown split {text!r}; choose of {", ".join(PARTS)}')
    return part


def split_by_subject(
    names: Sequence[str],
    labels: Sequence[str],
    subjects: Sequence[str],
    given: Sequence[str],
    fractions: Mapping[str, float],
    seed: int,
    source: str,
    unit: str = 'subject',
    field: str = 'a column "subject"',
) -> list[str]:
    """Give every clip its part, every person to one part; says how the parts are made up.

    A part that would have nobody, where there are enough persons, gets one of the fullest part's: the one with the
    fewest clips.

    Args:
        names: (N,) clips.
        labels: (N,) classes, to be spread evenly.
        subjects: (N,) who is seen; empty texts where that is not known.
        given: (N,) parts that the list gives, empty texts where it gives none.
        fractions: Part to share, where it gives none.
        seed: Of the split.
        source: The list, for errors.
        unit: What a subject is, for what is said: 'subject' or 'video'.
        field: Where the list says who is seen, for the error.

    Returns:
        (N,) parts.

    Raises:
        UserError: A clip has no subject, a part would have none, or the list has one in two parts.
    """
    unnamed = [name for name, subject in zip(names, subjects, strict=True) if not subject]
    if unnamed:
        raise UserError(
            f'{source}: split_by=subject needs {field}: {len(unnamed)} of {len(names)} clips name none, '
            f'first {unnamed[0]!r}'
        )
    parts = list(given)
    if not all(parts):
        total = sum(fractions.values())
        shares = {part: share / total for part, share in fractions.items()}
        found = stratified_group_split(names, labels, shares, seed, [(subject,) for subject in subjects])
        parts = _none_without([part or '' for part in found], subjects, fractions)
    sides: dict[str, set[str]] = {}
    for subject, part in zip(subjects, parts, strict=True):
        sides.setdefault(subject, set()).add(part)
    if both := sorted(subject for subject, where in sides.items() if len(where) > 1):
        raise UserError(
            f'{source}: {unit} {both[0]!r} is in {" and ".join(sorted(sides[both[0]]))} ({len(both)} such {unit}s)'
        )
    if lacking := [part for part in fractions if part not in parts]:
        raise UserError(f'{source}: {len(sides)} {unit}s are too few, {", ".join(lacking)} would have none')
    made = [f'{p} {parts.count(p)} clips of {sum(p in s for s in sides.values())} {unit}s' for p in fractions]
    say_once(f'{source}: split by {unit}: {", ".join(made)}')
    return parts


def _none_without(parts: list[str], subjects: Sequence[str], fractions: Mapping[str, float]) -> list[str]:
    """The parts, none of them empty where there are as many subjects."""
    sides = dict(zip(subjects, parts, strict=True))
    clips = Counter(subjects)
    if len(sides) < len(fractions):
        return parts
    for part in fractions:
        if part not in sides.values():
            fullest = max(fractions, key=lambda one: sum(side == one for side in sides.values()))
            moved = min((s for s, side in sides.items() if side == fullest), key=lambda s: (clips[s], s))
            sides[moved] = part
    return [sides[subject] for subject in subjects]
