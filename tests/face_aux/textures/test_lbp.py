from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.data import astronaut
from skimage.feature import local_binary_pattern as reference

from face_aux.textures import center_symmetric_lbp, local_binary_pattern, local_ternary_pattern, to_gray
from face_aux.textures.circle import circle_offsets
from face_aux.textures.lbp import LBP_METHODS, n_labels


def gray_astronaut() -> np.ndarray:
    return to_gray(torch.from_numpy(astronaut()).permute(2, 0, 1)[None])[0].numpy()


def assert_equals_reference(images: np.ndarray, P: int, R: float, method: str) -> None:
    codes = local_binary_pattern(torch.from_numpy(images), P, R, method)
    assert codes.shape == images.shape
    for image, code in zip(images, codes.numpy(), strict=True):
        np.testing.assert_array_equal(code, reference(image, P, R, method))


@pytest.mark.parametrize('method', LBP_METHODS)
@pytest.mark.parametrize(
    ('P', 'R'), [(1, 1), (4, 1), (8, 1), (8, 2), (12, 1.5), (16, 2), (24, 3), (7, 2.4), (10, 0.5), (31, 4)]
)
def test_lbp_equals_skimage_on_noise(P: int, R: float, method: str) -> None:
    images = np.random.default_rng(P).integers(0, 256, (3, 37, 41), dtype=np.uint8)
    assert_equals_reference(images, P, R, method)


@pytest.mark.parametrize('method', LBP_METHODS)
@pytest.mark.parametrize(('P', 'R'), [(8, 1), (8, 2), (16, 2)])
def test_lbp_equals_skimage_on_a_photograph_with_flat_areas(P: int, R: float, method: str) -> None:
    assert_equals_reference(gray_astronaut()[None], P, R, method)


@pytest.mark.parametrize(('P', 'R'), [(8, 1), (24, 3)])
def test_lbp_equals_skimage_where_everything_ties(P: int, R: float) -> None:
    levels = np.arange(0, 256, 5, dtype=np.uint8)
    flat = np.broadcast_to(levels[:, None, None], (len(levels), 40, 70)).copy()
    assert_equals_reference(flat, P, R, 'default')


def test_lbp_equals_skimage_far_from_the_origin() -> None:
    """The sampling position's last bits depend on the row and column, up to 2000 here."""
    rng = np.random.default_rng(0)
    few_levels = rng.integers(100, 103, (1, 3, 2000), dtype=np.uint8)
    assert_equals_reference(few_levels, 8, 1, 'default')
    assert_equals_reference(few_levels.transpose(0, 2, 1).copy(), 8, 1, 'default')


@settings(max_examples=40, deadline=None)
@given(
    images=hnp.arrays(np.uint8, st.tuples(st.just(1), st.integers(1, 9), st.integers(1, 9))),
    P=st.integers(1, 20),
    R=st.floats(0.3, 4),
    method=st.sampled_from(LBP_METHODS),
)
def test_lbp_equals_skimage_for_any_image_and_circle(images: np.ndarray, P: int, R: float, method: str) -> None:
    assert_equals_reference(images, P, R, method)


@pytest.mark.parametrize('method', LBP_METHODS)
def test_every_label_is_below_their_number(method: str) -> None:
    images = torch.randint(0, 256, (4, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    codes = local_binary_pattern(images, 8, 1, method)
    assert codes.dtype == torch.uint8
    assert int(codes.max()) < n_labels(8, method)
    assert n_labels(8, 'nri_uniform') == 59


def test_classic_3x3_pattern_by_hand() -> None:
    image = torch.tensor([[[85, 32, 26], [53, 50, 10], [60, 38, 45]]], dtype=torch.uint8)
    # at least 50: E 10 no, NE 26 no, N 32 no, NW 85 yes, W 53 yes, SW 60 yes, S 38 no, SE 45 no
    assert int(local_binary_pattern(image, 8, 1, interpolation='nearest')[0, 1, 1]) == 0b00111000


def test_lbp_does_not_depend_on_the_batch() -> None:
    images = torch.randint(0, 256, (70, 48, 48), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    one_by_one = torch.cat([local_binary_pattern(image[None], 8, 1) for image in images])
    assert torch.equal(local_binary_pattern(images, 8, 1), one_by_one)
    assert local_binary_pattern(images[:0], 8, 1).shape == (0, 48, 48)
    assert torch.equal(local_binary_pattern(images.numpy(), 8, 1), one_by_one)


def test_lbp_under_autocast_and_inference_mode() -> None:
    images = torch.from_numpy(gray_astronaut()[None, :96, :96])
    plain = local_binary_pattern(images, 8, 1)
    with torch.autocast('cpu', dtype=torch.bfloat16), torch.inference_mode():
        assert torch.equal(local_binary_pattern(images, 8, 1), plain)


def slow_points(image: np.ndarray, y: int, x: int, P: int, R: float) -> list[float]:
    """Grey values on the circle from exact rational arithmetic."""
    from fractions import Fraction

    def pixel(r: int, c: int) -> int:
        return int(image[r, c]) if 0 <= r < image.shape[0] and 0 <= c < image.shape[1] else 0

    values = []
    for row, column in circle_offsets(P, R):
        r, c = y + Fraction(str(row)), x + Fraction(str(column))
        r0, c0 = r.__floor__(), c.__floor__()
        fr, fc = r - r0, c - c0
        top = (1 - fc) * pixel(r0, c0) + fc * pixel(r0, c0 + 1)
        bottom = (1 - fc) * pixel(r0 + 1, c0) + fc * pixel(r0 + 1, c0 + 1)
        values.append((1 - fr) * top + fr * bottom)
    return values


@pytest.mark.parametrize('spread', [256, 8])
def test_ltp_and_cs_lbp_equal_slow_exact_loops(spread: int) -> None:
    image = np.random.default_rng(spread).integers(0, spread, (9, 11), dtype=np.uint8)
    upper, lower = local_ternary_pattern(torch.from_numpy(image[None]), 8, 1, threshold=5)
    symmetric = center_symmetric_lbp(torch.from_numpy(image[None]), 8, 1, threshold=2)
    of_six = center_symmetric_lbp(torch.from_numpy(image[None]), 6, 1, threshold=2)
    assert symmetric.dtype == of_six.dtype == torch.uint8
    for y in range(9):
        for x in range(11):
            points, center = slow_points(image, y, x, 8, 1), int(image[y, x])
            assert upper[0, y, x] == sum((p >= center + 5) << i for i, p in enumerate(points))
            assert lower[0, y, x] == sum((p <= center - 5) << i for i, p in enumerate(points))
            assert symmetric[0, y, x] == sum((points[i] - points[i + 4] > 2) << i for i in range(4))
            points = slow_points(image, y, x, 6, 1)
            assert of_six[0, y, x] == sum((points[i] - points[i + 3] > 2) << i for i in range(3))


def test_difference_of_exactly_the_threshold() -> None:
    image = torch.full((1, 5, 5), 100, dtype=torch.uint8)
    image[0, :, 3] = 105
    upper, lower = local_ternary_pattern(image, 4, 1, threshold=5)
    assert (int(upper[0, 2, 2]), int(lower[0, 2, 2])) == (0b0001, 0)
    assert (int(upper[0, 2, 3]), int(lower[0, 2, 3])) == (0, 0b0101)
    assert int(center_symmetric_lbp(image, 4, 1, threshold=5)[0, 2, 2]) == 0
    assert int(center_symmetric_lbp(image, 4, 1, threshold=4)[0, 2, 2]) == 0b01


def test_gray_equals_pillow() -> None:
    from PIL import Image

    rgb = np.random.default_rng(0).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(rgb).convert('L'))
    np.testing.assert_array_equal(to_gray(torch.from_numpy(rgb).permute(2, 0, 1)[None])[0].numpy(), expected)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'images': torch.zeros(5, 5, dtype=torch.uint8)}, r'\(N, H, W\)'),
        ({'images': torch.zeros(1, 5, 5)}, 'uint8'),
        ({'P': 0}, 'P must be 1 to 31'),
        ({'P': 32}, 'P must be 1 to 31'),
        ({'R': 0}, 'R must be above 0'),
        ({'method': 'var'}, "method must be one of .*'default'"),
        ({'interpolation': 'cubic'}, "'bilinear' or 'nearest'"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        local_binary_pattern(**{'images': torch.zeros(1, 5, 5, dtype=torch.uint8), 'P': 8, 'R': 1, **arguments})


def test_wrong_thresholds_are_named() -> None:
    images = torch.zeros(1, 5, 5, dtype=torch.uint8)
    with pytest.raises(ValueError, match='threshold must be above 0'):
        local_ternary_pattern(images, threshold=0)
    with pytest.raises(ValueError, match='threshold must be 0'):
        center_symmetric_lbp(images, threshold=-1)
    with pytest.raises(ValueError, match='even'):
        center_symmetric_lbp(images, P=7)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
@pytest.mark.parametrize(('P', 'R'), [(8, 1), (8, 2), (24, 3)])
def test_lbp_on_gpu_equals_cpu(P: int, R: float) -> None:
    images = torch.from_numpy(gray_astronaut()[None])
    for method in LBP_METHODS:
        on_gpu = local_binary_pattern(images.to('cuda'), P, R, method)
        assert torch.equal(on_gpu.cpu(), local_binary_pattern(images, P, R, method))
