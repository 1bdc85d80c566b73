from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from bmoe_ground.errors import UserError
from mm_runtime import catalog
from mm_runtime.catalog import find_config, list_configs

REPO = Path(__file__).resolve().parents[2]


def test_every_config_is_listed_with_what_it_is() -> None:
    entries = {entry.name: entry for entry in list_configs()}
    assert {'bmoe_skel', 'own_clips', 'face_aux/utkface', 'benchmarks/skeleton'} <= set(entries)
    assert not any('_base_' in name for name in entries)
    assert all(20 < len(entry.description) <= 130 and entry.path.is_file() for entry in entries.values())
    assert entries['bmoe_skel'].description.startswith('B-MoE on the tracks')


@pytest.mark.parametrize(
    ('name', 'path'),
    [
        ('bmoe_skel', 'bmoe_skel.py'),
        ('configs/bmoe_skel.py', 'bmoe_skel.py'),
        ('utkface', 'face_aux/utkface.py'),
        ('face_aux/utkface', 'face_aux/utkface.py'),
        ('benchmarks/skeleton', 'benchmarks/skeleton.py'),
    ],
)
def test_names(name: str, path: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_config(name) == REPO / 'configs' / path
    (tmp_path / 'bmoe_skel').write_text('')
    assert find_config('bmoe_skel') == Path('bmoe_skel')  # a file comes first


def test_unknown_names_get_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"config not found: bmoe_skl; did you mean 'bmoe_skel'\?; by name there are: b"
    ):
        find_config('bmoe_skl')
    with pytest.raises(UserError, match='config not found'):
        find_config(tmp_path / 'bmoe_skel.py')  # a path that was spelt out is not replaced


def test_a_package_without_configs_says_so(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(catalog, '__file__', str(tmp_path / 'mm_runtime' / 'catalog.py'))
    monkeypatch.setattr(importlib.metadata, 'files', lambda name: [])
    with pytest.raises(UserError, match='the configs of bmoe-skel are not installed'):
        list_configs()
    with pytest.raises(UserError, match='config not found: bmoe_skel'):
        find_config('bmoe_skel')
