"""What the decoder is to reconstruct: colours, gradients, or a view of a texture pattern. None needs a gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F

from bmoe_ground.errors import UserError
from face_aux.models.patches import Patch, grid_of, patch_statistics, patchify
from face_aux.textures import DESCRIPTORS, get_descriptor, kirsch_responses, oriented_gradients, to_gray
from face_aux.textures.directional import MAX_RESPONSE
from face_aux.textures.table import RESERVED

KINDS = ('codes', 'planes', 'kirsch', 'histogram')
_HOG_BINS = 9


class Pattern:
    """A texture pattern by its name in a variant string.

    Args:
        name: One of :func:`face_aux.textures.texture_names`.
        **options: Arguments of its operator, beyond those in :data:`face_aux.textures.DESCRIPTORS`.

    Raises:
        UserError: The name is unknown, or the operator does not take the options.
    """

    def __init__(self, name: str, **options: Any) -> None:
        descriptor = get_descriptor(name)
        options = {**descriptor.options, **options}
        self.name = name
        self._operator = partial(descriptor.operator, **options)
        try:
            codes = self._operator(torch.zeros(1, 3, 3, dtype=torch.uint8))
        except (TypeError, ValueError) as error:
            raise UserError(f'pattern {name}: {error}') from error
        if codes.shape != (1, 3, 3) or codes.is_floating_point():
            raise UserError(f'pattern {name}: expected integer codes (N, H, W), got {codes.dtype} of {codes.shape}')
        self.labels = descriptor.count_labels(options)

    def codes(self, source: torch.Tensor) -> torch.Tensor:
        """Codes of each frame: (B, 3, T, H, W) uint8 to (B, T, H, W)."""
        gray = frames_to_gray(source)
        return self._operator(gray.flatten(0, 1)).view(gray.shape)

    def image(self, source: torch.Tensor) -> torch.Tensor:
        """Codes as a grey picture with three equal channels, (B, 3, T, H, W) from 0 to 1."""
        return (self.codes(source).float() / (self.labels - 1))[:, None].expand(-1, 3, -1, -1, -1)


class Target:
    """A reconstruction target and its loss.

    Args:
        name: ``'RGB'``, ``'HOG'`` (:func:`face_aux.textures.oriented_gradients` of each cell, mean squared error, as in
            MaskFeat) or a pattern's name.
        kind: How a pattern is put to the decoder:

            - ``'codes'``: the code picture, codes / (labels - 1), one channel, mean squared error.
            - ``'planes'``: each bit of the code, binary cross entropy (codes are names, not quantities).
            - ``'kirsch'``: the eight absolute Kirsch responses, normalised by patch, mean squared error.
            - ``'histogram'``: the histogram of codes of each cell, cross entropy.
        norm_pix: Normalise each patch of an ``'RGB'`` or ``'codes'`` target by its own mean and deviation, as MAE may.
        mean: RGB mean, 0..1, of the ``'RGB'`` target.
        std: RGB standard deviation, 0..1.
        cells: Cells along each side of a patch, for histograms (1 by default) and HOG (2, as MaskFeat).
        shrink: Reduce the source by this whole number (means of squares of pixels) before the target is computed: what
            is finer than that is not asked for.
        **options: Options of the pattern.

    Raises:
        UserError: A description that is unknown or does not fit.
    """

    def __init__(
        self,
        name: str,
        kind: str = 'codes',
        norm_pix: bool = False,
        mean: Sequence[float] = (0.5, 0.5, 0.5),
        std: Sequence[float] = (0.5, 0.5, 0.5),
        cells: int | None = None,
        shrink: int = 1,
        **options: Any,
    ) -> None:
        if kind not in KINDS:
            raise UserError(f'auxiliary.kind must be one of {KINDS}, but got {kind!r}')
        for key, value in (('cells', 1 if cells is None else cells), ('shrink', shrink)):
            if not isinstance(value, int) or value < 1:
                raise UserError(f'auxiliary.{key} must be a whole number of at least 1, but got {value!r}')
        self.name = name
        self.kind = name.lower() if name in RESERVED else kind
        self.pattern = None if name in RESERVED else Pattern(name, **options)
        self.cells, self.shrink = cells or (2 if name == 'HOG' else 1), shrink
        if self.kind == 'kirsch' and not get_descriptor(name).edges:
            edges = ' or '.join(key for key, descriptor in DESCRIPTORS.items() if descriptor.edges)
            raise UserError(f"auxiliary.kind='kirsch' needs an edge pattern, {edges}, but the target is {name}")
        self.norm_pix = self.kind == 'kirsch' or (norm_pix and self.kind in ('rgb', 'codes'))
        self.mean, self.std = mean, std

    @property
    def channels(self) -> int:
        """Values a pixel, or a cell for histograms and HOG."""
        if self.pattern is None:
            return 3 if self.kind == 'rgb' else _HOG_BINS
        bits = (self.pattern.labels - 1).bit_length()
        return {'codes': 1, 'planes': bits, 'kirsch': 8, 'histogram': self.pattern.labels}[self.kind]

    @property
    def has_cells(self) -> bool:
        """Whether the target is a vector for each cell, which makes no picture."""
        return self.kind in ('histogram', 'hog')

    def patch_dim(self, patch: Patch) -> int:
        """Values a patch."""
        own = self.own_patch(patch)
        if self.kind == 'histogram':
            return self.channels * self.cells**2
        return self.channels * (own.frames * self.cells**2 if self.kind == 'hog' else own.pixels)

    def own_patch(self, patch: Patch) -> Patch:
        """A patch of the image in pixels of the target.

        Raises:
            UserError: It is no whole number of them, or of cells.
        """
        own = Patch(patch.frames, patch.height // self.shrink, patch.width // self.shrink)
        parts = self.cells if self.has_cells else 1
        if any(side % self.shrink or side // self.shrink % parts for side in patch[1:]):
            raise UserError(
                f'auxiliary: a patch of {patch.height} x {patch.width} pixels cannot be reduced by shrink={self.shrink}'
                f' and cut into {parts} x {parts} cells'
            )
        return own

    @torch.no_grad()
    def patches(self, source: torch.Tensor, patch: Patch) -> torch.Tensor:
        """The target of each patch.

        Args:
            source: (B, 3, T, H, W) uint8, before photometric augmentation.
            patch: Size of a patch.

        Returns:
            (B, tokens, :meth:`patch_dim`) float32.
        """
        own = self.own_patch(patch)
        source = shrunk(source, self.shrink)
        if self.kind == 'histogram':
            return self._histograms(source, own)
        if self.kind == 'hog':
            return self._gradients(source, own)
        values = patchify(self._maps(source), own)
        if self.norm_pix:
            mean, deviation = patch_statistics(values)
            values = (values - mean) / deviation
        return values

    def maps(self, source: torch.Tensor) -> torch.Tensor:
        """The target as float32 maps (B, :attr:`channels`, T, H / shrink, W / shrink), not normalised by patch."""
        return self._maps(shrunk(source, self.shrink))

    def _maps(self, source: torch.Tensor) -> torch.Tensor:
        if self.pattern is None:
            return normalize(source, self.mean, self.std)
        if self.kind == 'kirsch':
            gray = frames_to_gray(source)
            responses = kirsch_responses(gray.flatten(0, 1)).float().abs_() / MAX_RESPONSE
            return responses.unflatten(0, gray.shape[:2]).transpose(1, 2)
        codes = self.pattern.codes(source)
        if self.kind == 'planes':
            return torch.stack([(codes >> i) & 1 for i in range(self.channels)], dim=1).float()
        return codes[:, None].float() / (self.pattern.labels - 1)

    def _histograms(self, source: torch.Tensor, own: Patch) -> torch.Tensor:
        """(B, tokens, cells * cells * labels); a cell reaches over all frames of the patch."""
        assert self.pattern is not None  # mypy: only patterns have this kind
        cell = Patch(own.frames, own.height // self.cells, own.width // self.cells)
        grid = grid_of(source.shape, cell)
        codes = patchify(self.pattern.codes(source)[:, None], cell).long()
        counts = torch.zeros(*codes.shape[:2], self.channels, device=codes.device)
        counts.scatter_add_(2, codes, torch.ones_like(codes, dtype=torch.float32))
        by_cell = (counts / cell.pixels).unflatten(1, grid).permute(0, 4, 1, 2, 3)
        return patchify(by_cell, Patch(1, self.cells, self.cells))

    def _gradients(self, source: torch.Tensor, own: Patch) -> torch.Tensor:
        """(B, tokens, frames * cells * cells * bins)."""
        frames = source.transpose(1, 2).flatten(0, 1)
        gradients = oriented_gradients(frames, (own.height // self.cells, own.width // self.cells), _HOG_BINS)
        by_cell = gradients.unflatten(0, (source.shape[0], source.shape[2])).permute(0, 4, 1, 2, 3)
        return patchify(by_cell, Patch(own.frames, self.cells, self.cells))

    def loss(self, predicted: torch.Tensor, target: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Mean loss over the removed patches.

        Args:
            predicted: (B, tokens, values), logits for ``'planes'`` and ``'histogram'``.
            target: (B, tokens, values).
            mask: (B, tokens) bool, True where removed.

        Returns:
            Scalar, float32.
        """
        predicted = predicted.float()
        if self.kind == 'planes':
            by_patch = F.binary_cross_entropy_with_logits(predicted, target, reduction='none').mean(dim=-1)
        elif self.kind == 'histogram':
            cells = (-1, self.channels)
            logarithms = predicted.unflatten(-1, cells).log_softmax(dim=-1)
            by_patch = -(target.unflatten(-1, cells) * logarithms).sum(dim=-1).mean(dim=-1)
        else:
            by_patch = (predicted - target).square().mean(dim=-1)
        return (by_patch * mask).sum() / mask.sum()


def normalize(source: torch.Tensor, mean: Sequence[float], std: Sequence[float]) -> torch.Tensor:
    """(B, 3, T, H, W) uint8 to float32, ``(x / 255 - mean) / std``."""
    center = torch.tensor(mean, device=source.device).view(3, 1, 1, 1)
    scale = torch.tensor(std, device=source.device).view(3, 1, 1, 1)
    return (source.float() / 255 - center) / scale


def denormalize(inputs: torch.Tensor, mean: Sequence[float], std: Sequence[float]) -> torch.Tensor:
    """The inverse of :func:`normalize`, rounded and cut to uint8."""
    center = torch.tensor(mean, device=inputs.device).view(3, 1, 1, 1)
    scale = torch.tensor(std, device=inputs.device).view(3, 1, 1, 1)
    return ((inputs.float() * scale + center) * 255).round().clamp(0, 255).to(torch.uint8)


def frames_to_gray(source: torch.Tensor) -> torch.Tensor:
    """(B, 3, T, H, W) uint8 to grey (B, T, H, W) uint8."""
    frames = source.transpose(1, 2)
    return to_gray(frames.flatten(0, 1)).view(frames.shape[0], frames.shape[1], *frames.shape[3:])


def shrunk(source: torch.Tensor, factor: int) -> torch.Tensor:
    """(B, 3, T, H, W) uint8 at 1 / ``factor`` of its height and width, by rounded means over squares of pixels."""
    if factor == 1:
        return source
    means = F.avg_pool2d(source.transpose(1, 2).flatten(0, 1).float(), factor)
    return means.round_().to(torch.uint8).unflatten(0, (source.shape[0], source.shape[2])).transpose(1, 2)


def make_targets(
    names: Sequence[str],
    kind: str,
    norm_pix: bool,
    mean: Sequence[float],
    std: Sequence[float],
    options: Mapping[str, Mapping[str, Any]],
    cells: int | None = None,
    shrink: int = 1,
) -> dict[str, Target]:
    """Targets by name, each with its pattern's options."""
    return {name: Target(name, kind, norm_pix, mean, std, cells, shrink, **options.get(name, {})) for name in names}
