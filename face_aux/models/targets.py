"""What the decoder is to reconstruct: colours, or one of four views of a texture pattern. None needs a gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F

from bmoe_ground.errors import UserError
from face_aux.models.patches import Patch, patch_statistics, patchify
from face_aux.textures import DESCRIPTORS, get_descriptor, kirsch_responses, to_gray
from face_aux.textures.directional import MAX_RESPONSE

KINDS = ('codes', 'planes', 'kirsch', 'histogram')


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
        name: ``'RGB'`` or a pattern's name.
        kind: How a pattern is put to the decoder:

            - ``'codes'``: the code picture, codes / (labels - 1), one channel, mean squared error.
            - ``'planes'``: each bit of the code, binary cross entropy (codes are names, not quantities).
            - ``'kirsch'``: the eight absolute Kirsch responses, normalised by patch, mean squared error.
            - ``'histogram'``: the histogram of codes of each patch, cross entropy.
        norm_pix: Normalise each patch of an ``'RGB'`` or ``'codes'`` target by its own mean and deviation, as MAE may.
        mean: RGB mean, 0..1, of the ``'RGB'`` target.
        std: RGB standard deviation, 0..1.
        **options: Options of the pattern.
    """

    def __init__(
        self,
        name: str,
        kind: str = 'codes',
        norm_pix: bool = False,
        mean: Sequence[float] = (0.5, 0.5, 0.5),
        std: Sequence[float] = (0.5, 0.5, 0.5),
        **options: Any,
    ) -> None:
        if kind not in KINDS:
            raise UserError(f'auxiliary.kind must be one of {KINDS}, but got {kind!r}')
        self.name = name
        self.kind = 'rgb' if name == 'RGB' else kind
        self.pattern = None if name == 'RGB' else Pattern(name, **options)
        if self.kind == 'kirsch' and not get_descriptor(name).edges:
            edges = ' or '.join(key for key, descriptor in DESCRIPTORS.items() if descriptor.edges)
            raise UserError(f"auxiliary.kind='kirsch' needs an edge pattern, {edges}, but the target is {name}")
        self.norm_pix = self.kind == 'kirsch' or (norm_pix and self.kind in ('rgb', 'codes'))
        self.mean, self.std = mean, std

    @property
    def channels(self) -> int:
        """Values a pixel, or a patch for histograms."""
        if self.pattern is None:
            return 3
        bits = (self.pattern.labels - 1).bit_length()
        return {'codes': 1, 'planes': bits, 'kirsch': 8, 'histogram': self.pattern.labels}[self.kind]

    def patch_dim(self, patch: Patch) -> int:
        """Values a patch."""
        return self.channels if self.kind == 'histogram' else self.channels * patch.pixels

    @torch.no_grad()
    def patches(self, source: torch.Tensor, patch: Patch) -> torch.Tensor:
        """The target of each patch.

        Args:
            source: (B, 3, T, H, W) uint8, before photometric augmentation.
            patch: Size of a patch.

        Returns:
            (B, tokens, :meth:`patch_dim`) float32.
        """
        if self.kind == 'histogram':
            return self._histograms(source, patch)
        values = patchify(self.maps(source), patch)
        if self.norm_pix:
            mean, deviation = patch_statistics(values)
            values = (values - mean) / deviation
        return values

    def maps(self, source: torch.Tensor) -> torch.Tensor:
        """The target as float32 maps (B, :attr:`channels`, T, H, W), before any normalisation by patch."""
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

    def _histograms(self, source: torch.Tensor, patch: Patch) -> torch.Tensor:
        assert self.pattern is not None  # mypy: only patterns have this kind
        codes = patchify(self.pattern.codes(source)[:, None], patch).long()
        counts = torch.zeros(*codes.shape[:2], self.channels, device=codes.device)
        counts.scatter_add_(2, codes, torch.ones_like(codes, dtype=torch.float32))
        return counts / codes.shape[2]

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
            by_patch = -(target * predicted.log_softmax(dim=-1)).sum(dim=-1)
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


def make_targets(
    names: Sequence[str],
    kind: str,
    norm_pix: bool,
    mean: Sequence[float],
    std: Sequence[float],
    options: Mapping[str, Mapping[str, Any]],
) -> dict[str, Target]:
    """Targets by name, each with its pattern's options."""
    return {name: Target(name, kind, norm_pix, mean, std, **options.get(name, {})) for name in names}
