"""Cutting a batch of images into tiles that stay in the cores' caches.

The operators are chains of some forty elementwise operations; over a whole batch each of them would go through main
memory. With one torch thread a tile is just too small for torch to share an operation out; with more, each thread gets
about that much. Sharing out pays on an idle machine. On a busy one, where the threads wait for each other in every
operation, ``torch.set_num_threads(1)`` is several times faster.
"""

from __future__ import annotations

import torch

Tile = tuple[slice, slice]  # images of the batch, rows of each
_CPU_TILE = 32767  # pixels a thread; from 32768 on torch shares an operation out
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
    limit = _CPU_TILE * torch.get_num_threads() if images.device.type == 'cpu' else _GPU_TILE
    width += 2 * margin
    count = max(1, limit // ((height + 2 * margin) * width))
    strips = -(-height // max(1, limit // width - 2 * margin))
    rows = -(-height // strips)
    return [
        (slice(image, min(image + count, n)), slice(row, min(row + rows, height)))
        for image in range(0, n, count)
        for row in range(0, height, rows)
    ]
