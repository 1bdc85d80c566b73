"""Local binary patterns and their relatives that compare grey values on a circle."""

from __future__ import annotations

from functools import lru_cache

import torch

from face_aux.textures.circle import CircleSampler, check_images, circle_offsets
from face_aux.textures.tiles import cut_tiles

LBP_METHODS = ('default', 'ror', 'uniform', 'nri_uniform')
_TABLE_POINTS = 16  # up to here labels are looked up in a table of all 2**P codes
_TIE = 1e-11  # interpolated grey values are multiples of 1e-10, their rounding errors below 1e-12


def local_binary_pattern(
    images: torch.Tensor, P: int, R: float, method: str = 'default', *, interpolation: str = 'bilinear'
) -> torch.Tensor:
    """Local binary pattern of each pixel (Ojala et al. 2002), bit for bit as scikit-image computes it.

    Bit i is set where the i-th point of the circle is at least as bright as the centre: a tie sets the bit. Points
    count from the east on counter-clockwise; outside the image is 0.

    Args:
        images: (N, H, W) uint8.
        P: Number of points on the circle, 1 to 31.
        R: Radius of the circle in pixels.
        method: How a pattern becomes a label:

            - ``'default'``: the P bits, point i with weight 2**i.
            - ``'ror'``: the smallest value among the P rotations of the bits.
            - ``'uniform'``: number of set bits where they change at most twice around the circle, else P + 1.
            - ``'nri_uniform'``: one label per uniform pattern, P (P - 1) + 2 for all others (59 labels with P = 8).
        interpolation: ``'bilinear'``, or ``'nearest'`` for whole pixels; (8, 1) is then the classic 3x3 pattern.

    Returns:
        (N, H, W) labels, uint8 where they fit and int32 otherwise.

    Raises:
        ValueError: The input is not (N, H, W) uint8, or P, R, method or interpolation is not one of the above.
    """
    images = check_images(images)
    if method not in LBP_METHODS:
        raise ValueError(f'method must be one of {LBP_METHODS}, but got {method!r}')
    codes = torch.empty(images.shape, dtype=_code_dtype(2**P), device=images.device)
    sampler = CircleSampler(images, circle_offsets(P, R, interpolation))
    for tile in cut_tiles(images, sampler.margin):
        sampler.load(tile)
        code, center = codes[tile].zero_(), sampler.center_grey
        bit = torch.empty(code.shape, dtype=torch.bool, device=code.device)
        bit_as_number = bit.view(torch.uint8)
        for i in range(P):
            torch.ge(sampler.whole_point(i), center, out=bit)
            code.add_(bit_as_number, alpha=1 << i)
    return codes if method == 'default' else _label(codes, P, method)


def local_ternary_pattern(
    images: torch.Tensor, P: int = 8, R: float = 1.0, threshold: float = 5.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Local ternary pattern (Tan & Triggs 2010) as its two binary maps.

    A point is +1 where it is at least ``threshold`` brighter than the centre, -1 where it is at least ``threshold``
    darker, else 0: a difference of exactly the threshold counts as different.

    Args:
        images: (N, H, W) uint8.
        P: Number of points on the circle, 1 to 31.
        R: Radius of the circle in pixels.
        threshold: Grey levels, above 0.

    Returns:
        Upper and lower codes, each (N, H, W); bit i of ``upper`` is set where point i is +1, of ``lower`` where -1.
    """
    images = check_images(images)
    if not threshold > 0:
        raise ValueError(f'threshold must be above 0 grey levels, but got {threshold}')
    upper = torch.zeros(images.shape, dtype=_code_dtype(2**P), device=images.device)
    lower = torch.zeros_like(upper)
    sampler = CircleSampler(images, circle_offsets(P, R))
    for tile in cut_tiles(images, sampler.margin):
        sampler.load(tile)
        for i in range(P):
            difference = sampler.point(i) - sampler.center
            upper[tile].add_((difference >= threshold - _TIE).view(torch.uint8), alpha=1 << i)
            lower[tile].add_((difference <= _TIE - threshold).view(torch.uint8), alpha=1 << i)
    return upper, lower


def center_symmetric_lbp(images: torch.Tensor, P: int = 8, R: float = 1.0, threshold: float = 2.55) -> torch.Tensor:
    """Centre-symmetric local binary pattern (Heikkilä et al. 2009): opposite points compared with each other.

    Bit i, for i < P / 2, is set where point i is more than ``threshold`` brighter than point i + P / 2; a difference
    of exactly the threshold does not set it, so flat areas are 0.

    Args:
        images: (N, H, W) uint8.
        P: Number of points on the circle, even, 2 to 30.
        R: Radius of the circle in pixels.
        threshold: Grey levels, 0 or more; the default is 1% of the range.

    Returns:
        (N, H, W) codes, 2**(P / 2) of them.
    """
    images = check_images(images)
    if P % 2:
        raise ValueError(f'P must be even, each point needs an opposite one, but got {P}')
    if threshold < 0:
        raise ValueError(f'threshold must be 0 grey levels or more, but got {threshold}')
    codes = torch.zeros(images.shape, dtype=_code_dtype(2 ** (P // 2)), device=images.device)
    sampler = CircleSampler(images, circle_offsets(P, R))
    for tile in cut_tiles(images, sampler.margin):
        sampler.load(tile)
        for i in range(P // 2):
            difference = sampler.point(i).clone().sub_(sampler.point(i + P // 2))
            codes[tile].add_((difference > threshold + _TIE).view(torch.uint8), alpha=1 << i)
    return codes


def _code_dtype(count: int) -> torch.dtype:
    return torch.uint8 if count <= 256 else torch.int32


def n_labels(P: int, method: str) -> int:
    """Number of different labels that ``local_binary_pattern`` can give (the largest label + 1)."""
    return {'default': 2**P, 'ror': 2**P, 'uniform': P + 2, 'nri_uniform': P * (P - 1) + 3}[method]


def _label(codes: torch.Tensor, P: int, method: str) -> torch.Tensor:
    dtype = _code_dtype(n_labels(P, method))
    if P <= _TABLE_POINTS:
        table = _label_table(P, method).to(device=codes.device, dtype=dtype)
        return table.index_select(0, codes.reshape(-1).int()).view(codes.shape)
    return _compute_labels(codes, P, method).to(dtype)


@lru_cache(maxsize=32)
def _label_table(P: int, method: str) -> torch.Tensor:
    return _compute_labels(torch.arange(2**P, dtype=torch.int32), P, method)


def _compute_labels(codes: torch.Tensor, P: int, method: str) -> torch.Tensor:
    """Labels of int32 ``codes`` by bit arithmetic."""
    if method == 'ror':
        smallest = rotated = codes
        for _ in range(P - 1):
            rotated = (rotated >> 1) | ((rotated & 1) << (P - 1))
            smallest = torch.minimum(smallest, rotated)
        return smallest
    ones = _count_bits(codes, P)
    changes = _count_bits(codes ^ (codes >> 1), P - 1)  # not around the end, which never decides "at most 2"
    if method == 'uniform':
        return torch.where(changes <= 2, ones, P + 1)
    first_one = _count_bits((codes & -codes) - 1, P)
    first_zero = _count_bits((~codes & (codes + 1)) - 1, P)
    rotation = torch.where(first_one == 0, ones - first_zero, P - first_one)
    labels = torch.where(ones == 0, 0, 1 + (ones - 1) * P + rotation)
    labels = torch.where(ones == P, P * (P - 1) + 1, labels)
    return torch.where(changes <= 2, labels, P * (P - 1) + 2)


def _count_bits(values: torch.Tensor, bits: int) -> torch.Tensor:
    count = torch.zeros_like(values)
    for i in range(bits):
        count += (values >> i) & 1
    return count
