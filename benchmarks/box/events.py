"""A model's and the rules' events in minutes of generated people: what is found, and what is said in vain.

python tools/benchmark.py box-events                              # 40 recordings of 12 movements, 20 minutes of rest
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.box.recordings import Recording, make_recording
from bmoe_app.answer import Event, ModelSettings, answer_tracks
from bmoe_app.answer.bundled import BY_RULE, default_model
from bmoe_app.answer.model import Recognizer
from bmoe_skel.everyday import EVERYDAY
from bmoe_skel.taxonomy import TAXONOMY

REACH = 0.25
"""Seconds by which an event may miss a movement and still be its."""


class Tally(NamedTuple):
    """How events fared against what was done.

    Attributes:
        movements: Class to how many there are.
        found: Class to how many of them have an event of the class.
        false: Label to events that are of no movement of it.
        minutes: Of people.
    """

    movements: Counter[str]
    found: Counter[str]
    false: Counter[str]
    minutes: float

    def recall(self, labels: Iterable[str]) -> float:
        """Mean over those of the classes that occur."""
        shares = [self.found[name] / self.movements[name] for name in labels if self.movements[name]]
        return float(np.mean(shares)) if shares else float('nan')


def tally(recordings: Sequence[Recording], events: Sequence[Sequence[Event]], named: Mapping[str, str]) -> Tally:
    """Compare.

    Args:
        recordings: What was done.
        events: What was found in each.
        named: Class to the label of its events, for those that are told; of rules one label may stand for two classes.

    Returns:
        A movement is found where an event of its label overlaps it; an event is false where it overlaps no movement of
        its label and does not lie in between, while somebody comes or goes back.
    """
    movements: Counter[str] = Counter()
    found: Counter[str] = Counter()
    false: Counter[str] = Counter()
    for recording, told in zip(recordings, events, strict=True):
        for real in recording.truth:
            if real.label in named:
                movements[real.label] += 1
                found[real.label] += any(_meet(real, one) and one.label == named[real.label] for one in told)
        for one in told:
            right = any(_meet(real, one) and named.get(real.label) == one.label for real in recording.truth)
            if not right and not _between(one, recording.between):
                false[one.label] += 1
    minutes = sum(float(one.tracks.frame_times[-1]) for one in recordings) / 60
    return Tally(movements, found, false, minutes)


def _meet(real: Event, one: Event) -> bool:
    return one.start <= real.end + REACH and one.end >= real.start - REACH


def _between(one: Event, between: Sequence[tuple[float, float]]) -> bool:
    """Whether most of an event lies where nothing has a label."""
    covered = sum(max(0.0, min(one.end, stop) - max(one.start, start)) for start, stop in between)
    return covered >= (one.end - one.start) / 2


OWN_NAMES = {name: name for name in TAXONOMY}
RULE_NAMES = {name: one.rule for name, one in TAXONOMY.items() if one.rule is not None}


def make_recordings(count: int, seed: int = 0) -> list[Recording]:
    """Recordings of people who move, and half as many minutes of people who rest."""
    moving = [make_recording(1000 * seed + number) for number in range(count)]
    return moving + [make_recording(1000 * seed + 500 + number, 0) for number in range(count // 2)]


def print_table(model: Tally, rules: Tally, together: Tally) -> None:
    """A row a class: recall and false events a minute of both; below, of both together as the package has them."""
    print(f'{model.minutes:.0f} minutes\n')
    print(
        '| class | movements | model finds | false a minute | rule finds | false a minute |\n|---|---|---|---|---|---|'
    )
    for name in OWN_NAMES:
        if not model.movements[name]:
            continue
        own = f'{model.found[name] / model.movements[name]:.2f} | {model.false[name] / model.minutes:.2f}'
        rule = RULE_NAMES.get(name)
        by_rule = '– | –'
        if rule is not None:
            by_rule = f'{rules.found[name] / rules.movements[name]:.2f} | {rules.false[rule] / rules.minutes:.2f}'
        print(f'| `{name}` | {model.movements[name]} | {own} | {by_rule} |')
    for what, one, names in (
        ('model', model, OWN_NAMES),
        ('rules', rules, RULE_NAMES),
        ('together', together, OWN_NAMES),
    ):
        print(f'{what}: mean recall {one.recall(names):.2f} over {len(names)} classes, '
              f'{sum(one.false.values()) / one.minutes:.2f} false events a minute')  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``tools/benchmark.py box-events``."""
    what = 'trained by configs/benchmarks/box.py (default: the one that comes with the package)'
    parser.add_argument('checkpoint', type=Path, nargs='?', default=EVERYDAY, help=what)
    parser.add_argument('--recordings', type=int, default=40, help='of 12 movements each (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=1, help='of the recordings (default: %(default)s)')
    parser.add_argument('--thresholds', type=float, nargs='+', default=[0.5])


def run(arguments: argparse.Namespace) -> int:
    """Print the tables; exit code 0."""
    recordings = make_recordings(arguments.recordings, arguments.seed)
    for threshold in arguments.thresholds:
        model = Recognizer(ModelSettings(arguments.checkpoint, threshold=threshold))
        answers = [answer_tracks(one.tracks, model) for one in recordings]
        own = [[event for event in one.events if event.source == 'model'] for one in answers]
        by_rule = [[event for event in one.events if event.source == 'rule'] for one in answers]
        print(f'\nthreshold {threshold:g}, ', end='')
        usual = Recognizer(default_model(checkpoint=arguments.checkpoint, threshold=threshold))
        both = tally(recordings, [answer_tracks(one.tracks, usual).events for one in recordings], OWN_NAMES)
        print_table(tally(recordings, own, OWN_NAMES), tally(recordings, by_rule, RULE_NAMES), both)
        told = {name: f'{both.found[name]}, {both.false[name]} false' for name in BY_RULE}
        print(f'together, by rule where the model confirms it: {told}')
    return 0
