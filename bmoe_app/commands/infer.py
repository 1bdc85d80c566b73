"""From a video to events: who did what, when, seen by which part of the body.

    bmoe infer videos/ --backend mediapipe                      # events of the model that comes along, and of rules
    bmoe infer videos/ --checkpoint best.pth --out answers/     # what a model of yours recognises, and rules
    bmoe infer videos/ --no-model                               # movement signals, and events by rule alone
    bmoe infer poses/ --checkpoint best.pth --threshold 0.7     # tracks that are there already
    bmoe infer clips.pkl --checkpoint best.pth                  # skeletons of pyskl or mmaction2, an answer a clip
    bmoe infer videos/ --export eaf textgrid --overlay          # for ELAN and Praat, and a video with the answer in it

Of videos/nod/a.mp4 come answers/nod/a.mp4.html, a page to look at and correct, .events.csv, .signals.csv, .noise.csv
and .json; over all of them answers/index.html, events.csv and answers.json. Tracks are kept in answers/poses, so that a
second run is quick.
What the columns mean, and how windows become events: docs/guides/infer.md.

Exit code: 0 everything was answered, 1 some could not be or was not read whole, 2 nothing could be answered.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence

from bmoe_app.answer import Answer
from bmoe_app.answer.infer import answer_tracks, is_partial, load_recognizer
from bmoe_app.answer.inputs import find_inputs
from bmoe_app.commands.further_outputs import further_outputs
from bmoe_app.commands.infer_options import add_arguments, extraction_of, model_settings, reading_of
from bmoe_app.commands.outputs import Outputs
from bmoe_app.parsing import parse_arguments
from bmoe_ground.errors import UserError
from bmoe_ground.names import printable

SHOWN = 20
"""Errors and notes that are printed; one missing option fails every clip of a data set. All stand in answers.json."""


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run the command; see :data:`bmoe_app.cli.COMMANDS`."""
    args = parse_arguments('bmoe infer', __doc__, add_arguments, argv, prog)
    if not 0 <= args.min_score <= 1:
        raise UserError(f'--min-score: must be within 0..1, got {args.min_score}')
    extraction, reading = extraction_of(args), reading_of(args)
    model = load_recognizer(model_settings(args))  # an unfit one is refused before hours of extraction
    inputs = find_inputs(args.source, args.out, extraction, reading, args.videos)
    outputs = Outputs(args.out, *further_outputs(args.page, args.export, args.overlay))
    screen = _Screen(args.quiet)
    options = {'rules': args.rules, 'min_score': args.min_score}
    try:
        for one in inputs:
            try:
                tracks = one.load()
                answer = answer_tracks(tracks, model or False, name=one.name, video=one.video, file=one.file, **options)
                faults = outputs.add(answer, is_partial(tracks))
            except UserError as error:
                outputs.failed(one.name, error)
                screen.problem('error', one.name, str(error))
                continue
            screen.answer(answer)
            for fault in faults:
                screen.problem('error', one.name, fault)
    finally:  # what is done is kept, whatever ends the run
        outputs.finish()
    screen.end()
    print(outputs.summary())
    return outputs.exit_code


class _Screen:
    """What is printed: answers, and the first of the problems."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._problems: Counter[str] = Counter()

    def problem(self, kind: str, name: str, text: str) -> None:
        """An error or a note of one input."""
        self._problems[kind] += 1
        if self._problems[kind] <= SHOWN:
            print(f'{printable(name)}: {kind}: {printable(text)}', file=sys.stderr)

    def answer(self, answer: Answer) -> None:
        """The events of one answer, that there are none, and what is to be known of it."""
        for note in answer.notes:
            self.problem('note', answer.name, note)
        if not self._quiet:
            print('\n'.join(_lines(answer)))

    def end(self) -> None:
        """How many problems were not printed."""
        for kind, count in self._problems.items():
            if count > SHOWN:
                print(f'{count - SHOWN} more {kind}s, all in answers.json', file=sys.stderr)


def _lines(answer: Answer) -> Iterator[str]:
    """An answer for the screen."""
    name = printable(answer.name)
    for e in answer.events:
        found = f'{printable(e.label)}  {e.score:.2f}' + (f'  by {e.region}' if e.region else '')
        yield f'{name}  {e.start:.2f}-{e.end:.2f} s  person {e.person}  {found}  ({e.source})'
    people = answer.tracks.num_persons
    if not people:
        yield f'{name}: nobody seen in {answer.seconds:.1f} s'
    elif not answer.events:
        yield f'{name}: nothing happened: no event of {people} person{"s" * (people > 1)} in {answer.seconds:.1f} s'
    for label, reason in answer.not_looked_for.items():
        yield f'{name}: {label} not looked for: {reason}'
