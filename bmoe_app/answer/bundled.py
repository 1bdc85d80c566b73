"""The model that comes with the package, and which classes it answers for; the rules answer for the others.

It was trained on generated people (``tools/make_box.py``), and knows the classes of :mod:`bmoe_skel.taxonomy` on tracks
of any layout. What it can do and what it cannot stands in its card, docs/reference/model_card.md.
"""

from __future__ import annotations

from typing import Any

from bmoe_app.answer.settings import ModelSettings
from bmoe_skel.everyday import EVERYDAY

BY_RULE: tuple[str, ...] = ('nod', 'head_shake')
"""Classes that the rule finds as often as the model, and times better; see the card."""
CONFIRM = 0.15
"""Probability that the model must give to what these rules found, anywhere near it."""
BY_MODEL: tuple[str, ...] = ('turn', 'tilt', 'lean', 'shrug', 'hand_to_face', 'crossed_arms', 'leg_shaking')
"""Rules that are not asked, since they miss what the model finds; see the card."""


def default_model(**settings: Any) -> ModelSettings:
    """How the model that comes with the package is asked.

    Args:
        **settings: Fields of :class:`bmoe_app.ModelSettings` to set otherwise.

    Example:
        >>> bmoe_app.answer.bundled.default_model(threshold=0.7).checkpoint.name
        'everyday.pth'
    """
    return ModelSettings(
        **{'checkpoint': EVERYDAY, 'by_rule': BY_RULE, 'confirm': CONFIRM, 'by_model': BY_MODEL, **settings}
    )
