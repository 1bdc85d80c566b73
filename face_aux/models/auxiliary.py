"""The auxiliary task: hide most patches, and reconstruct their texture or colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from face_aux.models.decoder import MaskedDecoder, default_decoder
from face_aux.models.encoder import VisionEncoder
from face_aux.models.masking import check_mask, make_mask
from face_aux.models.patches import patch_statistics, patchify, unpatchify
from face_aux.models.targets import make_targets
from face_aux.models.weighting import make_weights


class Reconstruction(nn.Module):
    """Masked reconstruction beside a primary task; it shares the encoder and exists in training only.

    Args:
        encoder: The shared encoder, of which only the sizes are kept.
        targets: Names of one or two targets, ``'RGB'`` or patterns.
        mean: RGB mean of the input normalisation, 0..1.
        std: Its standard deviation.
        patterns: Pattern name to options.
        kind: See :class:`face_aux.models.targets.Target`.
        norm_pix: See :class:`face_aux.models.targets.Target`.
        cells: See :class:`face_aux.models.targets.Target`.
        shrink: See :class:`face_aux.models.targets.Target`.
        mask: ``'random'`` patches, as in MAE, or ``'block'``, see :mod:`face_aux.models.masking`.
        mask_ratio: Share of patches removed.
        decoder: ``dim``, ``depth`` and ``heads``; None for SSAT's choice beside this encoder.
        weights: Loss weights, ``dict(type='fixed', primary=0.1, auxiliary=0.9)`` by default; see
            :mod:`face_aux.models.weighting`.
    """

    def __init__(
        self,
        encoder: VisionEncoder,
        targets: Sequence[str],
        mean: Sequence[float],
        std: Sequence[float],
        patterns: Mapping[str, Mapping[str, Any]],
        kind: str = 'codes',
        norm_pix: bool = False,
        cells: int | None = None,
        shrink: int = 1,
        mask: str = 'random',
        mask_ratio: float = 0.75,
        decoder: Mapping[str, int] | None = None,
        weights: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.grid, self.patch, self.mask_ratio = encoder.grid, encoder.patch, mask_ratio
        self.mask = check_mask(mask)
        self.targets = make_targets(targets, kind, norm_pix, mean, std, patterns, cells, shrink)
        outputs = {name: target.patch_dim(self.patch) for name, target in self.targets.items()}
        size = {**default_decoder(encoder.num_features), **(decoder or {})}
        self.decoder = MaskedDecoder(encoder.num_features, self.grid, encoder.num_prefix_tokens, outputs, **size)
        self.weights = make_weights(**(weights or {}))

    def draw_mask(self, batch: int, device: torch.device) -> torch.Tensor:
        """(B, tokens) bool, True where removed."""
        return make_mask(self.mask, batch, self.grid, self.mask_ratio, device)

    def losses(self, latent: torch.Tensor, mask: torch.Tensor, source: torch.Tensor) -> dict[str, torch.Tensor]:
        """Loss of each target over the removed patches.

        Args:
            latent: (B, prefix + kept, D), from the masked pass.
            mask: (B, tokens).
            source: (B, 3, T, H, W) uint8, before photometric augmentation.

        Returns:
            Target name to scalar.
        """
        predicted = self.decoder(latent, mask)
        return {
            name: target.loss(predicted[name], target.patches(source, self.patch), mask)
            for name, target in self.targets.items()
        }

    @torch.no_grad()
    def pictures(
        self, latent: torch.Tensor, mask: torch.Tensor, source: torch.Tensor
    ) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """Target and reconstruction of every target that is a picture (histograms and HOG are none).

        The visible patches of the reconstruction show the target itself, as in MAE. Patches that were normalised get
        the target's mean and deviation back.

        Returns:
            Target name to (B, C, T, H, W) target and reconstruction; probabilities for bit planes.
        """
        shown: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
        for name, predicted in self.decoder(latent, mask).items():
            target = self.targets[name]
            if target.has_cells:
                continue
            patch = target.own_patch(self.patch)
            truth = patchify(target.maps(source), patch)
            predicted = predicted.float()
            if target.kind == 'planes':
                predicted = predicted.sigmoid()
            if target.norm_pix:
                mean, deviation = patch_statistics(truth)
                predicted = predicted * deviation + mean
            filled = torch.where(mask[:, :, None], predicted, truth)
            whole, made = (unpatchify(each, self.grid, patch) for each in (truth, filled))
            shown[name] = enlarged(whole, target.shrink), enlarged(made, target.shrink)
        return shown


def enlarged(maps: torch.Tensor, factor: int) -> torch.Tensor:
    """Maps (B, C, T, H, W) with every pixel repeated along height and width."""
    return maps.repeat_interleave(factor, dim=3).repeat_interleave(factor, dim=4)
