"""Parts of which no two show the same person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmengine.logging import print_log

from bmoe_ground.errors import UserError
from bmoe_ground.splits import stratified_group_split


def split_by_subject(
    names: Sequence[str],
    labels: Sequence[str],
    subjects: Sequence[str],
    given: Sequence[str],
    fractions: Mapping[str, float],
    seed: int,
    source: str,
) -> list[str]:
    """Give every clip its part, every person to one part; says how the parts are made up.

    Args:
        names: (N,) clips.
        labels: (N,) classes, to be spread evenly.
        subjects: (N,) who is seen.
        given: (N,) parts that the list gives, empty texts where it gives none.
        fractions: Part to share, where it gives none.
        seed: Of the split.
        source: The list, for errors.

    Returns:
        (N,) parts.

    Raises:
        UserError: A clip has no subject, a part would have none, or the list has one in two parts.
    """
    unnamed = [name for name, subject in zip(names, subjects, strict=True) if not subject]
    if unnamed:
        raise UserError(
            f'{source}: split_by=subject needs a column "subject": {len(unnamed)} of {len(names)} clips name none, '
            f'first {unnamed[0]!r}'
        )
    parts = list(given)
    if not all(parts):
        total = sum(fractions.values())
        shares = {part: share / total for part, share in fractions.items()}
        found = stratified_group_split(names, labels, shares, seed, [(subject,) for subject in subjects])
        parts = [part or '' for part in found]
    sides: dict[str, set[str]] = {}
    for subject, part in zip(subjects, parts, strict=True):
        sides.setdefault(subject, set()).add(part)
    if both := sorted(subject for subject, where in sides.items() if len(where) > 1):
        raise UserError(
            f'{source}: subject {both[0]!r} is in {" and ".join(sorted(sides[both[0]]))} ({len(both)} such subjects)'
        )
    if lacking := [part for part in fractions if part not in parts]:
        raise UserError(f'{source}: {len(sides)} subjects are too few, {", ".join(lacking)} would have none')
    made = [f'{p} {parts.count(p)} clips of {sum(p in s for s in sides.values())} subjects' for p in fractions]
    print_log(f'{source}: split by subject: {", ".join(made)}', logger='current')
    return parts
