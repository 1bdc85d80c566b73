"""What a rule finds: an event of one person."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RuleEvent:
    """One movement that a rule found.

    Attributes:
        start: Seconds of its first frame.
        end: Seconds of its last frame.
        person: Index of the person in the tracks.
        label: The rule's name, such as ``nod``.
        score: 0.5 where the movement just reaches the rule's threshold, towards 1 the further it goes beyond:
            1 - threshold / (2 x size). It says how large the movement is, not how probable the label.
        region: Part of the body: head, body, upper or lower.

    Example:
        >>> RuleEvent(1.2, 1.8, 0, 'nod', 0.7, 'head').seconds
        0.6
    """

    start: float
    end: float
    person: int
    label: str
    score: float
    region: str

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return round(self.end - self.start, 9)


def score_of(size: float, threshold: float) -> float:
    """The score of a movement, see :attr:`RuleEvent.score`; 0 to 1.

    Example:
        >>> score_of(8.0, 4.0)
        0.75
    """
    return float(min(max(1 - threshold / (2 * size), 0), 1)) if size > 0 else 0.0
