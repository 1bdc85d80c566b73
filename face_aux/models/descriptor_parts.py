"""Fixed descriptors of a whole image, side by side: what was known to tell faces apart before networks learned it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from bmoe_ground.errors import UserError
from face_aux.models.targets import Pattern
from face_aux.textures import block_histograms, hog_features, texture_names


class HogPart(nn.Module):
    """Histograms of oriented gradients, :func:`face_aux.textures.hog_features`.

    Args:
        cell: Side of a cell in pixels of the reduced image.
        block: Side of a block in cells.
        bins: Number of directions.
        shrink: Reduce the image by this whole number first.
    """

    exportable = True

    def __init__(self, cell: int = 8, block: int = 2, bins: int = 9, shrink: int = 1) -> None:
        super().__init__()
        self.cell, self.block, self.bins, self.shrink = cell, block, bins, shrink

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W), whole numbers from 0 to 255, to (N, values) float32."""
        return hog_features(images, self.cell, self.block, self.bins)


class PatternPart(nn.Module):
    """Histograms of a texture pattern's codes over a grid of cells, the square roots of their shares.

    The root makes the difference of two histograms count as Hellinger's distance, in which rare codes are heard.

    Args:
        name: One of :func:`face_aux.textures.texture_names`.
        cells: Cells along each side of the image.
        shrink: Reduce the image by this whole number first.
        **options: The pattern's, ``method='nri_uniform'`` for LBP among them.
    """

    exportable = False

    def __init__(self, name: str, cells: int = 8, shrink: int = 1, **options: Any) -> None:
        super().__init__()
        self.pattern, self.cells, self.shrink = Pattern(name, **options), cells, shrink

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W), whole numbers from 0 to 255, to (N, values) float32."""
        codes = self.pattern.codes(images.to(torch.uint8)[:, :, None])[:, 0].long()
        shares = block_histograms(codes, self.pattern.labels, (self.cells, self.cells), norm='l1')
        return shares.sqrt().flatten(1).float()


class ColourPart(nn.Module):
    """The means of red, green and blue over a grid of cells, from 0 to 1.

    Args:
        cells: Cells along each side of the image, which they must divide.
        shrink: Reduce the image by this whole number first.
    """

    exportable = True

    def __init__(self, cells: int = 8, shrink: int = 1) -> None:
        super().__init__()
        self.cells, self.shrink = cells, shrink

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W), whole numbers from 0 to 255, to (N, values) float32."""
        side = images.shape[-1]
        if side % self.cells:
            raise ValueError(f'{self.cells} cells do not divide a side of {side} pixels')
        return F.avg_pool2d(images.float() / 255, side // self.cells).flatten(1)


class ImageDescriptor(nn.Module):
    """Several descriptors of an image, one after the other.

    Args:
        size: Side of the square image in pixels.
        parts: Each ``dict(type='HOG', ...)`` with the options of :class:`HogPart`, ``dict(type='LBP', ...)`` or another
            pattern with those of :class:`PatternPart`, or ``dict(type='RGB', ...)`` with those of :class:`ColourPart`.
        mirror: Take the mean of the image's and its mirror image's. What is linear in it then answers both alike, as
            one does that was trained on both.

    Raises:
        UserError: There is no part, or one is described wrongly or does not fit the size.
    """

    parts: Any  # ModuleList of parts

    def __init__(self, size: int, parts: Sequence[Mapping[str, Any]], mirror: bool = True) -> None:
        super().__init__()
        if not parts:
            raise UserError("the model describes nothing; give descriptors=[dict(type='HOG', cell=8)]")
        self.size, self.mirror = size, mirror
        self.parts = nn.ModuleList(make_part(options, size) for options in parts)
        blank = torch.zeros(1, 3, size, size)
        self.widths: list[int] = []
        for options, part in zip(parts, self.parts, strict=True):
            try:
                self.widths.append(part(reduced(blank, part.shrink)).shape[1])
            except (ValueError, RuntimeError) as error:
                raise UserError(f'descriptors: {dict(options)} does not fit {size} x {size} pixels: {error}') from error

    @property
    def num_features(self) -> int:
        """Values of all parts together."""
        return sum(self.widths)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(N, 3, size, size), whole numbers from 0 to 255, to (N, :attr:`num_features`) float32."""
        found = self._describe(images)
        return (found + self._describe(images.flip(-1))) / 2 if self.mirror else found

    def _describe(self, images: torch.Tensor) -> torch.Tensor:
        return torch.cat([part(reduced(images, part.shrink)) for part in self.parts], dim=1)

    def not_exportable(self) -> list[str]:
        """Names of the parts that cannot become ONNX."""
        return [part.pattern.name for part in self.parts if not part.exportable]


def make_part(options: Mapping[str, Any], size: int) -> Any:
    """Build one part.

    Args:
        options: See :class:`ImageDescriptor`.
        size: Side of the image.

    Raises:
        UserError: No part has that name, or it does not take the options.
    """
    if not isinstance(options, Mapping):
        raise UserError(f"descriptors: expected dict(type='HOG', ...), but got {options!r}")
    given = dict(options)
    name, shrink = given.pop('type', None), given.get('shrink', 1)
    if not isinstance(shrink, int) or shrink < 1 or size % shrink:
        raise UserError(f'descriptors: shrink={shrink!r} must be a whole number that divides {size} pixels')
    known = ('HOG', 'RGB', *texture_names())
    if name not in known:
        raise UserError(f'descriptors: unknown type {name!r}; there are {", ".join(known)}')
    try:
        if name == 'HOG':
            return HogPart(**given)
        return ColourPart(**given) if name == 'RGB' else PatternPart(name, **given)
    except TypeError as error:
        raise UserError(f'descriptors: {name}: {error}') from error


def reduced(images: torch.Tensor, factor: int) -> torch.Tensor:
    """(N, 3, H, W) whole numbers at 1 / ``factor`` of height and width, by rounded means over squares of pixels."""
    return images if factor == 1 else F.avg_pool2d(images, factor).round()


def deviations(features: torch.Tensor, widths: Sequence[int]) -> torch.Tensor:
    """What to divide descriptors by: one value each, so that all have as much to say and their weak values stay weak.

    Args:
        features: (N, D), their mean subtracted.
        widths: How many values each descriptor has, D in all.

    Returns:
        (D,).
    """
    parts = features.split(list(widths), dim=1)
    sizes = [part.square().sum(dim=1).mean().sqrt().clamp(min=1e-6) for part in parts]
    return torch.cat([size.expand(width) for size, width in zip(sizes, widths, strict=True)])


def whole_pixels(inputs: torch.Tensor, mean: Sequence[float], std: Sequence[float]) -> torch.Tensor:
    """Normalised inputs (N, 3, H, W) as the whole numbers from 0 to 255 that they came from, float32."""
    center = torch.tensor(mean, device=inputs.device).view(3, 1, 1)
    scale = torch.tensor(std, device=inputs.device).view(3, 1, 1)
    return ((inputs.float() * scale + center) * 255).round().clamp(0, 255)
