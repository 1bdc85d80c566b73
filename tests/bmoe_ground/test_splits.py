from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmoe_ground.splits import stratified_group_split, stratified_split, stratified_subset

SHARES = {'train': 0.8, 'val': 0.1, 'test': 0.1}


def test_strata_keep_their_shares_and_order_does_not_matter() -> None:
    keys = [f'{i}.jpg' for i in range(1000)]
    strata = [('rare',) if i % 10 == 0 else ('common',) for i in range(1000)]
    parts = stratified_group_split(keys, strata, SHARES, seed=3)
    counts = Counter(zip(parts, strata, strict=True))
    assert counts['train', ('rare',)] == 80
    assert counts['val', ('rare',)] == 10
    assert counts['test', ('common',)] == 90
    backwards = stratified_group_split(keys[::-1], strata[::-1], SHARES, seed=3)
    assert backwards[::-1] == parts
    assert stratified_group_split(keys, strata, SHARES, seed=4) != parts


def test_tiny_strata_do_not_all_land_in_one_part() -> None:
    keys = [str(i) for i in range(100)]
    parts = Counter(stratified_group_split(keys, keys, SHARES))
    assert parts == {'train': 80, 'val': 10, 'test': 10}


@settings(max_examples=60, deadline=None)
@given(
    people=st.lists(st.tuples(st.integers(0, 15), st.integers(0, 2)), min_size=1, max_size=80),
    seed=st.integers(0, 5),
)
def test_no_person_is_in_two_parts(people: list[tuple[int, int]], seed: int) -> None:
    keys = [str(i) for i in range(len(people))]
    subjects = [(f'p{person}',) for person, _ in people]
    parts = stratified_group_split(keys, [s for _, s in people], SHARES, seed, subjects)
    assert None not in parts
    where: dict[tuple[str, ...], str | None] = {}
    for subject, part in zip(subjects, parts, strict=True):
        assert where.setdefault(subject, part) == part


def test_swaps_across_parts_are_nobodys() -> None:
    keys = [f'{a}{b}' for a in 'abcdefgh' for b in 'abcdefgh']
    subjects = [tuple(dict.fromkeys(key)) for key in keys]
    parts = stratified_group_split(keys, [0] * 64, {'x': 0.5, 'y': 0.5}, 0, subjects)
    of = {key[0]: part for key, part in zip(keys, parts, strict=True) if key[0] == key[1]}
    for key, part in zip(keys, parts, strict=True):
        assert part == (of[key[0]] if of[key[0]] == of[key[1]] else None)
    assert 0 < parts.count(None) < 64


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match='sum to 1'):
        stratified_group_split(['a'], [0], {'x': 0.5})
    with pytest.raises(ValueError, match=r"repeated: \['a'\]"):
        stratified_group_split(['a', 'a'], [0, 0], {'x': 1.0})
    with pytest.raises(ValueError, match='between 1 and the 3 samples'):
        stratified_subset(list('abc'), [0, 0, 0], 4)
    with pytest.raises(ValueError, match='as a share'):
        stratified_subset(list('abc'), [0, 0, 0], 1.5)


def test_subset_keeps_proportions() -> None:
    strata = ['a'] * 700 + ['b'] * 300
    chosen = stratified_subset([str(i) for i in range(1000)], strata, 100, seed=1)
    assert Counter(strata[i] for i in chosen) == {'a': 70, 'b': 30}
    assert chosen == sorted(set(chosen))
    assert chosen == stratified_subset([str(i) for i in range(1000)], strata, 0.1, seed=1)


def test_each_class_is_cut_at_the_ratios() -> None:
    labels = ['a'] * 10 + ['b'] * 5 + ['c'] * 3 + ['d']
    parts = stratified_split(labels, (0.6, 0.2, 0.2), seed=0)
    counts = {k: np.bincount(parts[np.array(labels) == k], minlength=3).tolist() for k in 'abcd'}
    assert counts['a'] == [6, 2, 2]
    assert counts['b'] == [3, 1, 1]
    assert counts['c'] == [1, 1, 1]
    assert sum(counts['d']) == 1
    with pytest.raises(ValueError, match='positive'):
        stratified_split(labels, (1.0, 0.0), seed=0)


def test_the_parts_are_those_of_version_0_1() -> None:
    """Written down from the two functions before they came into one module: runs of 0.1 keep their test clips."""
    labels = [i * i % 7 for i in range(211)]
    keys = [f'{i:03d}' for i in range(211)]
    subjects = [(f's{i % 50}',) if i % 3 else () for i in range(211)]
    shares = {'train': 0.7, 'val': 0.1, 'test': 0.2}

    cut = stratified_split(labels[:40], (0.6, 0.2, 0.2), seed=3)
    assert ''.join(map(str, cut)) == '2101010000001002000201000002002220001011'
    assert digest(stratified_split(labels, [1] * 5, seed=0).tolist()) == 'f74e6b1d8e974498'

    grouped = stratified_group_split(keys, labels, shares, seed=5, subjects=subjects)
    assert ''.join(str(part)[1] for part in grouped[:40]) == 'errarreererrerrarrrrrarrerrrrrarrarrerre'
    assert digest(grouped) == 'ae4bf14b31976f1b'
    single = stratified_group_split(keys[:40], labels[:40], shares, seed=5)
    assert ''.join(str(part)[1] for part in single) == 'rerrerrerrrrearrraarrreerrarerrrrrrrrrre'

    assert stratified_subset(keys, labels, 20, seed=2) == [
        *(5, 17, 48, 49, 50, 61, 72, 93, 102, 115, 128, 137, 141, 158, 182, 186, 189, 194, 195, 202),
    ]


def digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]
