"""Rule events from movement signals: each rule of the table, applied to each person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bmoe_app.rules.events import RuleEvent, score_of
from bmoe_app.rules.shapes import Span, held, oscillations
from bmoe_app.rules.table import JITTER_FACTOR, JITTER_SECONDS, MAX_GAP, NOISE_FACTOR, RULES, SWING_NOISE_FACTOR, Rule
from bmoe_app.signals.compute import Signals
from bmoe_app.signals.series import bridge, calm, noise_floor

_AGAINST = {'nod': 'head_yaw', 'head_shake': 'head_pitch'}  # whose swings must be smaller
_ANGLES = ('head_yaw', 'head_pitch', 'head_roll')
_STEPPING = 0.3  # squared body sizes a second of the body: some 0.2 m/s
_NEAR_TRUNK = 0.8  # body sizes from the trunk's axis to a hand before it
_LONGEST_SHRUG = 3.0  # seconds


@dataclass(frozen=True)
class Found:
    """What the rules say of a video.

    Attributes:
        events: Sorted by start, person and label.
        unavailable: Rules that could not be evaluated, with the reason.
    """

    events: tuple[RuleEvent, ...]
    unavailable: dict[str, str]


def find_events(signals: Signals, rules: Mapping[str, Rule] = RULES) -> Found:
    """Apply the rules to everybody in a video.

    Args:
        signals: Of the video.
        rules: Rules of :data:`bmoe_app.rules.table.RULES`, some or all of them, with thresholds changed if wanted.

    Raises:
        ValueError: A rule is not known.

    Example:
        >>> from bmoe_app.signals import compute_signals
        >>> found = find_events(compute_signals(pose_extract.load_tracks('poses/head/head_00.mp4.npz')))
        >>> found.unavailable
        {}
    """
    unknown = sorted(set(rules) - set(RULES))
    if unknown:
        raise ValueError(f'unknown rule {unknown[0]!r}: choose from {", ".join(RULES)}')
    lacking = {name: reason for name, rule in rules.items() if (reason := _lacks(rule, signals.unavailable))}
    events = []
    for person in range(len(signals.values)):
        of_person: dict[str, list[Span]] = {}
        for name in RULES:  # turns after head shakes, in whatever order the rules were given
            if name not in rules or name in lacking:
                continue
            rule = rules[name]
            of_person[name] = spans = _spans(name, rule, _Person(signals, person), of_person)
            for span in spans:
                start, end = signals.frame_times[[span.first, span.last]]
                score = score_of(span.size, rule.threshold)
                if name == 'hand_to_face':  # the nearer the surer; its size is the threshold over the distance
                    score = score_of(span.size, 1.0)
                events.append(RuleEvent(float(start), float(end), person, name, score, rule.region))
    return Found(tuple(sorted(events, key=lambda one: (one.start, one.person, one.label))), lacking)


def _lacks(rule: Rule, unavailable: Mapping[str, str]) -> str | None:
    """Why a rule cannot be evaluated on a layout; None if it can."""
    reasons = [unavailable[name] for name in rule.signals if name in unavailable]
    needed = 1 if rule.together else len(rule.signals)
    return reasons[0] if len(reasons) >= needed else None


class _Person:
    """The signals of one person: short gaps bridged, and unknown where the track leaps, which is no movement."""

    def __init__(self, signals: Signals, person: int) -> None:
        self.signals, self.person, self.times = signals, person, signals.frame_times

    def get(self, name: str) -> np.ndarray:
        bridged = bridge(self.signals.get(name)[self.person], self.times, MAX_GAP)
        return np.where(self.signals.jumps[self.person], np.nan, bridged)

    def noise(self, name: str) -> float:
        return _or_zero(float(self.signals.noise_of(name)[self.person]))

    def least(self, name: str, rule: Rule) -> float:
        """What a movement must reach: the rule's threshold, or more where the signal is noisy."""
        return max(rule.threshold, NOISE_FACTOR * self.noise(name))


def _spans(name: str, rule: Rule, person: _Person, before: Mapping[str, list[Span]]) -> list[Span]:
    """What one rule finds of one person."""
    if name in _AGAINST:
        return _head_swings(rule, _AGAINST[name], person)
    if rule.swings:
        spans = _merged([span for signal in rule.signals for span in _swings(rule, signal, person)])
        return [span for span in spans if _sits_still(person, span)]
    if name == 'turn':
        spans = _away_from_median(rule, rule.signals[0], person)
        return [span for span in spans if not _overlaps(span, before.get('head_shake', []))]
    if name == 'tilt':
        against, alone = (person.get(signal) for signal in rule.signals)
        used = rule.signals[0] if np.isfinite(against).sum() >= np.isfinite(alone).sum() / 2 else rule.signals[1]
        return _away_from_median(rule, used, person)
    if name == 'lean':
        return _away_from_median(rule, rule.signals[0], person)
    if name == 'shrug':
        return _shrugs(rule, person)
    if name == 'hand_to_face':
        return _merged([span for signal in rule.signals for span in _near_face(rule, signal, person)])
    return _crossed(rule, person)


def _sits_still(person: _Person, span: Span) -> bool:
    """Whether the trunk does not travel meanwhile, as in walking or turning on the spot."""
    energy = person.get('energy_body')[span.first : span.last + 1]
    energy = energy[np.isfinite(energy)]
    return not len(energy) or float(np.median(energy)) <= _STEPPING


def _swings(rule: Rule, signal: str, person: _Person) -> list[Span]:
    """Swings of one signal, beyond the noise of the calmest of the rule's: quick shaking looks like noise."""
    noise = min(person.noise(one) for one in rule.signals)
    least = max(rule.threshold, SWING_NOISE_FACTOR * noise)
    return oscillations(person.get(signal), person.times, least, rule.swings, rule.swing_seconds)


def _head_swings(rule: Rule, other: str, person: _Person) -> list[Span]:
    """Swings of one angle of the head that are larger than those of another."""
    angles = {name: calm(person.get(name), person.times) for name in _ANGLES}
    values, left = angles[rule.signals[0]]
    against, _ = angles[other]
    values = np.where(np.isfinite(against), values, np.nan)  # in profile yaw alone is told, and badly
    jitter = min(_jitter(angle, person.times) for angle, _ in angles.values())
    least = max(rule.threshold, SWING_NOISE_FACTOR * left * person.noise(rule.signals[0]), JITTER_FACTOR * jitter)
    spans = oscillations(values, person.times, least, rule.swings, rule.swing_seconds)
    return [span for span in spans if _spread(values, span) > _spread(against, span)]


def _jitter(values: np.ndarray, times: np.ndarray) -> float:
    """Noise that lasts some frames, which looks like a movement: of all angles of the head at once, it is none."""
    steps = np.diff(times)
    step = float(np.median(steps)) if len(steps) else 0.0
    return _or_zero(noise_floor(values, times, max(1, round(JITTER_SECONDS / step)))) if step > 0 else 0.0


def _spread(values: np.ndarray, span: Span) -> float:
    """How far a signal strays within a span from the straight way; NaN where half of it or more is unknown."""
    part = values[span.first : span.last + 1]
    known = np.flatnonzero(np.isfinite(part))
    if len(known) <= len(part) / 2:
        return float('nan')
    return float(np.std(part[known] - np.interp(known, known[[0, -1]], part[known[[0, -1]]])))


def _away_from_median(rule: Rule, signal: str, person: _Person) -> list[Span]:
    """Stretches to either side of the person's own median."""
    values = person.get(signal)
    if not np.isfinite(values).any():
        return []
    away = values - np.nanmedian(values)
    least = person.least(signal, rule)
    return sorted(span for side in (away, -away) for span in held(side, person.times, least, rule.seconds, slopes=True))


def _shrugs(rule: Rule, person: _Person) -> list[Span]:
    """Both shoulders up and the head no higher: neither a body that rises nor a head that sinks."""
    raised = [_above_median(person.get(signal)) for signal in rule.signals]
    nearer = _above_median(-person.get('head_shoulder_y'))
    least = max(person.least(signal, rule) for signal in (*rule.signals, 'head_shoulder_y'))
    together = np.minimum(np.minimum(*raised), nearer)
    return held(together, person.times, least, rule.seconds, _LONGEST_SHRUG, slopes=True)


def _above_median(values: np.ndarray) -> np.ndarray:
    return values - np.nanmedian(values) if np.isfinite(values).any() else values


def _near_face(rule: Rule, signal: str, person: _Person) -> list[Span]:
    distance = np.maximum(person.get(signal), 1e-3)
    return held(rule.threshold / distance, person.times, 1.0, rule.seconds)


def _crossed(rule: Rule, person: _Person) -> list[Span]:
    crossed = person.get(rule.signals[0])
    sides = [person.get(f'hand_trunk_{side}') for side in ('left', 'right')]
    with np.errstate(invalid='ignore'):
        before_trunk = np.maximum(*sides) <= _NEAR_TRUNK
    return held(
        np.where(before_trunk, crossed, np.nan), person.times, person.least(rule.signals[0], rule), rule.seconds
    )


def _overlaps(span: Span, others: list[Span]) -> bool:
    return any(span.first <= other.last and other.first <= span.last for other in others)


def _merged(spans: list[Span]) -> list[Span]:
    """Spans of several signals as one where they overlap, with the larger size."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.first <= merged[-1].last:
            last = merged.pop()
            span = Span(last.first, max(last.last, span.last), max(last.size, span.size))
        merged.append(span)
    return merged


def _or_zero(value: float) -> float:
    return value if np.isfinite(value) else 0.0
