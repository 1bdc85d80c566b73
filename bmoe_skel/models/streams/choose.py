"""Which global stream a config means, and building it."""

from __future__ import annotations

from typing import Any

from torch import nn

from bmoe_ground.errors import UserError
from bmoe_skel.models.streams.feature import FeatureStream
from bmoe_skel.models.streams.rgb import RGBStream
from bmoe_skel.models.streams.skeleton import SkeletonStream


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
        return RGBStream(out_dims=out_dims, **arguments)
    raise UserError(f"unknown global stream {kind!r}; choose kind='skeleton', 'feature' or 'rgb', or None for none")
