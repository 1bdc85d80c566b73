"""Global stream: RGB crops where every clip has them, the skeleton elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bmoe_ground.errors import UserError
from bmoe_skel.models.streams.base import GlobalStream, StreamFacts
from bmoe_skel.models.streams.rgb import require_crops
from bmoe_skel.registry import MODELS


@MODELS.register_module()
class AutoStream(GlobalStream):
    """A choice that the data makes before the model is built: :class:`RGBStream` or :class:`SkeletonStream`.

    In its config ``rgb`` holds the arguments of the RGB stream, the other keys are the skeleton's. What was chosen is
    what a checkpoint names.

    Example:
        >>> AutoStream.settle({'type': 'AutoStream', 'dims': (64, 96), 'rgb': {'frames': 8}}, None)
        ({'type': 'SkeletonStream', 'dims': (64, 96)}, 'SkeletonStream (the data offers no RGB crops)')
    """

    @classmethod
    def from_model(cls, facts: StreamFacts, **own: Any) -> GlobalStream:
        """Refuse to be built; see the class.

        Raises:
            UserError: Always.
        """
        raise UserError(
            "global stream 'AutoStream' is settled from the data: train and test through tools/train.py and "
            "tools/test.py, or choose type='SkeletonStream', 'FeatureStream' or 'RGBStream'"
        )

    @classmethod
    def settle(cls, config: dict[str, Any], crops: Mapping[str, Any] | None) -> tuple[dict[str, Any], str | None]:
        """Choose; see :class:`GlobalStream`.

        Raises:
            UserError: Some clips have RGB crops and others lack them.
        """
        rgb = config.pop('rgb', None)
        if crops is not None and crops.get('stored'):
            require_crops(crops, 'AutoStream')
            said = f'RGBStream (all {crops["clips"]} clips have RGB crops beside their tracks)'
            return {'type': 'RGBStream', **(rgb or {})}, said
        why = 'the data offers no RGB crops'
        if crops is not None:
            why = 'no RGB crops beside the tracks; extract with --save-rgb 224 to use them'
        return {**config, 'type': 'SkeletonStream'}, f'SkeletonStream ({why})'
