from __future__ import annotations

import pytest
import torch

from face_aux.models.patches import Grid, Patch, grid_of, patch_statistics, patchify, unpatchify

PATCH = Patch(2, 3, 4)


def maps() -> torch.Tensor:
    return torch.randn(2, 5, 4, 6, 12, generator=torch.Generator().manual_seed(0))


def test_patchify_equals_slow_loops() -> None:
    x = maps()
    patches = patchify(x, PATCH)
    assert patches.shape == (2, 2 * 2 * 3, 2 * 3 * 4 * 5)
    token = 0
    for t in range(2):
        for r in range(2):
            for c in range(3):
                place = 0
                for dt in range(2):
                    for dr in range(3):
                        for dc in range(4):
                            values = x[:, :, t * 2 + dt, r * 3 + dr, c * 4 + dc]
                            assert torch.equal(patches[:, token, place * 5 : place * 5 + 5], values)
                            place += 1
                token += 1


def test_unpatchify_is_the_inverse() -> None:
    x = maps()
    grid = grid_of(x.shape, PATCH)
    assert grid == Grid(2, 2, 3)
    assert torch.equal(unpatchify(patchify(x, PATCH), grid, PATCH), x)


def test_tokens_run_as_in_a_convolution() -> None:
    """The decoder's patches must be the encoder's: both count over width, then height, then time."""
    x = maps()
    weight = torch.randn(7, 5, *PATCH, generator=torch.Generator().manual_seed(1))
    expected = torch.nn.functional.conv3d(x, weight, stride=PATCH).flatten(2).transpose(1, 2)
    ours = patchify(x, PATCH) @ weight.permute(2, 3, 4, 1, 0).reshape(-1, 7)
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-4)


def test_statistics_of_a_patch() -> None:
    mean, deviation = patch_statistics(torch.tensor([[[1.0, 2.0, 3.0, 6.0], [4.0, 4.0, 4.0, 4.0]]]))
    assert mean.flatten().tolist() == [3.0, 4.0]
    torch.testing.assert_close(deviation.flatten(), torch.tensor([(14 / 3 + 1e-6) ** 0.5, 1e-3]))


def test_sizes_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match='multiples of the patch'):
        patchify(torch.zeros(1, 1, 4, 7, 12), PATCH)
    with pytest.raises(ValueError, match='do not make a grid'):
        unpatchify(torch.zeros(1, 11, 24), Grid(2, 2, 3), PATCH)
