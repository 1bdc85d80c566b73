"""Who answers for what, where both a model and rules are asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from bmoe_app.answer.events import Event
from bmoe_app.answer.settings import ModelSettings
from bmoe_app.rules import RULES
from bmoe_skel.taxonomy import TAXONOMY


def rule_for(label: str) -> str | None:
    """The rule that tells what a class of a model tells, or None.

    Example:
        >>> rule_for('lean_left'), rule_for('nod'), rule_for('gesture')
        ('lean', 'nod', None)
    """
    if label in TAXONOMY:
        return TAXONOMY[label].rule
    return label if label in RULES else None


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


def left_to_rules(settings: ModelSettings, not_looked_for: Collection[str]) -> tuple[str, ...]:
    """The classes for which a rule answers.

    Args:
        settings: How the model is asked.
        not_looked_for: Rules that cannot be evaluated.
    """
    return tuple(label for label in settings.by_rule if (rule := rule_for(label)) and rule not in not_looked_for)
