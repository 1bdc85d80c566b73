"""Events as annotation tools hold them: whole milliseconds, and nothing above one another in a tier."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from bmoe_app.answer import Answer, Event


class Span(NamedTuple):
    """An event in a tier: its milliseconds, at least one long, and the event."""

    start: int
    end: int
    event: Event


def tiers_of(answer: Answer) -> list[tuple[str, int, list[Span]]]:
    """Divide the events of an answer into tiers.

    Args:
        answer: The answer.

    Returns:
        Name of the tier, person, and what is in it by time: ``person 0`` for everybody in the tracks, then
        ``person 0 (2)`` and so on where events of one person overlap.
    """
    tiers = []
    people = range(max(answer.tracks.num_persons, 1, *(event.person + 1 for event in answer.events), 1))
    for person in people:
        layers = _layers(event for event in answer.events if event.person == person) or [[]]
        for number, layer in enumerate(layers, 1):
            tiers.append((f'person {person}' + (f' ({number})' if number > 1 else ''), person, layer))
    return tiers


def span(event: Event) -> Span:
    """The milliseconds of an event; none before 0, one at least."""
    start = max(0, round(event.start * 1000))
    return Span(start, max(start + 1, round(event.end * 1000)), event)


def _layers(events: Iterable[Event]) -> list[list[Span]]:
    layers: list[list[Span]] = []
    for one in sorted(map(span, events), key=lambda one: one[:2]):
        free = next((layer for layer in layers if layer[-1].end <= one.start), None)
        if free is None:
            layers.append(free := [])
        free.append(one)
    return layers
