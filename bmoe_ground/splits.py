"""Seeded, stratified splits.

:func:`stratified_split` cuts each class by itself; :func:`stratified_group_split` keeps what belongs together, such as
all pictures of a person, in one part; :func:`stratified_subset` draws a smaller set. Each gives the same parts for the
same seed forever: a checkpoint's test clips must not become another run's training clips.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np


def stratified_split(labels: Sequence[Any], ratios: Sequence[float], seed: int) -> np.ndarray:
    """Share samples out in given ratios, class by class.

    Every class is shuffled by the seed and cut at the cumulated ratios, so that each part gets its share of each
    class, rounded; a class of at least as many samples as there are parts is in every part.

    Args:
        labels: One label a sample; labels of equal text are equal.
        ratios: Share of each part, positive; scaled to sum to 1.
        seed: Seed of the shuffle.

    Returns:
        (N,) int64, the part of each sample.

    Raises:
        ValueError: A ratio is not positive.

    Example:
        >>> parts = stratified_split(['nod'] * 10 + ['wave'] * 5, (0.8, 0.2), seed=0)
        >>> np.bincount(parts).tolist()
        [12, 3]
    """
    if min(ratios) <= 0:
        raise ValueError(f'ratios must be positive, got {tuple(ratios)}')
    rng = np.random.default_rng(seed)
    parts = np.zeros(len(labels), dtype=np.int64)
    keys = np.array([str(label) for label in labels])
    cuts = np.cumsum(ratios) / np.sum(ratios)
    for key in np.unique(keys):
        members = rng.permutation(np.flatnonzero(keys == key))
        count = len(members)
        bounds = np.floor(cuts * count + 0.5).astype(int)
        if count >= len(ratios):
            # no part goes without: move a bound that leaves a part empty by as little as it takes
            for i in range(len(bounds)):
                bounds[i] = min(max(bounds[i], i + 1), count - (len(bounds) - 1 - i))
        parts[members] = np.searchsorted(bounds, np.arange(count), side='right')
    return parts


def stratified_group_split(
    keys: Sequence[str],
    strata: Sequence[Hashable],
    fractions: Mapping[str, float],
    seed: int = 0,
    subjects: Sequence[Sequence[str]] | None = None,
) -> list[str | None]:
    """Assign every sample to a part.

    Samples are assigned in units: a person where ``subjects`` names some, else the sample itself. Within a stratum
    the parts get their shares; what cannot be divided goes where the whole is furthest behind. The result depends
    on the keys, the seed and nothing else, so the order in which a disk lists its files does not matter.

    Args:
        keys: Unique name of each sample.
        strata: What is to be spread evenly, say (gender, race).
        fractions: Part name to share; the shares sum to 1.
        seed: Seed of the shuffle.
        subjects: Persons shown by each sample. Empty for unknown: the sample is its own unit.

    Returns:
        The part of each sample; None for a sample whose persons were assigned to different parts (a face swap
        between two of them, say), which no part can have without a leak.

    Raises:
        ValueError: The fractions do not sum to 1, or keys repeat.
    """
    if any(f < 0 for f in fractions.values()) or abs(sum(fractions.values()) - 1) > 1e-6:
        raise ValueError(f'fractions must be at least 0 and sum to 1, got {dict(fractions)}')
    if len(set(keys)) != len(keys):
        repeated = [key for key, n in Counter(keys).items() if n > 1]
        raise ValueError(f'sample keys must be unique; repeated: {repeated[:3]}')
    names = [tuple(s) or (f'\0{key}',) for key, s in zip(keys, subjects or [()] * len(keys), strict=True)]
    units: dict[str, Counter] = defaultdict(Counter)
    for persons, stratum in zip(names, strata, strict=True):
        for person in persons:
            units[person][stratum] += 1
    part_of = _assign_units(units, fractions, seed)
    found = [{part_of[person] for person in persons} for persons in names]
    return [parts.pop() if len(parts) == 1 else None for parts in found]


def _assign_units(units: Mapping[str, Counter], fractions: Mapping[str, float], seed: int) -> dict[str, str]:
    """Part of each unit: large units first, each to the part that its stratum, then the whole, is shortest of."""
    rng = np.random.default_rng(seed)
    order = sorted(units)
    rank = dict(zip(order, rng.permutation(len(order)).tolist(), strict=True))
    order.sort(key=lambda unit: (-units[unit].total(), rank[unit]))
    totals: Counter = Counter()
    for counts in units.values():
        totals.update(counts)
    parts = [part for part, share in fractions.items() if share > 0]
    have: dict[str, Counter] = {part: Counter() for part in parts}
    size: Counter = Counter()
    everything = totals.total()
    result = {}
    for unit in order:
        counts = units[unit]

        def shortage(part: str, counts: Counter = counts) -> tuple[bool, float]:
            lacks = any(have[part][s] + 1 <= fractions[part] * totals[s] + 1e-9 for s in counts)
            return (lacks, fractions[part] * everything - size[part])

        best = max(parts, key=shortage)
        result[unit] = best
        have[best].update(counts)
        size[best] += counts.total()
    return result


def stratified_subset(keys: Sequence[str], strata: Sequence[Hashable], size: int | float, seed: int = 0) -> list[int]:
    """Indices, ascending, of a random subset with the strata's proportions kept.

    Args:
        keys: Unique name of each sample.
        strata: What is to be kept in proportion.
        size: How many samples (int), or their share (float in (0, 1]).
        seed: Seed of the draw.

    Raises:
        ValueError: ``size`` is not positive, above 1 as a float, or above the number of samples.
    """
    total = len(keys)
    if isinstance(size, float):
        if not 0 < size <= 1:
            raise ValueError(f'a subset given as a share must lie in (0, 1], got {size}')
        size = max(1, round(size * total))
    if not 0 < size <= total:
        raise ValueError(f'subset must lie between 1 and the {total} samples there are, got {size}')
    rng = np.random.default_rng(seed)
    members: dict[Hashable, list[int]] = defaultdict(list)
    for index in sorted(range(total), key=lambda i: keys[i]):
        members[strata[index]].append(index)
    ordered = [members[s] for s in sorted(members, key=repr)]
    exact = np.array([len(m) * size / total for m in ordered])
    quota = np.floor(exact).astype(int)
    ties = rng.permutation(len(ordered))
    rest = sorted(range(len(ordered)), key=lambda i: (-(exact[i] - quota[i]), ties[i]))
    for i in rest[: size - quota.sum()]:
        quota[i] += 1
    chosen = [m[j] for m, n in zip(ordered, quota, strict=True) for j in rng.permutation(len(m))[:n]]
    return sorted(chosen)
