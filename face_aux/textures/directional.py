"""Patterns of edge directions: Kirsch's eight masks, LDP, LDPv and LDN.

Directions count from the east on counter-clockwise: E, NE, N, NW, W, SW, S, SE are bits 0 to 7. Responses are exact
integers in int16 (shifted sums, no convolution), so autocast does not touch them. Outside the image is 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from face_aux.textures.circle import check_images
from face_aux.textures.histograms import block_histograms
from face_aux.textures.tiles import Tile, cut_tiles

DIRECTIONS = ('E', 'NE', 'N', 'NW', 'W', 'SW', 'S', 'SE')
_OFFSETS = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))
MAX_RESPONSE = 15 * 255


def kirsch_responses(images: torch.Tensor) -> torch.Tensor:
    """Responses to Kirsch's eight 3x3 masks, by cross-correlation.

    Mask i weighs the three neighbours towards direction i with 5 and the other five with -3.

    Args:
        images: (N, H, W) uint8.

    Returns:
        (N, 8, H, W) int16, from -3825 to 3825; the eight of a pixel sum up to 0.
    """
    images = check_images(images)
    n, height, width = images.shape
    responses = torch.empty((n, 8, height, width), dtype=torch.int16, device=images.device)
    for part, rows in cut_tiles(images, 1):
        for i, response in enumerate(_kirsch(images, (part, rows))):
            responses[part, i, rows] = response
    return responses


def local_directional_pattern(images: torch.Tensor, k: int = 3, ties: str = 'all') -> torch.Tensor:
    """Local directional pattern (Jabid, Kabir & Chae 2010): which k edge responses are the strongest.

    Args:
        images: (N, H, W) uint8.
        k: How many of the eight absolute responses count, 1 to 8.
        ties: What happens where responses tie at rank k:

            - ``'all'``: every response at least as large as the k-th largest sets its bit, as the paper's equation
              has it. More than k bits may be set; a flat area gives 255.
            - ``'first'``: exactly k bits are set, ties going to the lowest direction; a flat area gives 2**k - 1.

    Returns:
        (N, H, W) uint8.

    Raises:
        ValueError: Wrong input, k or ties.
    """
    images = check_images(images)
    if not 1 <= k <= 8:
        raise ValueError(f'k must be 1 to 8, but got {k}')
    if ties not in ('all', 'first'):
        raise ValueError(f"ties must be 'all' or 'first', but got {ties!r}")
    codes = torch.empty(images.shape, dtype=torch.uint8, device=images.device)
    for tile in cut_tiles(images, 1):
        keys = [response.abs_() for response in _kirsch(images, tile)]
        if ties == 'first':
            keys = _tie_free(keys)
        kth = _kth_largest(keys, k)
        code = codes[tile].zero_()
        for i in range(8):
            code.add_((keys[i] >= kth).view(torch.uint8), alpha=1 << i)
    return codes


def local_directional_pattern_variance(
    images: torch.Tensor, k: int = 3, grid: tuple[int, int] = (1, 1), ties: str = 'all'
) -> torch.Tensor:
    """LDPv histograms (Kabir, Jabid & Chae 2010): LDP codes, each pixel counted with the variance of its responses.

    The variance is that of the eight signed responses, whose mean is always 0.

    Args:
        images: (N, H, W) uint8.
        k: See :func:`local_directional_pattern`.
        grid: Rows and columns of blocks.
        ties: See :func:`local_directional_pattern`.

    Returns:
        (N, rows, columns, 256) float64.
    """
    images = check_images(images)
    codes = local_directional_pattern(images, k, ties)
    variances = torch.empty(images.shape, dtype=torch.float64, device=images.device)
    for tile in cut_tiles(images, 1):
        variances[tile] = sum(response.double().square_() for response in _kirsch(images, tile)) / 8
    return block_histograms(codes, 256, grid, weights=variances)


def local_directional_number(images: torch.Tensor) -> torch.Tensor:
    """Local directional number (Ramirez Rivera et al. 2013): direction of the largest and of the smallest response.

    The code is 8 * argmax + argmin over the signed Kirsch responses; ties go to the lowest direction, so a flat area
    gives 0, which is no code of a pixel with an edge.

    Args:
        images: (N, H, W) uint8.

    Returns:
        (N, H, W) uint8, 0 to 62.
    """
    images = check_images(images)
    codes = torch.empty(images.shape, dtype=torch.uint8, device=images.device)
    for tile in cut_tiles(images, 1):
        responses = _kirsch(images, tile)
        largest = 7 - (_kth_largest(_tie_free(responses), 1) & 7)
        smallest = 7 - (_kth_largest(_tie_free([-response for response in responses]), 1) & 7)
        codes[tile] = 8 * largest + smallest
    return codes


def _kirsch(images: torch.Tensor, tile: Tile) -> list[torch.Tensor]:
    """Responses of one tile, one (n, h, W) int16 plane a direction."""
    part, rows = tile
    height, width = images.shape[1:]
    top, bottom = max(0, rows.start - 1), min(height, rows.stop + 1)
    inside = images[part, top:bottom].to(torch.int16)
    padded = F.pad(inside, (1, 1, top - rows.start + 1, rows.stop + 1 - bottom))
    h = rows.stop - rows.start
    ring = [padded[:, 1 + dr : 1 + dr + h, 1 + dc : 1 + dc + width] for dr, dc in _OFFSETS]
    total = ring[0] + ring[1]
    for neighbour in ring[2:]:
        total += neighbour
    total *= -3
    responses = []
    for i in range(8):
        side = ring[i - 1] + ring[i]
        side += ring[(i + 1) % 8]
        responses.append(side.mul_(8).add_(total))
    return responses


def _tie_free(responses: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Keys in the order of the responses, equal ones in falling order of direction; ``7 - (key & 7)`` is that.

    int16 in and out: 8 * 3825 + 7 still fits.
    """
    return [response * 8 + (7 - i) for i, response in enumerate(responses)]


def _kth_largest(planes: Sequence[torch.Tensor], k: int) -> torch.Tensor:
    """The k-th largest of eight planes, by k bubbling passes: many times faster than sorting eight values a pixel."""
    for last in range(k):
        largest = planes[0]
        rest = []
        for plane in planes[1:]:
            if last < k - 1:
                rest.append(torch.minimum(largest, plane))
            largest = torch.maximum(largest, plane)
        planes = rest
    return largest
