"""Images and clips as rows of patches, and back."""

from __future__ import annotations

from typing import NamedTuple

import torch


class Patch(NamedTuple):
    """Size of a patch; an image is a clip of one frame."""

    frames: int
    height: int
    width: int

    @property
    def pixels(self) -> int:
        """Pixels in the patch, over all its frames."""
        return self.frames * self.height * self.width


class Grid(NamedTuple):
    """Number of patches along time, height and width; tokens run over width first, then height, then time."""

    frames: int
    rows: int
    columns: int

    @property
    def tokens(self) -> int:
        """Number of patches."""
        return self.frames * self.rows * self.columns


def grid_of(shape: torch.Size | tuple[int, ...], patch: Patch) -> Grid:
    """The grid of patches of (..., T, H, W) pixels.

    Raises:
        ValueError: A side is no multiple of the patch's.
    """
    sides = tuple(shape[-3:])
    if any(side % size for side, size in zip(sides, patch, strict=True)):
        raise ValueError(f'(T, H, W) = {sides} must be multiples of the patch {tuple(patch)}')
    return Grid(*(side // size for side, size in zip(sides, patch, strict=True)))


def patchify(maps: torch.Tensor, patch: Patch) -> torch.Tensor:
    """Cut maps into patches.

    Args:
        maps: (B, C, T, H, W).
        patch: Size of a patch.

    Returns:
        (B, tokens, frames * height * width * C), channels last within a patch.
    """
    grid = grid_of(maps.shape, patch)
    b, c = maps.shape[:2]
    x = maps.reshape(b, c, grid.frames, patch.frames, grid.rows, patch.height, grid.columns, patch.width)
    x = x.permute(0, 2, 4, 6, 3, 5, 7, 1)  # (B, grid of 3, patch of 3, C)
    return x.reshape(b, grid.tokens, patch.pixels * c)


def unpatchify(patches: torch.Tensor, grid: Grid, patch: Patch) -> torch.Tensor:
    """Put patches together again, the inverse of :func:`patchify`.

    Args:
        patches: (B, tokens, frames * height * width * C).
        grid: Number of patches along each axis.
        patch: Size of a patch.

    Returns:
        (B, C, T, H, W).
    """
    b, tokens, dim = patches.shape
    if tokens != grid.tokens or dim % patch.pixels:
        raise ValueError(f'{tokens} patches of {dim} values do not make a grid {tuple(grid)} of patches {tuple(patch)}')
    x = patches.reshape(b, *grid, *patch, dim // patch.pixels).permute(0, 7, 1, 4, 2, 5, 3, 6)
    sides = [count * size for count, size in zip(grid, patch, strict=True)]
    return x.reshape(b, dim // patch.pixels, *sides)


def expand_mask(mask: torch.Tensor, grid: Grid, patch: Patch) -> torch.Tensor:
    """A mask of patches (B, tokens) as a mask of pixels (B, 1, T, H, W)."""
    pixels = mask.view(-1, 1, *grid)
    for axis, size in zip((2, 3, 4), patch, strict=True):
        pixels = pixels.repeat_interleave(size, axis)
    return pixels


def patch_statistics(patches: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation of each patch's values, (B, tokens, 1) each; MAE's unbiased variance plus 1e-6."""
    return patches.mean(dim=-1, keepdim=True), (patches.var(dim=-1, keepdim=True) + 1e-6).sqrt()
