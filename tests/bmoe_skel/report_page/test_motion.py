from __future__ import annotations

import numpy as np
import pytest

from bmoe_skel.report_page.motion import FRAMES, GRID, shrink
from pose_extract.skeletons import get_skeleton


def test_absent_points_are_marked_and_others_keep_their_order() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(1, 9, (3, 100, 17, 2)).astype(np.float32)
    points[0, :, 3] = np.nan
    found = shrink(points, None, 'coco17')
    assert found.points.shape == (2, FRAMES, 17, 2)
    assert (found.points[0, :, 3] == -1).all() and found.points[1].min() >= 0 and found.points.max() <= GRID
    assert (shrink(np.full((1, 5, 17, 2), np.nan), None, 'coco17').points == -1).all()


@pytest.mark.parametrize(('down', 'sign'), [(1, 1), (1, -1), (2, -1)])
def test_three_coordinates_stand_upright(down: int, sign: int) -> None:
    layout = get_skeleton('coco17')
    points = np.ones((1, 4, 17, 3))
    points[..., list(layout.regions['lower']), down] += 5 * sign
    points[..., layout.shoulders[0], 0] += 1
    found = shrink(points, None, 'coco17').points
    assert found[0, 0, layout.regions['lower'][0], 1] > found[0, 0, 0, 1]
