from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from bmoe_app.pages.base import (
    UPLOT_SCRIPT,
    asset,
    html_page,
    region_style,
    relative_href,
)
from bmoe_ground.pages import data_block, escape, json_text
from pose_extract.skeletons import REGIONS, region_hex

HOSTILE = '</script><!-- <script>alert(1)</script> \u2028 " \' & <img src=x onerror=alert(1)>'


class Elements(HTMLParser):
    """The page as a browser's parser takes it apart: opening tags with their attributes, and text by element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append((self.tags[-1][0] if self.tags else '', data))


def test_hostile_text_makes_no_element() -> None:
    page = Elements(html_page(HOSTILE, f'<p title="{escape(HOSTILE)}">{escape(HOSTILE)}</p>'))
    assert [tag for tag, _ in page.tags if tag in ('script', 'img')] == []
    assert dict(page.tags)['p'] == {'title': HOSTILE.replace('\u2028', '\\u2028')}


def test_control_characters_are_shown_as_codes() -> None:
    assert escape('a\nb\x1b[2J') == 'a\\nb\\x1b[2J'


def test_data_comes_back_as_it_was_and_ends_no_script() -> None:
    page = Elements(html_page('t', '', data=[data_block('answer', {'label': HOSTILE})]))
    assert [tag for tag, _ in page.tags].count('script') == 1
    block = next(text for tag, text in page.texts if tag == 'script')
    assert json.loads(block) == {'label': HOSTILE}
    assert '\u2028' not in block and '<' not in block


def test_numbers_that_json_lacks_are_refused() -> None:
    with pytest.raises(ValueError, match='not JSON compliant'):
        json_text([float('nan')])


def test_only_the_pages_own_scripts_may_run() -> None:
    text = html_page('t', '', scripts=[UPLOT_SCRIPT])
    inside = re.search(r'<script>(.*?)</script>', text, re.DOTALL)
    assert inside is not None and inside[1] == asset(UPLOT_SCRIPT)
    digest = base64.b64encode(hashlib.sha256(inside[1].encode()).digest()).decode()
    policy = next(a['content'] or '' for tag, a in Elements(text).tags if a.get('http-equiv'))
    rules = dict(rule.strip().split(' ', 1) for rule in policy.split(';'))
    assert rules['script-src'] == f"'sha256-{digest}'"
    assert rules['default-src'] == rules['connect-src'] == "'none'"
    assert 'http' not in rules['media-src'] and '*' not in rules['media-src']


def test_colours_are_those_of_the_pictures() -> None:
    for region in REGIONS:
        assert f'--{region}:{region_hex(region)};' in region_style()


@pytest.mark.parametrize('name', ['a b#1?.mp4', 'javascript:alert(1).mp4', 'ü%41.mp4', 'C:x.mp4', 'a"<b>.mp4'])
def test_an_address_leads_to_the_file_whatever_its_name(tmp_path: Path, name: str) -> None:
    href = relative_href(tmp_path / 'videos' / name, tmp_path / 'out' / 'deep' / 'a.html')
    parts = urlsplit(href)
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ('', '', '', '')
    assert unquote(parts.path) == f'../../videos/{name}'
    beside = relative_href(tmp_path / name, tmp_path / 'a.html')
    assert urlsplit(beside).scheme == '' and unquote(beside) == name
