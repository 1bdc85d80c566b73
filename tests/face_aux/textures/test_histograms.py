from __future__ import annotations

import numpy as np
import pytest
import torch

from face_aux.textures import block_histograms


def test_histograms_equal_numpy_block_by_block() -> None:
    codes = torch.randint(0, 59, (2, 12, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    histograms = block_histograms(codes, 59, (3, 2))
    for n in range(2):
        for row in range(3):
            for column in range(2):
                block = codes[n, row * 4 : row * 4 + 4, column * 8 : column * 8 + 8]
                expected = np.bincount(block.reshape(-1).numpy(), minlength=59)
                np.testing.assert_array_equal(histograms[n, row, column].numpy(), expected)


def test_a_grid_that_does_not_divide_the_image_loses_no_pixel() -> None:
    codes = torch.zeros(1, 7, 10, dtype=torch.int32)
    counts = block_histograms(codes, 1, (3, 4))[0, :, :, 0]
    assert counts.sum() == 70
    assert counts.tolist() == [[9, 6, 9, 6], [6, 4, 6, 4], [6, 4, 6, 4]]


def test_three_columns_and_none_given() -> None:
    codes = torch.randint(0, 5, (2, 4, 6), generator=torch.Generator().manual_seed(0))
    counts = block_histograms(codes, 5, (2, 3))
    for n, row, column in np.ndindex(2, 2, 3):
        block = codes[n, row * 2 : row * 2 + 2, column * 2 : column * 2 + 2]
        assert counts[n, row, column].tolist() == torch.bincount(block.reshape(-1), minlength=5).tolist()
    whole = block_histograms(codes, 5)
    assert whole.shape == (2, 1, 1, 5)
    assert torch.equal(whole[:, 0, 0], counts.sum((1, 2)))


@pytest.mark.parametrize(('norm', 'p'), [('l1', 1), ('l2', 2)])
def test_normalised_blocks(norm: str, p: int) -> None:
    codes = torch.randint(0, 8, (1, 8, 8), generator=torch.Generator().manual_seed(0))
    weights = torch.rand(1, 8, 8, generator=torch.Generator().manual_seed(1))
    weights[0, :4, :4] = 0
    histograms = block_histograms(codes, 8, (2, 2), weights=weights, norm=norm)
    lengths = histograms.norm(p=p, dim=-1)
    torch.testing.assert_close(lengths, torch.tensor([[[0.0, 1.0], [1.0, 1.0]]], dtype=torch.float64))


def test_wrong_arguments_are_named() -> None:
    codes = torch.full((1, 4, 4), 9, dtype=torch.uint8)
    with pytest.raises(ValueError, match='codes must be 0 to 7'):
        block_histograms(codes, 8)
    with pytest.raises(ValueError, match='grid must be'):
        block_histograms(codes, 10, (5, 1))
    with pytest.raises(ValueError, match='grid must be'):
        block_histograms(codes, 10, (1, 5))
    with pytest.raises(ValueError, match="'none', 'l1' or 'l2'"):
        block_histograms(codes, 10, norm='max')
    with pytest.raises(ValueError, match='integers'):
        block_histograms(codes.float(), 10)
    with pytest.raises(ValueError, match='weights must have the shape'):
        block_histograms(codes, 10, weights=torch.ones(1, 4, 5))
