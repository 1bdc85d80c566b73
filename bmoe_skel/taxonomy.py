"""Everyday micro-actions as data: classes by region, each with its definition and its counterparts in other sets.

The classes are what one camera and keypoints can tell of anybody who sits or stands: six of the head, seven of the
trunk (``body``), nine of the hands and arms (``upper``), four of the legs (``lower``), and :data:`NOTHING`, the usual
answer. A class is named as the rule of :mod:`bmoe_app.rules` that tells the same, where there is one.

Counterparts are names of MA-52 (:data:`bmoe_skel.datasets.ma52.classes.ACTIONS`), of MPIIGroupInteraction's bodily
behaviours (BBSI, :data:`bmoe_skel.datasets.mpii_classes.SINGLE_LABEL`) and of SocialGesture
(:data:`bmoe_skel.datasets.social_gesture.GESTURES`). An action of MA-52 is the counterpart of one class at most; those
of the other sets are coarser, and one of them may be the counterpart of several classes. What has no counterpart here
is in :data:`MA52_WITHOUT`: a hand on the legs, for one, which is how many people rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

NOTHING = 'nothing'
"""The class of somebody who makes none of the others: sits, stands, breathes, sways a little, rests in a posture."""


@dataclass(frozen=True)
class MicroAction:
    """One class.

    Attributes:
        region: The part of the body that makes it: head, body, upper or lower.
        what: Its definition in one line.
        ma52: Its counterparts in MA-52.
        bbsi: Its counterparts among the 19 single labels of MPIIGroupInteraction.
        social_gesture: Its counterparts in SocialGesture.
        rule: The rule of :mod:`bmoe_app.rules` that tells it or something wider, or None.
    """

    region: str
    what: str
    ma52: tuple[str, ...] = ()
    bbsi: tuple[str, ...] = ()
    social_gesture: tuple[str, ...] = ()
    rule: str | None = None


TAXONOMY: dict[str, MicroAction] = {
    'nod': MicroAction('head', 'the head goes down and up, once or several times', ('nodding',), rule='nod'),
    'head_shake': MicroAction('head', 'the head turns to and fro', ('shaking head',), rule='head_shake'),
    'turn': MicroAction('head', 'the head turns to one side, and stays or comes back', ('turning head',), rule='turn'),
    'tilt': MicroAction('head', 'the head inclines to one shoulder', ('tilting head',), rule='tilt'),
    'bow_head': MicroAction('head', 'the face sinks, and stays down for a while', ('bowing head',)),
    'raise_head': MicroAction('head', 'the face rises, and stays up for a while', ('head up',)),
    'lean_forward': MicroAction('body', 'the trunk inclines forward'),
    'lean_back': MicroAction('body', 'the trunk inclines backward, or comes up from leaning forward'),
    'lean_left': MicroAction('body', "the trunk inclines to the person's left", bbsi=('Lean Left',), rule='lean'),
    'lean_right': MicroAction('body', "the trunk inclines to the person's right", bbsi=('Lean Right',), rule='lean'),
    'shrug': MicroAction('body', 'both shoulders rise and sink', ('shrugging',), ('Shrug',), rule='shrug'),
    'sway': MicroAction('body', 'the trunk goes to and fro', ('shaking body',)),
    'rise': MicroAction('body', 'somebody gets up from the seat, or sits down', ('rising up',)),
    'hand_to_face': MicroAction(
        'upper',
        'a hand comes to the face between brow and chin, or is there',
        (
            *('scratching or touching forehead', 'scratching or touching face', 'rubbing eyes', 'touching nose'),
            *('covering face', 'covering mouth', 'pushing glasses'),
        ),
        ('Hand-face', 'Hand-mouth'),
        rule='hand_to_face',
    ),
    'hand_to_head': MicroAction(
        'upper',
        'a hand comes to hair, ear or the back of the head, or is there',
        ('playing or tidying hair', 'scratching or touching hindbrain', 'touching ears'),
        ('Groom',),
    ),
    'hand_to_neck': MicroAction(
        'upper', 'a hand comes to the neck below the chin, or is there', ('scratching or touching neck',)
    ),
    'hand_to_chest': MicroAction(
        'upper',
        "a hand comes to one's own chest, or is there",
        ('scratching or touching chest', 'pointing oneself'),
    ),
    'hand_to_arm': MicroAction(
        'upper',
        'a hand comes to the other arm or its shoulder, or is there',
        ('scratching arms', 'scratching or touching shoulder'),
    ),
    'hands_together': MicroAction(
        'upper',
        'both hands come together or rub each other',
        ('putting hands together', 'rubbing hands'),
        ('Smearing Hands',),
    ),
    'crossed_arms': MicroAction(
        'upper',
        'the arms are laid across the chest, or are there',
        ('crossing arms',),
        ('Fold Arms',),
        rule='crossed_arms',
    ),  # fmt: skip
    'gesture': MicroAction(
        'upper',
        'a hand or both move freely before the body, as with speech, or wave or point',
        ('illustrative gestures', 'spreading hands', 'waving'),
        ('Gesture',),
        ('pointing', 'showing', 'reaching', 'giving'),
    ),
    'fidget': MicroAction(
        'upper',
        'hands or fingers move a little and often where they rest',
        ('playing objects', 'clenching fist', 'hands touching fingers', 'other finger movements'),
        ('Fumble',),
    ),
    'leg_shaking': MicroAction(
        'lower',
        'a leg shakes quickly, such as a heel that bobs',
        ('shaking legs',),
        ('Leg Movement',),
        rule='leg_shaking',
    ),  # fmt: skip
    'cross_legs': MicroAction(
        'lower', 'one leg is laid over the other, or taken off', ('crossing legs',), ('Legs Crossed',)
    ),
    'spread_legs': MicroAction(
        'lower', 'the knees go apart, or together', ('spread legs', 'closing legs'), ('Leg Movement',)
    ),
    'stretch_leg': MicroAction(
        'lower',
        'a foot or both are put forward, or drawn back',
        ('curling legs', 'stretching feet', 'retracting feet'),
        ('Leg Movement',),
    ),
}
"""Class to what it is, in the order of a model's answer, in which :data:`NOTHING` is the last."""

CLASSES: tuple[str, ...] = (*TAXONOMY, NOTHING)
"""All classes in the order of a model's answer."""

MA52_WITHOUT: tuple[str, ...] = (
    *('sitting straightly', 'turning around', 'stretching arms', 'retracting arms', 'tiptoe'),
    *('scratching or touching back', 'arms akimbo'),
    *('patting legs', 'touching legs', 'scratching legs', 'scratching feet'),
)
"""Actions of MA-52 that no class stands for."""


def ma52_scores(probabilities: Sequence[float] | np.ndarray, actions: Sequence[str]) -> np.ndarray:
    """Scores of MA-52's actions that follow from the classes' probabilities.

    Each class's probability is shared equally by its counterparts, and what no class stands for has 0. Actions of one
    class cannot be told apart: :func:`rank_among` counts them as half before each other.

    Args:
        probabilities: (classes,) in the order of :data:`CLASSES`, 0..1.
        actions: Names of MA-52's actions in their order.

    Returns:
        (actions,) scores; without :data:`NOTHING` they sum to at most 1.

    Raises:
        ValueError: Another number of probabilities than classes.

    Example:
        >>> alike = np.full(len(CLASSES), 1 / len(CLASSES))
        >>> ma52_scores(alike, ['nodding', 'rubbing eyes', 'tiptoe']).round(4).tolist()
        [0.037, 0.0053, 0.0]
    """
    if len(probabilities) != len(CLASSES):
        raise ValueError(f'expected {len(CLASSES)} probabilities, got {len(probabilities)}')
    scores = dict.fromkeys(actions, 0.0)
    for action, probability in zip(TAXONOMY.values(), probabilities, strict=False):
        for name in action.ma52:
            if name in scores:
                scores[name] = float(probability) / len(action.ma52)
    return np.array([scores[name] for name in actions])


def rank_among(scores: np.ndarray, wanted: int) -> float:
    """The rank of one score among all, 1 for the highest; ties share the mean of their ranks.

    Args:
        scores: (n,).
        wanted: Whose rank.

    Example:
        >>> rank_among(np.array([0.5, 0.2, 0.2, 0.1]), 2)
        2.5
    """
    above, level = (scores > scores[wanted]).sum(), (scores == scores[wanted]).sum()
    return float(above + (level + 1) / 2)


def region_of_class(name: str, classes: Mapping[str, MicroAction] = TAXONOMY) -> str | None:
    """The region of a class; None for :data:`NOTHING` and for names that are not known.

    Example:
        >>> region_of_class('shrug')
        'body'
    """
    return classes[name].region if name in classes else None
