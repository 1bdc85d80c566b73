"""Cutting a batch of images into tiles that stay in a core's cache.

The operators are chains of some forty elementwise operations. Over a whole batch each of them would go through main
memory, and torch would wake its threads and wait for them in each; on a machine that does other work as well that
takes longer than it saves. A tile is too small for either.
"""

from __future__ import annotations

import torch

Tile = tuple[slice, slice]  # images of the batch, rows of each
_CPU_TILE = 32767  # pixels; from 32768 on torch shares a single operation out among threads
_GPU_TILE = 1 << 22


def cut_tiles(images: torch.Tensor, margin: int) -> list[Tile]:
    """Tiles of a batch (N, H, W): several whole images each, or a strip of a large one.

    Args:
        images: (N, H, W).
        margin: Rows and columns around a tile that are needed with it; they count to its size.
    """
    n, height, width = images.shape
    if images.numel() == 0:
        return []
    limit = _CPU_TILE if images.device.type == 'cpu' else _GPU_TILE
    width += 2 * margin
    count = max(1, limit // ((height + 2 * margin) * width))
    strips = -(-height // max(1, limit // width - 2 * margin))
    rows = -(-height // strips)
    return [
        (slice(image, min(image + count, n)), slice(row, min(row + rows, height)))
        for image in range(0, n, count)
        for row in range(0, height, rows)
    ]
