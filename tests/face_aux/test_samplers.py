from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

from bmoe_ground.errors import UserError
from face_aux.registry import DATA_SAMPLERS
from face_aux.samplers import BalancedSampler, cells_of


class Faces:
    """90 men, 9 women and one whose gender nobody gave; every third is old."""

    def __len__(self) -> int:
        return 100

    def get_data_info(self, index: int) -> dict:
        gender = 0 if index < 90 else 1 if index < 99 else -1
        return {'gt': {'gender': gender}, 'groups': {'age': 'old' if index % 3 == 0 else 'young'}}


def drawn(sampler: BalancedSampler, epochs: int = 40) -> Counter[int]:
    counts: Counter[int] = Counter()
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        counts.update(Faces().get_data_info(i)['gt']['gender'] for i in sampler)
    return counts


def test_every_combination_is_drawn_as_often() -> None:
    even = drawn(BalancedSampler(Faces(), ['gender'], seed=0))
    assert sum(even.values()) == 4000
    assert all(even[label] == pytest.approx(4000 / 3, abs=150) for label in (-1, 0, 1))
    as_it_is = drawn(BalancedSampler(Faces(), ['gender'], strength=0.0, seed=0))
    assert as_it_is[0] == pytest.approx(3600, abs=100)
    roots = 90**0.5 + 9**0.5 + 1
    assert drawn(BalancedSampler(Faces(), ['gender'], 0.5, seed=0))[0] == pytest.approx(4000 * 90**0.5 / roots, abs=150)
    assert set(cells_of(Faces(), ['gender', 'age'])) == {(g, a) for g in '01' for a in ('old', 'young')} | {
        ('-1', 'old')
    }


def test_the_epoch_decides_and_processes_share_the_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = DATA_SAMPLERS.build(
        {'type': 'BalancedSampler', 'by': ['age']}, default_args={'dataset': Faces(), 'seed': 3}
    )
    first = list(sampler)
    assert list(sampler) == first
    sampler.set_epoch(1)
    assert list(sampler) != first
    halves = []
    for rank in (0, 1):
        monkeypatch.setattr('face_aux.samplers.get_dist_info', lambda rank=rank: (rank, 2))
        halves.append(list(BalancedSampler(Faces(), ['age'], seed=3)))
    assert [each for pair in zip(*halves, strict=True) for each in pair] == first


def test_wrong_descriptions_are_named() -> None:
    for by in (['race'], []):
        with pytest.raises(UserError, match=r"name some of \['age', 'gender'\]"):
            BalancedSampler(Faces(), by, seed=0)
    with pytest.raises(UserError, match=r'strength must lie in 0..1'):
        BalancedSampler(SimpleNamespace(), ['age'], strength=2)
