from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pose_extract.draw import sheet
from pose_extract.draw.render import REGION_COLORS
from pose_extract.draw.sheet import arrange_panels, draw_sheet
from pose_extract.skeletons import skeleton_names


def test_panels_lie_side_by_side_and_in_order() -> None:
    places = arrange_panels([1, 1, 2, 1, 1, 1, 2, 1])
    assert [row for row, _ in places] == [0, 0, 0, 0, 0, 1, 1, 1]
    assert [(columns.start, columns.stop) for _, columns in places] == [
        *((0, 1), (1, 2), (2, 4), (4, 5), (5, 6)),
        *((0, 1), (1, 3), (3, 4)),
    ]
    assert [row for row, _ in arrange_panels([1] * 5 + [2])] == [0] * 5 + [1]


def test_every_layout_has_a_panel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    drawn = []
    monkeypatch.setattr(sheet, '_draw_panel', lambda axes, skeleton, source: drawn.append(skeleton.name))
    draw_sheet(tmp_path / 'sheet.png')
    assert drawn == list(skeleton_names())


def test_the_sheet_is_a_small_picture_in_the_region_colors(tmp_path: Path) -> None:
    path = tmp_path / 'a b' / 'sheet.png'
    draw_sheet(path)
    assert path.stat().st_size < 300_000
    picture = cv2.imread(str(path))[..., ::-1].astype(int)
    assert picture.shape[1] > 1500
    for color in REGION_COLORS.values():
        near = np.abs(picture - np.array(color)).max(-1) < 12
        assert near.sum() > 500
