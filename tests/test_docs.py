"""What the pages point to is there."""

from __future__ import annotations

import ast
import configparser
import importlib
import importlib.util
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

REPO = Path(__file__).resolve().parents[1]
PAGES = [*(REPO / f'{name}.md' for name in ('README', 'CONTRIBUTING', 'CHANGELOG')), *sorted(REPO.glob('docs/**/*.md'))]
every_page = pytest.mark.parametrize('page', PAGES, ids=lambda page: page.relative_to(REPO).as_posix())


def read_packages() -> list[str]:
    """The packages that are installed, and what measures them."""
    config = configparser.ConfigParser()
    config.read(REPO / 'setup.cfg')
    return [*re.findall(r'(\w+)\*', config['options.packages.find']['include']), 'benchmarks']


PACKAGES = read_packages()


def load_module(path: Path) -> ModuleType:
    """A module that lies in no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def is_known(name: str) -> bool:
    """Whether a dotted name is a module, or something in one."""
    parts = name.split('.')
    for end in range(len(parts), 0, -1):
        module = '.'.join(parts[:end])
        try:
            found = importlib.util.find_spec(module)
        except ModuleNotFoundError:  # a part before the last is no package
            continue
        if found is None:
            continue
        if end == len(parts):
            return True
        thing = importlib.import_module(module)
        for part in parts[end:]:
            if not hasattr(thing, part):
                return False
            thing = getattr(thing, part)
        return True
    return False


def python_blocks(page: Path) -> list[ast.Module]:
    """The page's Python examples."""
    return [ast.parse(block) for block in re.findall(r'```python\n(.*?)```', page.read_text(), flags=re.S)]


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r'\]\((?!https?:|#|mailto:)([^)#\s]+)', page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


@every_page
def test_tools_and_configs_of_the_commands_exist(page: Path) -> None:
    named = re.findall(r'(?<![\w/.])((?:tools|configs)/[\w/]+\.py)', page.read_text())
    assert [name for name in named if not (REPO / name).is_file()] == []


@every_page
def test_files_named_in_the_text_exist(page: Path) -> None:
    rooms = '|'.join([*PACKAGES, 'tests', 'docs', 'requirements'])
    named = re.findall(rf'`(?:python )?((?:{rooms})/[\w/.-]+\.(?:py|md|txt))`', page.read_text())
    assert [name for name in named if not (REPO / name).is_file()] == []


@every_page
def test_modules_and_names_in_the_text_exist(page: Path) -> None:
    named = re.findall(rf'`((?:{"|".join(PACKAGES)})(?:\.\w+)+)', page.read_text())
    assert [name for name in named if not is_known(name)] == []


@pytest.mark.parametrize(
    'name, known',
    [
        ('pose_extract.tracks', True),
        ('pose_extract.tracks.PoseTracks', True),
        ('pose_extract.tracks.PoseTracks.num_persons', True),
        ('pose_extract.tracks.PoseTrack', False),
        ('pose_extract.track', False),
        ('pose_extract.track.PoseTracks', False),
    ],
)
def test_a_name_is_told_from_a_misspelt_one(name: str, known: bool) -> None:
    assert is_known(name) is known


@every_page
def test_examples_import_what_is_there(page: Path) -> None:
    imported = [
        f'{node.module}.{alias.name}'
        for block in python_blocks(page)
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split('.')[0] in PACKAGES
        for alias in node.names
    ]
    assert [name for name in imported if not is_known(name)] == []


@pytest.mark.parametrize('package', ['bmoe_skel', 'pose_extract', 'face_aux'])
def test_examples_use_names_of_the_front_door(package: str) -> None:
    if not hasattr(importlib.import_module(package), '__all__'):
        pytest.skip(f'{package} has no front door')
    used = {
        f'{package}.{node.attr}'
        for page in PAGES
        for block in python_blocks(page)
        for node in ast.walk(block)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == package
    }
    assert [name for name in sorted(used) if not is_known(name)] == []


def test_pages_that_the_code_names_exist() -> None:
    listed = subprocess.run(['git', 'ls-files', '-z'], cwd=REPO, capture_output=True, text=True, check=False).stdout
    files = [REPO / name for name in listed.split('\0') if name.endswith(('.py', '.cfg', '.toml', '.yml', 'Makefile'))]
    if not files:
        pytest.skip('not a clone of the repository')
    named = {page for file in files if file.is_file() for page in re.findall(r'docs/[\w/-]+\.md', file.read_text())}
    assert [page for page in sorted(named) if not (REPO / page).is_file()] == []


def test_pictures_are_small() -> None:
    sizes = {file.name: file.stat().st_size for file in (REPO / 'docs' / 'images').iterdir()}
    assert sizes and max(sizes.values()) < 300_000


def test_diagrams_are_those_that_the_script_draws() -> None:
    script = load_module(REPO / 'docs' / 'draw_diagrams.py')
    for name, draw in script.DIAGRAMS.items():
        assert (REPO / 'docs' / 'images' / name).read_text() == draw(), f'{name}: run python docs/draw_diagrams.py'
