"""Errors of head angles and of rule events on generated people, whose movement is known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from benchmarks.moving_people import acted, person, tracks_of, turned
from bmoe_app.rules import RULES, find_events
from bmoe_app.signals import compute_signals
from bmoe_app.signals.head import TEMPLATE, fit_rotation, to_angles

COCO = ('nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear')
POSES = [(yaw, pitch, roll) for yaw in (-40, -20, 0, 20, 40) for pitch in (-20, 0, 20) for roll in (-20, 0, 20)]
TOLERANCES = (0.08, 0.2)
"""Seconds within which people agree on an onset: the best of them, and most."""
EYES = 6.3  # centimetres apart


class Tally(NamedTuple):
    """How one rule fared on generated movements.

    Attributes:
        movements: Number of its movements.
        found: Of them, with one event of the rule or more that overlaps.
        false: Events of the rule at any other time or in any other movement.
        onsets: Errors in seconds of the found ones, late positive.
    """

    movements: int
    found: int
    false: int
    onsets: np.ndarray

    @property
    def precision(self) -> float:
        """Share of the rule's events that are right; NaN without events."""
        events = self.found + self.false
        return self.found / events if events else float('nan')


def angle_errors(seed: int = 0) -> dict[str, np.ndarray]:
    """Root mean square errors of yaw, pitch and roll in degrees over :data:`POSES`, five face points.

    Returns:
        ``jitter``: with jitter of 1/40 of the distance of the eyes. ``near``: from a camera at 70 cm. ``other head``:
        points off the template by 5 mm, as the shift of a head; ``other head, change``: of the difference to the
        head's own straight pose.
    """
    model = np.array([TEMPLATE[name] for name in COCO])
    random = np.random.default_rng(seed)
    errors: dict[str, list[np.ndarray]] = {name: [] for name in ('jitter', 'near', 'other head', 'other head, change')}
    for pose in POSES:
        flat = (model @ turned(*pose).T)[None]
        noise = random.normal(0, EYES / 40, (100, len(model), 2))
        errors['jitter'].append(to_angles(fit_rotation(model, flat[..., :2] + noise)) - pose)
        errors['near'].append(to_angles(fit_rotation(model, flat[..., :2] * 70 / (70 - flat[..., 2:]))) - pose)
        heads = np.stack([other_head(model, random) for _ in range(100)])
        found = to_angles(fit_rotation(model, (heads @ turned(*pose).T)[..., :2]))
        straight = to_angles(fit_rotation(model, heads[..., :2]))
        errors['other head'].append(found - pose)
        errors['other head, change'].append(found - straight - pose)
    return {name: np.sqrt(np.nanmean(np.concatenate(parts) ** 2, 0)) for name, parts in errors.items()}


def other_head(model: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The head of :data:`COCO` with nose, eyes and ears 5 mm off on each axis (standard deviation), mirrored alike."""
    nose, eye, ear = random.normal(0, 0.5, (3, 3))
    mirror = np.array([-1, 1, 1])
    return model + [nose * (0, 1, 1), eye, eye * mirror, ear, ear * mirror]


def tally_rules(
    size: float, jitter: float, clips: int = 12, layout: str = 'coco17', fps: float = 30.0
) -> dict[str, Tally]:
    """Make each rule's movement in clips of 8 s and count what the rules find; as many still clips beside them.

    Args:
        size: Of the movements, see :func:`benchmarks.moving_people.acted`.
        jitter: Standard deviation of white noise in pixels; shoulders are 108 apart, eyes 19.
        clips: Of each movement.
        layout: Of the tracks.
        fps: Frames a second.
    """
    times = np.arange(int(8 * fps)) / fps
    false = dict.fromkeys(RULES, 0)
    onsets: dict[str, list[float]] = {name: [] for name in RULES}
    for label in (*RULES, None):
        for seed in range(clips):
            start = 2.0 + seed / clips
            tracks = (
                acted(label, times, layout, size, start, jitter, seed)
                if label
                else person(times, layout, jitter=jitter, seed=seed)
            )
            hit = False
            for event in find_events(compute_signals(tracks)).events:
                if event.label != label or event.end < start or event.start > start + 2:
                    false[event.label] += 1
                elif not hit:
                    hit = True
                    onsets[event.label].append(event.start - start)
    return {name: Tally(clips, len(onsets[name]), false[name], np.array(onsets[name])) for name in RULES}


def false_events(jitter: float, correlation: float, minutes: float = 2.0, seed: int = 0) -> dict[str, float]:
    """Events a minute of somebody who sits still, with jitter that is correlated from frame to frame.

    Args:
        jitter: Its standard deviation in pixels; eyes are 19 apart.
        correlation: From one frame to the next, 30 a second, first-order autoregressive.
        minutes: Length of the recording.
        seed: Of the noise.

    Returns:
        For each rule that fired, events a minute.
    """
    times = np.arange(int(60 * 30 * minutes)) / 30
    keypoints = person(times).keypoints.astype(np.float64)
    noise = np.random.default_rng(seed).normal(0, 1, keypoints.shape)
    for t in range(1, len(times)):
        noise[:, t] = correlation * noise[:, t - 1] + np.sqrt(1 - correlation**2) * noise[:, t]
    found = find_events(compute_signals(tracks_of(keypoints + jitter * noise, times, 'coco17'))).events
    counts: dict[str, float] = {}
    for event in found:
        counts[event.label] = counts.get(event.label, 0) + 1 / minutes
    return counts


def print_generated() -> None:
    """Print all tables."""
    print('| head angles, root mean square error | yaw | pitch | roll |\n|---|---|---|---|')
    for name, error in angle_errors().items():
        print(f'| {name} | {error[0]:.1f} | {error[1]:.1f} | {error[2]:.1f} |')
    for size, jitter in ((1.0, 0.3), (0.6, 0.3), (1.0, 1.0)):
        print(f'\nmovements x {size:g}, jitter {jitter:g} px of 108 px shoulders\n')
        print('| rule | precision | recall | onset error, median | within 80 ms | within 200 ms |')
        print('|---|---|---|---|---|---|')
        for name, tally in tally_rules(size, jitter).items():
            shares = [float(np.mean(np.abs(tally.onsets) <= t)) if tally.found else float('nan') for t in TOLERANCES]
            median = 1000 * float(np.median(tally.onsets)) if tally.found else float('nan')
            print(
                f'| `{name}` | {tally.precision:.2f} | {tally.found / tally.movements:.2f} | {median:+.0f} ms '
                f'| {shares[0]:.2f} | {shares[1]:.2f} |'
            )
    print('\n| jitter of somebody still | correlation | false events a minute |\n|---|---|---|')
    for jitter in (0.5, 1.0, 1.5):
        for correlation in (0.0, 0.5, 0.8):
            counts = false_events(jitter, correlation)
            text = ', '.join(f'{name} {rate:g}' for name, rate in sorted(counts.items())) or 'none'
            print(f'| {jitter:g} px (eyes 19 px apart) | {correlation:g} | {text} |')
