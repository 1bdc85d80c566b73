from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage import data
from skimage.feature import hog

from face_aux.textures import hog_features, oriented_gradients


def images() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)
    return [noise, data.astronaut()[:80, :96], np.full((16, 16, 3), 7, np.uint8), noise[..., 0], noise // 100]


@pytest.mark.parametrize('bins', [4, 9])
@pytest.mark.parametrize('cell', [4, 8])
def test_equals_scikit_image(cell: int, bins: int) -> None:
    for image in images():
        channels = None if image.ndim == 2 else 2
        expected = hog(
            image.astype(np.float64),  # scikit-image goes through float32 for bytes
            bins, (cell, cell), (1, 1), 'L2', feature_vector=False, channel_axis=channels,
        )[:, :, 0, 0]  # fmt: skip
        pixels = torch.from_numpy(np.moveaxis(image, -1, 0).copy() if image.ndim == 3 else image)
        ours = oriented_gradients(pixels[None], cell, bins)[0].numpy()
        np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_a_trace_of_a_gradient_is_as_faint_as_scikit_image_has_it() -> None:
    image = np.zeros((640, 640), np.uint8)
    image[100, 100] = 1
    expected = hog(image.astype(np.float64), 9, (640, 640), (1, 1), 'L2', feature_vector=False)[0, 0, 0, 0]
    assert 0.1 < expected.max() < 0.5
    np.testing.assert_allclose(oriented_gradients(torch.from_numpy(image[None]), 640)[0, 0, 0], expected, atol=1e-6)


def test_cells_may_be_oblong_and_must_fill_the_image() -> None:
    grey = torch.zeros(1, 8, 12, dtype=torch.uint8)
    grey[:, :, 6:] = 200
    cells = oriented_gradients(grey, (8, 4))
    assert cells.shape == (1, 1, 3, 9)
    assert cells[0, 0].argmax(dim=-1).tolist() == [0, 0, 0]
    assert cells[0, 0].norm(dim=-1).tolist() == pytest.approx([0, 1, 0], abs=1e-4)
    with pytest.raises(ValueError, match=r'5 x 5 pixels do not fill an image of \(8, 12\)'):
        oriented_gradients(grey, 5)
    with pytest.raises(ValueError, match='uint8'):
        oriented_gradients(grey.float(), 4)


@pytest.mark.parametrize(('cell', 'block', 'bins'), [(4, 2, 9), (8, 1, 9), (8, 2, 6), (4, 3, 9)])
def test_features_of_whole_images_equal_scikit_image(cell: int, block: int, bins: int) -> None:
    for image in [*images()[:2], np.full((24, 24, 3), 7, np.uint8), images()[3]]:
        channels = None if image.ndim == 2 else 2
        expected = hog(image.astype(np.float64), bins, (cell, cell), (block, block), 'L2-Hys', channel_axis=channels)
        pixels = torch.from_numpy(np.atleast_3d(image)).permute(2, 0, 1)
        found = hog_features(torch.stack([pixels, 255 - pixels]), cell, block, bins)
        np.testing.assert_allclose(found[0], expected, atol=2e-5)
        np.testing.assert_allclose(found[1], expected, atol=2e-5)  # directions are unsigned: a negative is the same


def test_whole_images_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r'8 x 8 pixels do not fill an image of \(12, 16\)'):
        hog_features(torch.zeros(1, 3, 12, 16), 8)
    with pytest.raises(ValueError, match=r'3 x 3 cells does not fit in \(2, 2\) cells'):
        hog_features(torch.zeros(1, 3, 16, 16), 8, block=3)
    with pytest.raises(ValueError, match='images must be'):
        hog_features(torch.zeros(3, 16, 16), 8)
