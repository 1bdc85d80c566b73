"""Who answers for what, where both a model and rules are asked, and rules whose finds the model confirms.

A rule knows when a movement begins and ends, and takes jitter for a movement now and then; a model knows movements from
jitter, and sees no better when they begin than its windows are long. So for some classes a rule answers, and what it
found is told where the model thinks it possible.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from bmoe_app.answer.events import Event
from bmoe_app.answer.settings import ModelSettings
from bmoe_app.rules import RULES
from bmoe_skel.taxonomy import TAXONOMY


class Opinion(NamedTuple):
    """What a model says of one person in one window, before smoothing.

    Attributes:
        person: As the events count persons.
        start: Second of the window's first frame.
        end: Second of its last frame.
        scores: (C,) probability of each class.
    """

    person: int
    start: float
    end: float
    scores: np.ndarray


def rule_for(label: str) -> str | None:
    """The rule that tells what a class of a model tells, or None.

    Example:
        >>> rule_for('lean_left'), rule_for('nod'), rule_for('gesture')
        ('lean', 'nod', None)
    """
    if label in TAXONOMY:
        return TAXONOMY[label].rule
    return label if label in RULES else None


def left_to_rules(settings: ModelSettings, not_looked_for: Collection[str]) -> tuple[str, ...]:
    """The classes for which a rule answers.

    Args:
        settings: How the model is asked.
        not_looked_for: Rules that cannot be evaluated.
    """
    return tuple(label for label in settings.by_rule if (rule := rule_for(label)) and rule not in not_looked_for)


def divide(
    events: Iterable[Event], settings: ModelSettings | None, rules: bool, not_looked_for: Collection[str]
) -> list[Event]:
    """Leave out a model's events where a rule answers, and the other way about.

    Args:
        events: Of both.
        settings: How the model was asked; None where there is none.
        rules: Whether rules were asked.
        not_looked_for: Rules that could not be evaluated.

    Example:
        >>> nods = [bmoe_app.Event(0, 1, 0, 'nod', 0.8, source=source) for source in ('model', 'rule')]
        >>> asked = bmoe_app.ModelSettings(pathlib.Path('best.pth'), by_rule=('nod',))
        >>> [event.source for event in divide(nods, asked, True, ())]
        ['rule']
        >>> [event.source for event in divide(nods[:1], asked, True, ('nod',))]
        ['model']
    """
    if settings is None or not rules:
        return list(events)
    left_out = {'model': left_to_rules(settings, not_looked_for), 'rule': settings.by_model}
    return [event for event in events if event.label not in left_out.get(event.source, ())]


def to_confirm(event: Event, settings: ModelSettings | None) -> bool:
    """Whether an event is told only where the model confirms it."""
    if settings is None or settings.confirm == 0 or event.source != 'rule':
        return False
    return event.label in {rule_for(label) for label in settings.by_rule}


def is_confirmed(event: Event, opinions: Iterable[Opinion], classes: Sequence[str], confirm: float) -> bool:
    """Whether the model thinks an event of a rule possible.

    Args:
        event: The event.
        opinions: Of all windows that overlap it, others may be among them.
        classes: Names of the model's classes.
        confirm: Least probability, 0..1, that any of these windows must give to the classes that the rule tells.

    Returns:
        True also where the model was not asked, since the person is too little seen.
    """
    meant = [number for number, name in enumerate(classes) if rule_for(name) == event.label]
    said = [
        float(one.scores[meant].sum())
        for one in opinions
        if one.person == event.person and one.start < event.end and one.end > event.start
    ]
    return not said or max(said) >= confirm


def confirmed(
    events: Sequence[Event], settings: ModelSettings | None, opinions: Sequence[Opinion], classes: Sequence[str]
) -> tuple[list[Event], str | None]:
    """Leave out the events of rules that the model does not confirm.

    Args:
        events: Of both.
        settings: How the model was asked; None where there is none.
        opinions: What it said.
        classes: Names of its classes.

    Returns:
        The others, and a sentence that says how many were left out, None where none was.
    """
    kept = [
        event
        for event in events
        if settings is None
        or not to_confirm(event, settings)
        or is_confirmed(event, opinions, classes, settings.confirm)
    ]
    gone = len(events) - len(kept)
    if settings is None or not gone:
        return kept, None
    what = 'one event by rule was' if gone == 1 else f'{gone} events by rule were'
    return kept, f'{what} left out: the model gives the movement a probability below {settings.confirm:g}'
