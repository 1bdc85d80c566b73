"""The documentation site: it builds without a complaint, and its pages ask nothing of the network."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
# what a browser loads by itself, as opposed to links that a reader may follow
LOADED = {'script': 'src', 'link': 'href', 'img': 'src', 'iframe': 'src', 'source': 'src', 'object': 'data'}

pytestmark = pytest.mark.slow


class Loads(HTMLParser):
    """Collects what a page loads from elsewhere, and the classes of its elements."""

    def __init__(self) -> None:
        super().__init__()
        self.external: list[str] = []
        self.classes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.classes.update((values.get('class') or '').split())
        target = values.get(LOADED.get(tag, '')) or ''
        if target.startswith(('http:', 'https:', '//')):
            self.external.append(target)


@pytest.fixture(scope='module')
def site(once: Callable[..., Path]) -> Path:
    return once('site', build)


def build(folder: Path) -> None:
    command = [sys.executable, '-m', 'mkdocs', 'build', '--strict', '--quiet', '--site-dir', str(folder)]
    env = {**os.environ, 'NO_MKDOCS_2_WARNING': '1'}
    done = subprocess.run(command, cwd=REPO, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, '')


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob('*.html'))
    assert len(pages) > 20
    for page in pages:
        loads = Loads()
        loads.feed(page.read_text())
        assert loads.external == [], page
        assert 'mermaid' not in loads.classes, f'{page}: the theme fetches mermaid from a CDN'
    assert not [sheet for sheet in site.rglob('*.css') if 'url(http' in sheet.read_text()]


def test_docstrings_become_pages(site: Path) -> None:
    page = (site / 'api' / 'pose_extract.html').read_text()
    assert 'id="pose_extract.tracks.load_tracks"' in page
    assert ':class:<code>' not in page and ':func:<code>' not in page
