"""Histograms of oriented gradients (Dalal & Triggs 2005), the target of MaskFeat, as a batched operator."""

from __future__ import annotations

import math

import torch

from face_aux.textures.histograms import block_histograms

_EPSILON = 1e-5  # scikit-image's


def oriented_gradients(images: torch.Tensor, cell: int | tuple[int, int], bins: int = 9) -> torch.Tensor:
    """Histogram of gradient directions of each cell, of length 1, as scikit-image computes it for blocks of one cell.

    The gradient is the difference of the two neighbours along each axis, 0 at the image's rim; of a colour image the
    channel with the largest gradient counts at each pixel. Directions are unsigned, 0 to 180 degrees; each pixel counts
    its gradient's length, in one bin. (MaskFeat takes Sobel's gradients of each channel; Wei et al. 2022.)

    Args:
        images: (N, 3, H, W) or grey (N, H, W), uint8.
        cell: Height and width of a cell in pixels; both must divide the image's.
        bins: Number of directions.

    Returns:
        (N, H / cell, W / cell, bins) float32; a cell without any gradient is 0.

    Raises:
        ValueError: The input is not uint8, or cells do not fill the image.

    Example:
        >>> ramp = torch.arange(8, dtype=torch.uint8).expand(1, 8, 8)
        >>> oriented_gradients(ramp, 4, bins=3)[0, 0, 0]
        tensor([1., 0., 0.])
    """
    height, width = (cell, cell) if isinstance(cell, int) else cell
    if images.dtype != torch.uint8 or images.dim() not in (3, 4):
        raise ValueError(f'images must be (N, 3, H, W) or (N, H, W) uint8, got {tuple(images.shape)} {images.dtype}')
    if images.shape[-2] % height or images.shape[-1] % width:
        raise ValueError(f'cells of {height} x {width} pixels do not fill an image of {tuple(images.shape[-2:])}')
    rows, columns = _differences(images if images.dim() == 4 else images[:, None])
    angles = torch.atan2(rows, columns).mul_(180 / math.pi).remainder_(180)
    index = angles.mul_(bins / 180).floor_().long() % bins
    grid = (images.shape[-2] // height, images.shape[-1] // width)
    histogram = block_histograms(index, bins, grid, weights=torch.hypot(rows, columns)) / (height * width)
    return (histogram / (histogram.square().sum(dim=-1, keepdim=True) + _EPSILON**2).sqrt()).float()


def _differences(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradient along rows and columns of the strongest channel, float64 (N, H, W) each."""
    grey = images.double()
    rows, columns = torch.zeros_like(grey), torch.zeros_like(grey)
    rows[..., 1:-1, :] = grey[..., 2:, :] - grey[..., :-2, :]
    columns[..., 1:-1] = grey[..., 2:] - grey[..., :-2]
    strongest = torch.hypot(rows, columns).argmax(dim=1, keepdim=True)
    return rows.gather(1, strongest)[:, 0], columns.gather(1, strongest)[:, 0]
