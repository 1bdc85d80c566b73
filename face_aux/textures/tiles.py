"""Cutting a batch of images into tiles that stay in a core's cache, and sharing the tiles out among threads.

The operators are chains of some forty elementwise operations. Left to torch, each of them would wake its threads and
wait for them anew; instead each thread takes whole tiles, too small for torch to split further.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import torch

Tile = tuple[slice, slice]  # images of the batch, rows of each
Worker = Callable[[Tile], None]
_CPU_TILE = 32767  # pixels; from 32768 on torch shares a single operation out
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


def for_each_tile(images: torch.Tensor, margin: int, make_worker: Callable[[], Worker]) -> None:
    """Have every tile of ``images`` worked on, by as many threads as torch is set to use.

    Args:
        images: (N, H, W).
        margin: See :func:`cut_tiles`.
        make_worker: Called once a thread; gives what works on one tile and may keep buffers from tile to tile.
    """
    tiles = cut_tiles(images, margin)
    threads = min(torch.get_num_threads(), len(tiles)) if images.device.type == 'cpu' else 1
    inference = torch.is_inference_mode_enabled()  # a property of the thread

    def work_off(remaining: Iterable[Tile]) -> None:
        with torch.inference_mode(inference):
            worker = make_worker()
            for tile in remaining:
                worker(tile)

    if threads <= 1:
        work_off(tiles)
        return
    shared = iter(tiles)
    with ThreadPoolExecutor(threads) as pool:
        for finished in [pool.submit(work_off, shared) for _ in range(threads)]:
            finished.result()
