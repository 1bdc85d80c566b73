"""RGB global stream: ResNet with temporal shift and squeeze-excitation, as MANet (Guo et al. 2024) has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from bmoe_ground.errors import UserError
from bmoe_skel.models.m3e import M3E
from bmoe_skel.models.streams.base import GlobalStream, StreamBatch, resample_steps
from bmoe_skel.registry import MODELS
from mm_runtime.checkpoint import load_checkpoint

_CLASSIFIER = {'fc.weight', 'fc.bias'}


def temporal_shift(x: Tensor, frames: int, fold: int = 8) -> Tensor:
    """Shift an eighth of the channels to the next frame and an eighth to the one before (TSM, Lin et al. 2019).

    Args:
        x: (B * T, C, H, W).
        frames: T.
        fold: Inverse of the share of channels moved in each direction.

    Returns:
        (B * T, C, H, W).
    """
    clip = x.view(-1, frames, *x.shape[1:])
    part = x.shape[1] // fold
    back = torch.cat([clip[:, 1:, :part], torch.zeros_like(clip[:, :1, :part])], dim=1)
    forth = torch.cat([torch.zeros_like(clip[:, :1, part : 2 * part]), clip[:, :-1, part : 2 * part]], dim=1)
    return torch.cat([back, forth, clip[:, :, 2 * part :]], dim=2).view_as(x)


class ShiftedExcitation(nn.Module):
    """What MANet puts before the first convolution of a block: squeeze-excitation, then temporal shift.

    Args:
        conv: The block's first convolution.
        frames: T.
        reduction: Of the squeeze-excitation.
    """

    def __init__(self, conv: nn.Conv2d, frames: int, reduction: int = 4) -> None:
        super().__init__()
        self.conv = conv
        self.frames = frames
        channels = conv.in_channels
        self.excite = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, channels // reduction, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels // reduction, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B * T, C, H, W) -> (B * T, C', H', W')."""
        return self.conv(temporal_shift(x * self.excite(x), self.frames))


@MODELS.register_module()
class RGBStream(GlobalStream):
    """Frames of each clip, whole or cropped around the person, through an image network that shifts in time.

    Args:
        out_dims: Channels of a token.
        backbone: 'resnet18', 'resnet34', 'resnet50' or any other ResNet of torchvision.
        frames: Frames a clip.
        pretrained: None, the name of torchvision weights ('IMAGENET1K_V1', downloaded once), or a checkpoint file of
            the backbone. They are loaded by ``init_weights``, that is when training starts and not for a test.
        frozen: Whether the backbone is not trained.
        m3e: Arguments of :class:`M3E` but ``dims``.

    Raises:
        UserError: The backbone or its weights are not to be had.
    """

    def __init__(
        self,
        out_dims: int,
        backbone: str = 'resnet50',
        frames: int = 8,
        pretrained: str | None = None,
        frozen: bool = False,
        m3e: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.frames = frames
        self.frozen = frozen
        self.name, self.pretrained = backbone, pretrained
        self.backbone = _build_backbone(backbone)
        check_pretrained(backbone, pretrained)
        channels: int = self.backbone.fc.in_features
        self.backbone.fc = nn.Identity()
        for stage in (self.backbone.layer1, self.backbone.layer2, self.backbone.layer3, self.backbone.layer4):
            for block in stage:
                block.conv1 = ShiftedExcitation(block.conv1, frames)
        if frozen:
            self.backbone.requires_grad_(False)
        self.embed = nn.Linear(channels, out_dims)
        self.encoder = M3E(out_dims, **(m3e or {}))

    @classmethod
    def settle(cls, config: dict[str, Any], crops: Mapping[str, Any] | None) -> tuple[dict[str, Any], str | None]:
        """Refuse a set without crops; take ``rgb`` of an ``AutoStream`` whose type was overridden.

        Raises:
            UserError: Some clips have no RGB crops.
        """
        require_crops(crops, 'RGBStream')
        rgb = config.pop('rgb', None)
        return (config if rgb is None else {'type': config['type'], **rgb}), None

    def init_weights(self) -> None:
        """Load the backbone's pretrained weights, if it has any.

        Raises:
            UserError: They cannot be downloaded, or are of another network.
        """
        if self.pretrained is None:
            return
        ours, loaded = self.backbone.state_dict(), {}
        for key, value in _read_weights(self.name, self.pretrained).items():
            wrapped = key.replace('.conv1.', '.conv1.conv.')
            loaded[wrapped if wrapped in ours else key] = value
        added = {key for key in ours if '.conv1.excite.' in key}
        missing, foreign = sorted(set(ours) - added - set(loaded)), sorted(set(loaded) - set(ours) - _CLASSIFIER)
        wrong = [key for key in ours if key in loaded and ours[key].shape != loaded[key].shape]
        if missing or foreign or wrong:
            raise UserError(
                f'pretrained={self.pretrained}: weights of another network than {self.name}: '
                f'{len(missing)} keys missing, {len(foreign)} unknown, {len(wrong)} of another shape, '
                f'such as {(missing + foreign + wrong)[0]}'
            )
        self.backbone.load_state_dict({key: loaded[key] for key in ours if key in loaded}, strict=False)

    def train(self, mode: bool = True) -> RGBStream:
        """Set the mode; a frozen backbone stays in evaluation, so that its statistics stay too."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def forward(self, batch: StreamBatch, steps: int) -> tuple[Tensor, Tensor]:
        """Encode the clips' frames; see :class:`GlobalStream`."""
        if batch.rgb is None:
            raise UserError(
                'the global stream reads RGB crops, but the clips have none: extract with --save-rgb and add '
                "LoadCrops, or choose global_stream=dict(type='SkeletonStream')"
            )
        clips, frames = batch.rgb.shape[:2]
        if frames != self.frames:
            raise UserError(f'the clips have {frames} RGB frames, the global stream expects frames={self.frames}')
        tokens = self.embed(self.backbone(batch.rgb.flatten(0, 1)).view(clips, frames, -1))
        seen = batch.rgb_seen
        if seen is None:
            seen = torch.ones(clips, frames, dtype=torch.bool, device=tokens.device)
        tokens, seen = resample_steps(self.encoder(tokens, seen), seen, steps)
        return tokens.repeat_interleave(batch.bodies_per_clip, 0), seen.repeat_interleave(batch.bodies_per_clip, 0)


def require_crops(crops: Mapping[str, Any] | None, wanted_by: str) -> None:
    """Refuse a set of which some clips have no stored RGB crops.

    Args:
        crops: How many ``clips`` the set has, how many are ``stored`` with crops, and names that are ``lacking``; None
            where the dataset says nothing, which passes.
        wanted_by: The stream that asks, for the error.

    Raises:
        UserError: Some or all clips lack them.
    """
    clips, stored = ((crops or {}).get(key, 0) for key in ('clips', 'stored'))
    if crops is not None and stored < clips:
        raise UserError(
            f'global stream {wanted_by}: {clips - stored} of {clips} clips have no RGB crops beside their tracks, such '
            f'as {", ".join(crops["lacking"])}. Extract all with --save-rgb 224, or use skeletons only: --cfg-options '
            'model.global_stream.type=SkeletonStream dataset.crops=false'
        )


def _torchvision() -> Any:
    try:
        from torchvision import models
    except ImportError as error:
        raise UserError('the RGB global stream needs torchvision: pip install torchvision') from error
    return models


def _build_backbone(name: str) -> Any:
    models = _torchvision()
    if not name.startswith(('resnet', 'resnext', 'wide_resnet')):
        raise UserError(f'unknown backbone {name!r}; choose a ResNet of torchvision, such as resnet50')
    try:
        return models.get_model(name, weights=None)
    except ValueError as error:
        raise UserError(f'unknown backbone {name!r}: {error}') from error


def _names(backbone: str) -> dict[str, Any]:
    return {entry.name: entry for entry in _torchvision().get_model_weights(backbone)}


def check_pretrained(backbone: str, pretrained: str | None) -> None:
    """Refuse weights that are neither a name nor look like a file, before any clip is read.

    Args:
        backbone: The network.
        pretrained: None, a name of torchvision, or a file.

    Raises:
        UserError: It is none of the three.
    """
    if pretrained is None or pretrained in _names(backbone) or pretrained.endswith(('.pth', '.pt')):
        return
    raise UserError(
        f'pretrained={pretrained!r}: expected None, a file .pth, or one of {", ".join(_names(backbone))} for {backbone}'
    )


def _read_weights(backbone: str, pretrained: str) -> Mapping[str, Tensor]:
    names = _names(backbone)
    if pretrained not in names:
        return load_checkpoint(pretrained)['state_dict']
    try:
        return names[pretrained].get_state_dict(progress=True)
    except OSError as error:
        raise UserError(
            f'weights {pretrained} of {backbone} cannot be downloaded ({error}); give a file, or None'
        ) from error
