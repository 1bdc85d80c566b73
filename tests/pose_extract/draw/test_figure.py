from __future__ import annotations

import numpy as np
import pytest

from pose_extract.draw.figure import figure
from pose_extract.skeletons import get_skeleton, register_layout, skeleton_names


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


def test_points_of_unknown_names_are_placed_from_their_neighbours(only_built_in: None) -> None:
    bones = [
        ('nose', 'head', None),
        ('chin', 'head', 'nose'),
        ('lump', 'body', 'nose'),  # between two that have a place
        ('belly', 'body', 'lump'),
        *((f'{s}_shoulder', 'body', 'lump') for s in ('left', 'right')),
        *((f'{s}_hip', 'body', 'belly') for s in ('left', 'right')),
        *((f'{s}_fist', 'upper', f'{s}_shoulder') for s in ('left', 'right')),
        *((f'{s}_claw', 'upper', f'{s}_fist') for s in ('left', 'right')),
        *((f'{s}_nail', 'upper', f'{s}_fist') for s in ('left', 'right')),
        ('left_shin', 'lower', 'right_shin'),  # one side hangs from the other
        ('right_shin', 'lower', 'right_hip'),
    ]
    points = [{'name': n, 'region': r} | ({} if p is None else {'parent': p}) for n, r, p in bones]
    skeleton = register_layout('odd16', points)
    places = figure(skeleton)
    np.testing.assert_allclose(places[skeleton.flip_indices] * [-1, 1], places, atol=1e-12)
    assert (places[[left for left, _ in skeleton.pairs], 0] > 0).all()
    distances = np.linalg.norm(places[:, None] - places[None], axis=-1) + np.eye(len(places))
    assert distances.min() > 0.01
    at = dict(zip(skeleton.keypoints, places, strict=True))
    neighbours = [at[name] for name in ('nose', 'belly', 'left_shoulder', 'right_shoulder')]
    np.testing.assert_allclose(at['lump'], np.mean(neighbours, axis=0), atol=1e-12)
    assert at['chin'][1] < at['nose'][1]
    assert at['left_shoulder'][1] < at['left_fist'][1] < at['left_claw'][1]
    assert at['left_hip'][1] < at['left_shin'][1]
