"""Histograms of oriented gradients (Dalal & Triggs 2005), the target of MaskFeat, as a batched operator."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

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


def hog_features(images: torch.Tensor, cell: int, block: int = 2, bins: int = 9) -> torch.Tensor:
    """Histogram of oriented gradients of whole images, as ``skimage.feature.hog`` has it with ``'L2-Hys'`` blocks.

    Gradients and cells are those of :func:`oriented_gradients`; each block of cells is scaled to length 1, cut at 0.2
    and scaled again. Nothing but elementwise arithmetic and means over cells is used, so that it exports to ONNX.

    Args:
        images: (N, 3, H, W) or (N, 1, H, W), whole numbers from 0 to 255 of any type.
        cell: Side of a cell in pixels; it must divide height and width.
        block: Side of a block in cells.
        bins: Number of directions.

    Returns:
        (N, blocks down * blocks across * block * block * bins) float32.

    Raises:
        ValueError: Cells do not fill the image, or a block does not fit in.

    Example:
        >>> hog_features(torch.zeros(2, 3, 32, 32), cell=8).shape
        torch.Size([2, 324])
    """
    if images.dim() != 4:
        raise ValueError(f'images must be (N, C, H, W), got {tuple(images.shape)}')
    if images.shape[-2] % cell or images.shape[-1] % cell:
        raise ValueError(f'cells of {cell} x {cell} pixels do not fill an image of {tuple(images.shape[-2:])}')
    cells = _cell_histograms(images.float(), cell, bins)
    down, across = cells.shape[-2] - block + 1, cells.shape[-1] - block + 1
    if down < 1 or across < 1:
        raise ValueError(f'a block of {block} x {block} cells does not fit in {tuple(cells.shape[-2:])} cells')
    places = [(row, column) for row in range(block) for column in range(block)]
    blocks = torch.cat([cells[:, :, row : row + down, column : column + across] for row, column in places], dim=1)
    return _unit_length(_unit_length(blocks).clamp(max=0.2)).permute(0, 2, 3, 1).flatten(1)


def _cell_histograms(images: torch.Tensor, cell: int, bins: int) -> torch.Tensor:
    """(N, bins, H / cell, W / cell) mean gradient length by direction."""
    rows = F.pad(images[..., 2:, :] - images[..., :-2, :], (0, 0, 1, 1))
    columns = F.pad(images[..., 2:] - images[..., :-2], (1, 1))
    squares = rows * rows + columns * columns
    strongest = squares.argmax(dim=1, keepdim=True)
    rows, columns, squares = (each.gather(1, strongest) for each in (rows, columns, squares))
    down = (rows < 0) | ((rows == 0) & (columns < 0))  # directions are unsigned: turn it to 0 to 180 degrees
    rows, columns = torch.where(down, -rows, rows), torch.where(down, -columns, columns)
    index = torch.zeros_like(rows)
    for i in range(1, bins):  # how many of the bins' borders lie below; arctan2 would be slower and is not in ONNX
        angle = math.pi * i / bins
        index = index + (math.cos(angle) * rows - math.sin(angle) * columns >= 0).float()
    lengths = squares.sqrt()
    return torch.cat([F.avg_pool2d(lengths * (index == i), cell) for i in range(bins)], dim=1)


def _unit_length(blocks: torch.Tensor) -> torch.Tensor:
    return blocks / (blocks.square().sum(dim=1, keepdim=True) + _EPSILON**2).sqrt()


def _differences(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradient along rows and columns of the strongest channel, float64 (N, H, W) each."""
    grey = images.double()
    rows, columns = torch.zeros_like(grey), torch.zeros_like(grey)
    rows[..., 1:-1, :] = grey[..., 2:, :] - grey[..., :-2, :]
    columns[..., 1:-1] = grey[..., 2:] - grey[..., :-2]
    strongest = torch.hypot(rows, columns).argmax(dim=1, keepdim=True)
    return rows.gather(1, strongest)[:, 0], columns.gather(1, strongest)[:, 0]
