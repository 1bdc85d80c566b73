from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.pages import COMMAND, TABLES, fill_tables, layout_table, texture_table, write_pages
from bmoe_ground.errors import UserError
from face_aux.models.targets import Target
from face_aux.models.variant import Variant
from face_aux.textures import DESCRIPTORS, Descriptor
from pose_extract import skeletons
from pose_extract.convert.clips import ReadOptions, layout_for
from pose_extract.draw.figure import figure
from pose_extract.draw.sheet import draw_sheet
from pose_extract.layout_conversion import can_convert
from pose_extract.layouts import LAYOUTS, Layout
from pose_extract.skeleton import build_skeleton

DOCS = Path(__file__).resolve().parents[2] / 'docs'


def test_the_pages_are_in_step_with_the_code() -> None:
    texts = {page: page.read_text() for page in DOCS.rglob('*.md')}
    stale = [page.name for page, text in texts.items() if fill_tables(text, str(page)) != text]
    assert not stale, f'tables of {stale} are behind the code; rewrite them with: {COMMAND}'


def test_every_table_stands_on_a_page() -> None:
    whole = ''.join(page.read_text() for page in DOCS.rglob('*.md'))
    assert [name for name in TABLES if f'<!-- table: {name} -->' not in whole] == []


def test_tables_are_rewritten_in_their_place(tmp_path: Path) -> None:
    shutil.copytree(DOCS, tmp_path / 'docs')
    page = tmp_path / 'docs' / 'reference' / 'layouts.md'
    whole = page.read_text()
    page.write_text(whole.replace('| `penn13` | 13 |', '| `penn12` | 12 |').replace('\n| `mpii16`', ''))
    assert write_pages(tmp_path / 'docs') == [page]
    assert page.read_text() == whole
    assert write_pages(tmp_path / 'docs') == []


def test_marks_of_no_table_are_named() -> None:
    with pytest.raises(UserError, match="a.md: unknown table 'layout'; there are layouts"):
        fill_tables('<!-- table: layout -->\n<!-- end of table -->', 'a.md')


def test_a_layout_is_one_entry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Pairs, regions, sheet, figure, guessing, conversions and page follow from the entry alone."""
    sides = [f'{side}_{part}' for part in ('shoulder', 'hip', 'claw', 'hoof', 'horn') for side in ('left', 'right')]
    parts = {'claw': 'upper', 'hoof': 'lower', 'horn': 'head'}
    above = {'shoulder': 'nose', 'hip': '*_shoulder', 'claw': '*_shoulder', 'hoof': '*_hip', 'horn': 'nose'}
    layout = Layout(
        ('nose', *sides),
        {name: above[name.partition('_')[2]].replace('*', name.partition('_')[0]) for name in sides},
        regions={name: parts[name.partition('_')[2]] for name in sides if name.partition('_')[2] in parts},
        source='a field',
        checked='by eye',
    )
    monkeypatch.setitem(LAYOUTS, 'cow11', layout)
    monkeypatch.setitem(skeletons._SKELETONS, 'cow11', build_skeleton('cow11', layout))
    skeleton = skeletons.get_skeleton('cow11')
    assert skeleton.regions['lower'] == (7, 8) and len(skeleton.pairs) == 5
    assert np.isfinite(figure(skeleton)).all()
    assert '| `cow11` | 11 | a field | by eye |' in layout_table()
    assert layout_for(ReadOptions(), None, 11) == 'cow11'
    assert not can_convert('coco17', 'cow11')
    draw_sheet(tmp_path / 'sheet.png')
    assert (tmp_path / 'sheet.png').stat().st_size > 50_000


def test_a_texture_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variants, targets and page follow from the line of the table alone."""

    def low_bits(images: torch.Tensor, bits: int = 2) -> torch.Tensor:
        return images & (2**bits - 1)

    line = Descriptor(low_bits, labels=lambda bits=2, **_: 2**bits, what='the lowest bits', codes='2^bits')
    monkeypatch.setitem(DESCRIPTORS, 'LOW', line)
    assert Variant.parse('MLOW/RLOW/CRGB').masked == 'LOW'
    assert Target('LOW', 'planes', bits=3).channels == 3
    assert '| `LOW` | `low_bits(images, bits)` | the lowest bits | 2^bits |' in texture_table()
