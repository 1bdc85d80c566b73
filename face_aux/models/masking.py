"""Which patches the masked pass does not see."""

from __future__ import annotations

import torch

from face_aux.models.patches import Grid


def random_mask(batch: int, grid: Grid, ratio: float, device: torch.device | str = 'cpu') -> torch.Tensor:
    """Draw which patches to remove, for each sample anew.

    In a clip the same places are removed in every frame (tube masking, Tong et al. 2022), for what is hidden in one
    frame could else be copied from its neighbour. Random numbers come from torch's generator of ``device``.

    Args:
        batch: Number of samples.
        grid: Number of patches along each axis.
        ratio: Share of patches to remove, above 0 and below 1; int(tokens * (1 - ratio)) of a frame's stay, as in MAE.
        device: Where to draw.

    Returns:
        (batch, tokens) bool, True where removed; every row has as many.

    Raises:
        ValueError: Nothing would be removed, or nothing would stay.
    """
    places = grid.rows * grid.columns
    kept = int(places * (1 - ratio))
    if not 0 < kept < places:
        raise ValueError(f'mask ratio {ratio} keeps {kept} of {places} patches; at least 1 must stay and 1 must go')
    order = torch.rand(batch, places, device=device).argsort(dim=1)
    mask = torch.ones(batch, places, dtype=torch.bool, device=device)
    mask.scatter_(1, order[:, :kept], False)
    return mask.repeat(1, grid.frames)


def kept_indices(mask: torch.Tensor) -> torch.Tensor:
    """Places of the patches that stay, ascending.

    Args:
        mask: (B, tokens) bool, True where removed, as many in every row.

    Returns:
        (B, kept) int64.
    """
    counts = (~mask).sum(dim=1)
    if not bool((counts == counts[0]).all()):
        raise ValueError(f'every sample must keep as many patches, but they keep {counts.tolist()}')
    return (~mask).nonzero()[:, 1].view(len(mask), -1)
