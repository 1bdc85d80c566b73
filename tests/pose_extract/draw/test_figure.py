from __future__ import annotations

import numpy as np
import pytest

from pose_extract.draw.figure import figure
from pose_extract.skeletons import get_skeleton, skeleton_names


@pytest.mark.parametrize('name', skeleton_names())
def test_the_figure_is_a_mirror_image_of_itself(name: str) -> None:
    skeleton = get_skeleton(name)
    points = figure(skeleton, head=0.4, hand=0.3)
    assert points.shape == (skeleton.num_keypoints, 2)
    np.testing.assert_allclose(points[skeleton.flip_indices] * [-1, 1], points, atol=1e-12)
    lefts = [left for left, _ in skeleton.pairs]
    assert (points[lefts, 0] > 0).all()
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1) + np.eye(len(points))
    # COCO's eyes and hand roots are also face and hand points
    assert (distances < 1e-6).sum() == 0


@pytest.mark.parametrize('name', skeleton_names())
def test_the_figure_stands_upright(name: str) -> None:
    skeleton = get_skeleton(name)
    height = figure(skeleton)[:, 1]
    head, body, upper, lower = (height[list(members)].mean() for members in skeleton.regions.values())
    assert head < body < lower
    assert head < upper < lower
