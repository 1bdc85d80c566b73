"""Which patches the masked pass does not see."""

from __future__ import annotations

import math

import numpy as np
import torch

from bmoe_ground.errors import UserError
from face_aux.models.patches import Grid

MASKS = ('random', 'block')
_ASPECT = 0.3  # BEiT's: a block's height is 0.3 to 1 / 0.3 of its width
_SMALLEST = 16  # BEiT's, of some 78 patches to hide
_TRIES = 10


def check_mask(kind: str) -> str:
    """Return the kind of mask if it is known.

    Raises:
        UserError: It is not.
    """
    if kind not in MASKS:
        raise UserError(f'auxiliary.mask must be one of {MASKS}, but got {kind!r}')
    return kind


def make_mask(kind: str, batch: int, grid: Grid, ratio: float, device: torch.device | str = 'cpu') -> torch.Tensor:
    """A mask by its kind, one of :data:`MASKS`; see :func:`random_mask`."""
    return {'random': random_mask, 'block': block_mask}[kind](batch, grid, ratio, device)


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
    kept = _count_kept(places, ratio)
    order = torch.rand(batch, places, device=device).argsort(dim=1)
    mask = torch.ones(batch, places, dtype=torch.bool, device=device)
    mask.scatter_(1, order[:, :kept], False)
    return mask.repeat(1, grid.frames)


def block_mask(batch: int, grid: Grid, ratio: float, device: torch.device | str = 'cpu') -> torch.Tensor:
    """Hide rectangles of patches, as BEiT (Bao et al. 2022) and MaskFeat do, for each sample anew.

    A lone hidden patch can be guessed from its eight neighbours; of a block only the rim can. Blocks are drawn with
    BEiT's shapes until none fits into what is still to be hidden; single patches make up the rest, so that every
    sample keeps as many. Arguments, result and errors are those of :func:`random_mask`.

    Args:
        batch: Number of samples.
        grid: Number of patches along each axis.
        ratio: Share of patches to remove; lower ones than random masks need, MaskFeat takes 0.4.
        device: Where the mask goes.
    """
    places = grid.rows * grid.columns
    hidden = places - _count_kept(places, ratio)
    rng = np.random.default_rng(int(torch.randint(2**62, ())))
    masks = np.stack([_blocks(rng, grid.rows, grid.columns, hidden) for _ in range(batch)])
    return torch.from_numpy(masks.reshape(batch, places)).to(device).repeat(1, grid.frames)


def _blocks(rng: np.random.Generator, rows: int, columns: int, hidden: int) -> np.ndarray:
    """(rows, columns) bool with ``hidden`` places set."""
    mask = np.zeros((rows, columns), dtype=bool)
    smallest = max(1, min(_SMALLEST, hidden // 4))
    tries = 0
    while (left := hidden - int(mask.sum())) >= smallest and tries < _TRIES:
        tries += 1
        area, aspect = rng.uniform(smallest, left), math.exp(rng.uniform(-1, 1) * math.log(1 / _ASPECT))
        height, width = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if not (0 < height <= rows and 0 < width <= columns):
            continue
        top, start = rng.integers(rows - height + 1), rng.integers(columns - width + 1)
        block = mask[top : top + height, start : start + width]
        if 0 < int((~block).sum()) <= left:
            block[:] = True
            tries = 0
    rest = rng.permutation(np.flatnonzero(~mask))[: hidden - int(mask.sum())]
    mask.flat[rest] = True
    return mask


def _count_kept(places: int, ratio: float) -> int:
    kept = int(places * (1 - ratio))
    if not 0 < kept < places:
        raise ValueError(f'mask ratio {ratio} keeps {kept} of {places} patches; at least 1 must stay and 1 must go')
    return kept


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
