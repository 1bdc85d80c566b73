"""The global stream: the whole in view, as skeleton, precomputed features or RGB crops, behind one interface.

A stream turns a batch into one token a time step for every body: ``forward(batch, steps) -> tokens (N, steps, D), seen
(N, steps)``, where N counts cuts, clips and persons together and ``steps`` is the experts' T'.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from bmoe_skel.models.m3e import M3E
from bmoe_skel.models.region_expert import WHOLE_BODY, RegionExpert
from mm_runtime.errors import UserError


@dataclass
class StreamBatch:
    """What a global stream may look at.

    Attributes:
        features: (N, T, V, F) joint channels of every body, N = clips x cuts x persons.
        visible: (N, T, V) bool.
        bodies_per_clip: N over the number of clips.
        feature: (B, T_f, C_f) precomputed features of each clip, zero rows for padding, or None.
        feature_seen: (B, T_f) bool, or None.
        rgb: (B, T_r, 3, H, W) normalised frames of each clip, or None.
        rgb_seen: (B, T_r) bool, whether a frame shows the person; None for all.
    """

    features: Tensor
    visible: Tensor
    bodies_per_clip: int
    feature: Tensor | None = None
    feature_seen: Tensor | None = None
    rgb: Tensor | None = None
    rgb_seen: Tensor | None = None


def resample_steps(tokens: Tensor, seen: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Bring tokens to another number of steps by linear interpolation over the seen ones.

    Args:
        tokens: (N, T, D).
        seen: (N, T) bool.
        steps: T'.

    Returns:
        tokens (N, T', D), and seen (N, T').
    """
    if tokens.shape[1] == steps:
        return tokens * seen.unsqueeze(-1), seen
    weight = seen.to(tokens.dtype).unsqueeze(1)
    value = F.interpolate((tokens * seen.unsqueeze(-1)).transpose(1, 2), size=steps, mode='linear')
    weight = F.interpolate(weight, size=steps, mode='linear')
    return (value / weight.clamp(min=1e-6)).transpose(1, 2), weight.squeeze(1) >= 0.5


class SkeletonStream(RegionExpert):
    """The whole body's skeleton: an expert that sees every joint.

    Args:
        skeleton: Name of the keypoint layout.
        in_channels: Channels of a joint.
        out_dims: Channels of a token.
        **kwargs: For :class:`RegionExpert`.
    """

    def __init__(self, skeleton: str, in_channels: int, out_dims: int, **kwargs: Any) -> None:
        super().__init__(skeleton, WHOLE_BODY, in_channels, out_dims, **kwargs)

    def forward(self, batch: StreamBatch, steps: int) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Encode the batch's joints; see the module."""
        return resample_steps(*super().forward(batch.features, batch.visible), steps)


class FeatureStream(nn.Module):
    """Precomputed features of each clip, such as VideoMAEv2's 1408 channels a window.

    Args:
        feature_channels: C_f.
        out_dims: Channels of a token.
        m3e: Arguments of :class:`M3E` but ``dims``.
        drop: Dropout on the features.
    """

    def __init__(
        self, feature_channels: int, out_dims: int, m3e: dict[str, Any] | None = None, drop: float = 0.1
    ) -> None:
        super().__init__()
        self.feature_channels = feature_channels
        self.embed = nn.Sequential(
            nn.LayerNorm(feature_channels), nn.Dropout(drop), nn.Linear(feature_channels, out_dims)
        )
        self.encoder = M3E(out_dims, **(m3e or {}))

    def forward(self, batch: StreamBatch, steps: int) -> tuple[Tensor, Tensor]:
        """Encode the clips' features; see the module."""
        if batch.feature is None or batch.feature_seen is None:
            raise UserError('the global stream reads precomputed features, but the clips have none: add LoadFeature')
        if batch.feature.shape[-1] != self.feature_channels:
            raise UserError(
                f'the clips have features of {batch.feature.shape[-1]} channels, '
                f'the global stream expects feature_channels={self.feature_channels}'
            )
        tokens = self.encoder(self.embed(batch.feature), batch.feature_seen)
        tokens, seen = resample_steps(tokens, batch.feature_seen, steps)
        return tokens.repeat_interleave(batch.bodies_per_clip, 0), seen.repeat_interleave(batch.bodies_per_clip, 0)


def choose_stream(
    config: dict[str, Any] | None, crops: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, str | None]:
    """Settle which global stream a config means, now that the data is known.

    Args:
        config: ``kind`` 'auto' for RGB where every clip has stored crops and the skeleton elsewhere, or one of
            :func:`build_global_stream`. ``rgb`` holds the arguments of the RGB stream, the other keys are the
            skeleton's; a config of kind 'rgb' without ``rgb`` is taken as it is.
        crops: What the dataset says of its crops: ``clips``, ``stored`` and the names ``lacking``; None if nothing.

    Returns:
        A config for :func:`build_global_stream`, and for 'auto' what was chosen and why.

    Raises:
        UserError: RGB crops are wanted, or looked for, and some or all clips lack them.
    """
    if not config:
        return None, None
    stream = dict(config)
    rgb, kind = stream.pop('rgb', None), stream.get('kind')
    if kind not in ('auto', 'rgb'):
        return stream, None
    clips, stored = ((crops or {}).get(key, 0) for key in ('clips', 'stored'))
    if crops is not None and stored < clips and (stored or kind == 'rgb'):
        raise UserError(
            f'global stream {kind!r}: {clips - stored} of {clips} clips have no RGB crops beside their tracks, such as '
            f'{", ".join(crops["lacking"])}. Extract all with --save-rgb 224, or use skeletons only: --cfg-options '
            'model.global_stream.kind=skeleton dataset.crops=false'
        )
    if kind == 'rgb':
        return (stream if rgb is None else {'kind': 'rgb', **rgb}), None
    if stored:
        return {'kind': 'rgb', **(rgb or {})}, f'rgb (all {clips} clips have RGB crops beside their tracks)'
    why = 'no RGB crops beside the tracks; extract with --save-rgb 224 to use them'
    return {**stream, 'kind': 'skeleton'}, f'skeleton ({why if crops is not None else "the data offers no RGB crops"})'


def build_global_stream(
    config: dict[str, Any] | None, skeleton: str, in_channels: int, out_dims: int
) -> nn.Module | None:
    """Build the stream that a config names.

    Args:
        config: ``kind`` 'skeleton', 'feature' or 'rgb', and the stream's own arguments; None for no global stream.
        skeleton: Name of the keypoint layout.
        in_channels: Channels of a joint.
        out_dims: Channels of a token.

    Returns:
        The stream, or None.

    Raises:
        UserError: The kind is unknown.
    """
    if config is None:
        return None
    arguments = dict(config)
    kind = arguments.pop('kind', None)
    if kind == 'skeleton':
        return SkeletonStream(skeleton, in_channels, out_dims, **arguments)
    if kind == 'feature':
        return FeatureStream(out_dims=out_dims, **arguments)
    if kind == 'auto':
        raise UserError(
            "global stream 'auto' is settled from the data: train and test through tools/train.py and tools/test.py, "
            "or choose kind='skeleton', 'feature' or 'rgb'"
        )
    if kind == 'rgb':
        from bmoe_skel.models.rgb_stream import RGBStream

        return RGBStream(out_dims=out_dims, **arguments)
    raise UserError(f"unknown global stream {kind!r}; choose kind='skeleton', 'feature' or 'rgb', or None for none")
