"""One event of an answer, whoever found it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from bmoe_app.rules import RuleEvent
from pose_extract.body_parts import REGIONS

SOURCES = ('model', 'rule', 'person')
"""Who says so: a trained model, a rule on movement signals, or a person who corrected the answer."""


@dataclass(frozen=True)
class Event:
    """What one person did between two moments.

    Attributes:
        start: Seconds of its first frame.
        end: Seconds of its last frame, not before ``start``.
        person: Index of the person in the tracks, from 0.
        label: Such as ``nod``.
        score: 0..1: the mean probability of a model, the size of a movement for a rule (see
            :class:`bmoe_app.rules.RuleEvent`), 1 for a person.
        region: Part of the body that gave it away: one of the four regions, or None where nobody can say.
        routing: Mean weight of each region, 0..1 and 1 in sum; empty where no router was asked.
        source: One of :data:`SOURCES`.

    Raises:
        ValueError: A value is outside its range.

    Example:
        >>> event = bmoe_app.Event(0.0, 1.2, 0, 'nod', 0.9, 'head')
        >>> f'{event.label} by {event.region}, {event.end - event.start:.1f} s'
        'nod by head, 1.2 s'
    """

    start: float
    end: float
    person: int
    label: str
    score: float
    region: str | None = None
    routing: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    source: str = 'model'

    def __post_init__(self) -> None:
        if not self.start <= self.end:
            raise ValueError(f'an event must end after it starts, got {self.start} to {self.end}')
        if not 0 <= self.score <= 1:
            raise ValueError(f'score: must be within 0..1, got {self.score}')
        if self.person < 0:
            raise ValueError(f'person: must be 0 or more, got {self.person}')
        if self.region is not None and self.region not in REGIONS:
            raise ValueError(f'region: must be one of {", ".join(REGIONS)} or None, got {self.region!r}')
        if self.source not in SOURCES:
            raise ValueError(f'source: must be one of {", ".join(SOURCES)}, got {self.source!r}')

    def as_dict(self) -> dict[str, Any]:
        """The event as JSON types; times to the millisecond, weights to four digits."""
        return {
            'start': round(self.start, 3),
            'end': round(self.end, 3),
            'person': self.person,
            'label': self.label,
            'score': round(self.score, 4),
            'region': self.region,
            'routing': {name: round(weight, 4) for name, weight in self.routing.items()},
            'source': self.source,
        }


def event_of_rule(found: RuleEvent) -> Event:
    """What a rule found, as an event of an answer.

    Args:
        found: Of :func:`bmoe_app.rules.find_events`.

    Example:
        >>> event_of_rule(bmoe_app.rules.RuleEvent(1.2, 1.8, 0, 'nod', 0.7, 'head')).source
        'rule'
    """
    return Event(found.start, found.end, found.person, found.label, found.score, found.region, source='rule')
