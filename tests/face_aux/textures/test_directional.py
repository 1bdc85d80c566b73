from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate

from face_aux.textures import (
    kirsch_responses,
    local_directional_number,
    local_directional_pattern,
    local_directional_pattern_variance,
)
from face_aux.textures.directional import MAX_RESPONSE

GOLDEN = torch.tensor([[[85, 32, 26], [53, 50, 10], [60, 38, 45]]], dtype=torch.uint8)
KERNELS = {
    'E': [[-3, -3, 5], [-3, 0, 5], [-3, -3, 5]],
    'NE': [[-3, 5, 5], [-3, 0, 5], [-3, -3, -3]],
    'N': [[5, 5, 5], [-3, 0, -3], [-3, -3, -3]],
    'NW': [[5, 5, -3], [5, 0, -3], [-3, -3, -3]],
    'W': [[5, -3, -3], [5, 0, -3], [5, -3, -3]],
    'SW': [[-3, -3, -3], [5, 0, -3], [5, 5, -3]],
    'S': [[-3, -3, -3], [-3, 0, -3], [5, 5, 5]],
    'SE': [[-3, -3, -3], [-3, 0, 5], [-3, 5, 5]],
}


def noise(seed: int, levels: int = 256, shape: tuple[int, int, int] = (2, 13, 17)) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, levels, shape, dtype=np.uint8))


def slow_responses(image: np.ndarray) -> np.ndarray:
    return np.stack([correlate(image.astype(int), np.array(k), mode='constant') for k in KERNELS.values()])


def test_golden_patch() -> None:
    """The worked example of Jabid et al. 2010, with the responses they print."""
    assert kirsch_responses(GOLDEN)[0, :, 1, 1].tolist() == [-399, -503, 97, 313, 537, 161, 97, -303]
    assert int(local_directional_pattern(GOLDEN, k=3)[0, 1, 1]) == 19
    assert int(local_directional_pattern(GOLDEN, k=3, ties='first')[0, 1, 1]) == 19
    assert int(local_directional_number(GOLDEN)[0, 1, 1]) == 33


def test_kirsch_equals_scipy_and_sums_to_zero() -> None:
    images = noise(0)
    images[0, :4] = 255
    images[0, 4:] = 0  # the largest responses there are
    responses = kirsch_responses(images)
    for image, response in zip(images.numpy(), responses.numpy(), strict=True):
        np.testing.assert_array_equal(response, slow_responses(image))
    assert int(responses.long().sum(dim=1).abs().max()) == 0
    assert int(responses.max()) == MAX_RESPONSE


def test_strips_of_a_large_image_see_their_neighbours() -> None:
    image = noise(1, shape=(1, 600, 130))
    responses = kirsch_responses(image)[0].numpy()
    np.testing.assert_array_equal(responses, slow_responses(image[0].numpy()))


@pytest.mark.parametrize('k', range(1, 9))
@pytest.mark.parametrize('levels', [256, 3])
def test_ldp_equals_a_sort(k: int, levels: int) -> None:
    images = noise(k, levels)
    every, first = local_directional_pattern(images, k), local_directional_pattern(images, k, ties='first')
    for n, image in enumerate(images.numpy()):
        magnitudes = np.abs(slow_responses(image)).reshape(8, -1)
        for pixel, values in enumerate(magnitudes.T):
            kth = np.sort(values)[-k]
            assert every[n].reshape(-1)[pixel] == sum(int(v >= kth) << i for i, v in enumerate(values))
            chosen = np.argsort(-values, kind='stable')[:k]
            assert first[n].reshape(-1)[pixel] == sum(1 << int(i) for i in chosen)


def test_ties_in_a_flat_area() -> None:
    """Written in the docstrings: all bits, the first k bits, and LDN's 0."""
    flat = torch.full((1, 5, 5), 90, dtype=torch.uint8)
    assert int(local_directional_pattern(flat)[0, 2, 2]) == 255
    assert int(local_directional_pattern(flat, ties='first')[0, 2, 2]) == 0b111
    assert int(local_directional_number(flat)[0, 2, 2]) == 0


def test_first_ties_leave_the_56_codes_of_k_3() -> None:
    codes = local_directional_pattern(noise(5, 4, (8, 64, 64)), 3, ties='first').unique().tolist()
    assert {bin(code).count('1') for code in codes} == {3}
    assert len(codes) == 56


@pytest.mark.parametrize('levels', [256, 3])
def test_ldn_equals_argmax_and_argmin(levels: int) -> None:
    images = noise(7, levels)
    codes = local_directional_number(images)
    for image, code in zip(images.numpy(), codes.numpy(), strict=True):
        responses = slow_responses(image)
        np.testing.assert_array_equal(code, 8 * responses.argmax(0) + responses.argmin(0))


def test_ldpv_equals_a_slow_loop() -> None:
    images = noise(9, 20)
    histograms = local_directional_pattern_variance(images, 3, grid=(2, 3))
    codes = local_directional_pattern(images, 3)
    expected = np.zeros((2, 2, 3, 256))
    for n, image in enumerate(images.numpy()):
        variances = slow_responses(image).var(axis=0)
        for y in range(13):
            for x in range(17):
                expected[n, y * 2 // 13, x * 3 // 17, codes[n, y, x]] += variances[y, x]
    np.testing.assert_allclose(histograms.numpy(), expected, rtol=1e-12)


def test_directional_under_autocast() -> None:
    images = noise(3)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.equal(
            kirsch_responses(images).int(), torch.from_numpy(np.stack([*map(slow_responses, images.numpy())])).int()
        )
        codes, numbers = local_directional_pattern(images), local_directional_number(images)
    assert torch.equal(codes, local_directional_pattern(images))
    assert torch.equal(numbers, local_directional_number(images))


def test_directional_does_not_depend_on_the_batch() -> None:
    images = noise(4, 256, (40, 60, 60))
    assert torch.equal(
        local_directional_pattern(images), torch.cat([local_directional_pattern(image[None]) for image in images])
    )
    assert local_directional_pattern(images[:0]).shape == (0, 60, 60)
    assert local_directional_number(images[:0]).shape == (0, 60, 60)


def test_wrong_arguments_are_named() -> None:
    images = noise(0)
    with pytest.raises(ValueError, match='k must be 1 to 8'):
        local_directional_pattern(images, 0)
    with pytest.raises(ValueError, match="'all' or 'first'"):
        local_directional_pattern(images, ties='last')
    with pytest.raises(ValueError, match='uint8'):
        kirsch_responses(images.float())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
def test_directional_on_gpu_equals_cpu() -> None:
    images = noise(4, 256, (4, 60, 60))
    for ties in ('all', 'first'):
        on_gpu = local_directional_pattern(images.to('cuda'), ties=ties)
        assert torch.equal(on_gpu.cpu(), local_directional_pattern(images, ties=ties))
    assert torch.equal(local_directional_number(images.to('cuda')).cpu(), local_directional_number(images))
