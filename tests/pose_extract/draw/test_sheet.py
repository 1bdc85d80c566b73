from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from pose_extract.draw.render import REGION_COLORS
from pose_extract.draw.sheet import _PANELS, draw_sheet
from pose_extract.skeletons import skeleton_names


def test_every_layout_has_a_panel() -> None:
    assert {name for row in _PANELS for name, _, _ in row if name} == set(skeleton_names())


def test_the_sheet_is_a_small_picture_in_the_region_colors(tmp_path: Path) -> None:
    path = tmp_path / 'a b' / 'sheet.png'
    draw_sheet(path)
    assert path.stat().st_size < 300_000
    picture = cv2.imread(str(path))[..., ::-1].astype(int)
    assert picture.shape[1] > 1500
    for color in REGION_COLORS.values():
        near = np.abs(picture - np.array(color)).max(-1) < 12
        assert near.sum() > 500
