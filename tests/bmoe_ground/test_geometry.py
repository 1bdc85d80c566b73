from __future__ import annotations

import numpy as np
import pytest

from bmoe_ground.geometry import box_area, box_intersection, box_iou


def slow_iou(a: np.ndarray, b: np.ndarray) -> float:
    """On a grid of unit squares: those in both over those in either."""
    mine, theirs = ({(x, y) for x in range(int(p[0]), int(p[2])) for y in range(int(p[1]), int(p[3]))} for p in (a, b))
    return len(mine & theirs) / len(mine | theirs)


def boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    corner = rng.integers(0, 12, (count, 2))
    return np.concatenate([corner, corner + rng.integers(1, 9, (count, 2))], 1).astype(np.float64)


@pytest.mark.parametrize('seed', range(3))
def test_every_pair_equals_counting_squares(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = boxes(rng, 15), boxes(rng, 20)
    expected = [[slow_iou(a, b) for b in second] for a in first]
    np.testing.assert_allclose(box_iou(first[:, None], second), expected, atol=1e-12)


def test_every_pair_equals_torchvision() -> None:
    torch = pytest.importorskip('torch')
    ops = pytest.importorskip('torchvision.ops')
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 50, (2, 30, 2)).astype(np.float32)
    first, second = (np.concatenate([c, c + rng.uniform(1, 30, (30, 2)).astype(np.float32)], 1) for c in corners)
    expected = ops.box_iou(torch.from_numpy(first), torch.from_numpy(second)).numpy()
    found = box_iou(first[:, None], second)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_by_hand_without_area_and_absent() -> None:
    first = np.array([[0.0, 0, 10, 10], [5, 5, 5, 9]])
    second = np.array([[5.0, 0, 15, 10], [20, 20, 30, 30], [0, 0, 10, 10], [5, 5, 5, 9]])
    np.testing.assert_allclose(box_iou(first[:, None], second), [[1 / 3, 0, 1, 0], [0, 0, 0, 0]])
    assert np.isnan(box_iou([[np.nan] * 4, [0, 0, 2, 2]], [0, 0, 2, 2])).tolist() == [True, False]
    assert box_iou([0, 0, 2, 2], [1, 1, 3, 3]) == pytest.approx(1 / 7)  # one with one, whole numbers
    assert box_area([[0, 0, 2, 3], [4, 4, 1, 1]]).tolist() == [6, 0]
    assert box_intersection([0, 0, 4, 4], [[1, 1, 2, 3], [9, 9, 10, 10]]).tolist() == [2, 0]
