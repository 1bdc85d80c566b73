from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmoe_ground.errors import UserError
from face_aux.datasets.splits import stratified_split, stratified_subset
from face_aux.labels import bin_label, bin_names, check_label_map

SHARES = {'train': 0.8, 'val': 0.1, 'test': 0.1}


def test_strata_keep_their_shares_and_order_does_not_matter() -> None:
    keys = [f'{i}.jpg' for i in range(1000)]
    strata = [('rare',) if i % 10 == 0 else ('common',) for i in range(1000)]
    parts = stratified_split(keys, strata, SHARES, seed=3)
    counts = Counter(zip(parts, strata, strict=True))
    assert counts['train', ('rare',)] == 80
    assert counts['val', ('rare',)] == 10
    assert counts['test', ('common',)] == 90
    backwards = stratified_split(keys[::-1], strata[::-1], SHARES, seed=3)
    assert backwards[::-1] == parts
    assert stratified_split(keys, strata, SHARES, seed=4) != parts


def test_tiny_strata_do_not_all_land_in_one_part() -> None:
    keys = [str(i) for i in range(100)]
    parts = Counter(stratified_split(keys, keys, SHARES))
    assert parts == {'train': 80, 'val': 10, 'test': 10}


@settings(max_examples=60, deadline=None)
@given(
    people=st.lists(st.tuples(st.integers(0, 15), st.integers(0, 2)), min_size=1, max_size=80),
    seed=st.integers(0, 5),
)
def test_no_person_is_in_two_parts(people: list[tuple[int, int]], seed: int) -> None:
    keys = [str(i) for i in range(len(people))]
    subjects = [(f'p{person}',) for person, _ in people]
    parts = stratified_split(keys, [s for _, s in people], SHARES, seed, subjects)
    assert None not in parts
    where: dict[tuple[str, ...], str | None] = {}
    for subject, part in zip(subjects, parts, strict=True):
        assert where.setdefault(subject, part) == part


def test_swaps_across_parts_are_nobodys() -> None:
    keys = [f'{a}{b}' for a in 'abcdefgh' for b in 'abcdefgh']
    subjects = [tuple(dict.fromkeys(key)) for key in keys]
    parts = stratified_split(keys, [0] * 64, {'x': 0.5, 'y': 0.5}, 0, subjects)
    of = {key[0]: part for key, part in zip(keys, parts, strict=True) if key[0] == key[1]}
    for key, part in zip(keys, parts, strict=True):
        assert part == (of[key[0]] if of[key[0]] == of[key[1]] else None)
    assert 0 < parts.count(None) < 64


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match='sum to 1'):
        stratified_split(['a'], [0], {'x': 0.5})
    with pytest.raises(ValueError, match=r"repeated: \['a'\]"):
        stratified_split(['a', 'a'], [0, 0], {'x': 1.0})
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


def test_bins() -> None:
    assert bin_names([0, 18, 30]) == ['0-17', '18-29', '30+']
    assert [bin_label(a, [0, 18, 30]) for a in (0, 17, 18, 29, 30, 99)] == [
        '0-17',
        '0-17',
        '18-29',
        '18-29',
        '30+',
        '30+',
    ]
    with pytest.raises(ValueError, match='below the first bin edge 18'):
        bin_label(3, [18])


def test_label_map_is_refused_by_name() -> None:
    check_label_map({'gender': ['m', 'f']}, {'gender': ['m', 'f'], 'age': ['a']}, 'x.pth')
    with pytest.raises(UserError, match=r"x.pth: has no task 'race'; its tasks are \['gender'\]"):
        check_label_map({'race': ['a']}, {'gender': ['m', 'f']}, 'x.pth')
    with pytest.raises(UserError, match=r"x.pth: task 'gender' was trained with the classes \['f', 'm'\]"):
        check_label_map({'gender': ['m', 'f']}, {'gender': ['f', 'm']}, 'x.pth')
