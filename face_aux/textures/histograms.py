"""Histograms of pattern codes over the blocks of a grid."""

from __future__ import annotations

import torch


def block_histograms(
    codes: torch.Tensor,
    bins: int,
    grid: tuple[int, int] = (1, 1),
    weights: torch.Tensor | None = None,
    norm: str = 'none',
) -> torch.Tensor:
    """Histogram of the codes of each block.

    Row y belongs to block row ``y * rows // H`` (columns alike), so a grid need not divide the image.

    Args:
        codes: (N, H, W) integer codes, 0 to ``bins`` - 1.
        bins: Number of codes.
        grid: Rows and columns of blocks.
        weights: (N, H, W), what each pixel counts; 1 by default.
        norm: ``'none'``, ``'l1'`` (the bins of a block sum up to 1) or ``'l2'``. An empty block stays 0.

    Returns:
        (N, rows, columns, bins) float64.

    Raises:
        ValueError: A code out of range, more blocks than pixels, or an unknown norm.
    """
    if codes.dim() != 3 or codes.is_floating_point():
        raise ValueError(f'codes must be (N, H, W) integers, but got {tuple(codes.shape)} {codes.dtype}')
    if norm not in ('none', 'l1', 'l2'):
        raise ValueError(f"norm must be 'none', 'l1' or 'l2', but got {norm!r}")
    if weights is not None and weights.shape != codes.shape:
        raise ValueError(f'weights must have the shape of codes {tuple(codes.shape)}, but got {tuple(weights.shape)}')
    n, height, width = codes.shape
    rows, columns = grid
    if not (1 <= rows <= height and 1 <= columns <= width):
        raise ValueError(f'grid must be (1, 1) to ({height}, {width}) for these images, but got {grid}')
    if codes.numel() and (int(codes.min()) < 0 or int(codes.max()) >= bins):
        raise ValueError(f'codes must be 0 to {bins - 1}, but reach from {int(codes.min())} to {int(codes.max())}')
    row = torch.arange(height, device=codes.device) * rows // height
    column = torch.arange(width, device=codes.device) * columns // width
    image = torch.arange(n, device=codes.device)
    block = (image[:, None, None] * rows + row[:, None]) * columns + column  # (N, H, W)
    counts = torch.ones(codes.shape, dtype=torch.float64, device=codes.device) if weights is None else weights.double()
    histogram = torch.zeros(n * rows * columns * bins, dtype=torch.float64, device=codes.device)
    histogram.scatter_add_(0, (block * bins + codes).reshape(-1), counts.reshape(-1))
    histogram = histogram.view(n, rows, columns, bins)
    if norm == 'none':
        return histogram
    length = histogram.norm(p=1 if norm == 'l1' else 2, dim=-1, keepdim=True)
    return histogram / torch.where(length > 0, length, 1.0)
