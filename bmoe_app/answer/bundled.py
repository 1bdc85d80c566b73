"""The model that comes with the package, and which classes it answers for; the rules answer for the others.

It was trained on generated people (``tools/make_box.py``), and knows the classes of :mod:`bmoe_skel.taxonomy` on tracks
of any layout. What it can do and what it cannot stands in its card, docs/reference/model_card.md.
"""

from __future__ import annotations

from typing import Any

from bmoe_app.answer.settings import ModelSettings
from bmoe_skel.everyday import EVERYDAY
from pose_extract.layout_conversion import COMMON, lost_points
from pose_extract.skeletons import get_skeleton

BY_RULE: tuple[str, ...] = ('nod', 'head_shake', 'turn', 'tilt')
"""Classes for which the rule did better on recordings that neither was made with, see the card."""
BY_MODEL: tuple[str, ...] = ()
"""Rules that are not asked, since the model did better."""


def cannot_read(asked: ModelSettings, skeleton: str) -> str | None:
    """Why the model that comes along is not asked about tracks of a layout; None where it is, or another was named.

    Args:
        asked: How the model is to be asked.
        skeleton: Name of the tracks' layout.
    """
    if asked.checkpoint != EVERYDAY or len(lost_points(skeleton)) < get_skeleton(COMMON).num_keypoints:
        return None
    return f'no model was asked: {skeleton} has none of the keypoints of {COMMON}, which {EVERYDAY.name} reads'


def default_model(**settings: Any) -> ModelSettings:
    """How the model that comes with the package is asked.

    Args:
        **settings: Fields of :class:`bmoe_app.ModelSettings` to set otherwise.

    Example:
        >>> bmoe_app.answer.bundled.default_model(threshold=0.7).checkpoint.name
        'everyday.pth'
    """
    return ModelSettings(**{'checkpoint': EVERYDAY, 'by_rule': BY_RULE, 'by_model': BY_MODEL, **settings})
