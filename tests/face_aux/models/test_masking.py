from __future__ import annotations

import pytest
import torch

from face_aux.models.masking import block_mask, kept_indices, make_mask, random_mask
from face_aux.models.patches import Grid


def test_every_sample_loses_the_same_number_and_its_own_places() -> None:
    torch.manual_seed(0)
    mask = random_mask(16, Grid(1, 14, 14), 0.75)
    assert (mask.sum(dim=1) == 196 - 49).all()
    assert len({tuple(row.tolist()) for row in mask}) == 16


def test_every_patch_is_removed_equally_often() -> None:
    torch.manual_seed(0)
    share = random_mask(4000, Grid(1, 4, 4), 0.75).float().mean(dim=0)
    assert (share - 0.75).abs().max() < 0.04  # more than five standard deviations


def test_tubes_go_through_all_frames() -> None:
    torch.manual_seed(0)
    mask = random_mask(3, Grid(8, 7, 5), 0.9).view(3, 8, 35)
    assert (mask == mask[:, :1]).all()
    assert (mask[:, 0].sum(dim=1) == 35 - 3).all()


def test_the_seed_decides() -> None:
    masks = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        masks.append(random_mask(4, Grid(1, 8, 8), 0.5))
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])


def hidden_neighbours(mask: torch.Tensor) -> float:
    """Share of pairs of hidden and adjacent places that are both hidden."""
    pairs = torch.cat([mask[:, 1:].flatten(1) * 2 + mask[:, :-1].flatten(1), mask[:, :, 1:].flatten(1) * 2
                       + mask[:, :, :-1].flatten(1)], dim=1)  # fmt: skip
    return float((pairs == 3).sum() / (pairs > 0).sum())


@pytest.mark.parametrize('ratio', [0.4, 0.75, 0.9])
@pytest.mark.parametrize('grid', [Grid(1, 14, 14), Grid(4, 6, 5), Grid(1, 2, 2)])
def test_blocks_hide_as_many_places_as_lone_patches(grid: Grid, ratio: float) -> None:
    torch.manual_seed(0)
    mask = make_mask('block', 8, grid, min(ratio, 0.75) if grid.rows == 2 else ratio)
    assert torch.equal(
        mask.sum(dim=1), make_mask('random', 8, grid, min(ratio, 0.75) if grid.rows == 2 else ratio).sum(1)
    )
    frames = mask.view(8, grid.frames, -1)
    assert (frames == frames[:, :1]).all()


def test_blocks_hang_together() -> None:
    torch.manual_seed(0)
    grid = Grid(1, 14, 14)
    blocks, lone = (make(200, grid, 0.4).view(200, 14, 14).int() for make in (block_mask, random_mask))
    assert hidden_neighbours(blocks) > 0.6
    assert hidden_neighbours(lone) < 0.3
    torch.manual_seed(0)
    assert torch.equal(block_mask(200, grid, 0.4).view(200, 14, 14).int(), blocks)
    assert blocks.float().mean(dim=0).min() > 0  # corners are hidden seldom, but no place is spared


def test_kept_indices_are_the_visible_places_in_order() -> None:
    mask = torch.tensor([[True, False, True, False], [False, False, True, True]])
    assert kept_indices(mask).tolist() == [[1, 3], [0, 1]]
    with pytest.raises(ValueError, match='as many'):
        kept_indices(torch.tensor([[True, False], [False, False]]))


@pytest.mark.parametrize('ratio', [0.0, 1.0, 0.99, -0.5])
def test_a_ratio_that_leaves_nothing_to_do_is_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match='mask ratio'):
        random_mask(2, Grid(1, 4, 4), ratio)
