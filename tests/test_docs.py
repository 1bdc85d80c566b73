"""What the pages point to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
PAGES = [REPO / 'README.md', *sorted((REPO / 'docs').rglob('*.md'))]


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r'\]\((?!https?:|#|mailto:)([^)#\s]+)', page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_tools_and_configs_of_the_commands_exist(page: Path) -> None:
    named = re.findall(r'(?<![\w/.])((?:tools|configs)/[\w/]+\.py)', page.read_text())
    assert [name for name in named if not (REPO / name).is_file()] == []


def test_pictures_are_small() -> None:
    sizes = {file.name: file.stat().st_size for file in (REPO / 'docs' / 'images').iterdir()}
    assert sizes and max(sizes.values()) < 300_000
