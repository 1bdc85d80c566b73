"""What people do while a camera, a file or a stream runs: a line for each event as it closes.

    bmoe live --source 0 --backend mediapipe                    # the first camera
    bmoe live --source talk.mp4 --json events.jsonl             # a file, played at its own pace
    bmoe live --source rtsp://camera.local/1 --checkpoint best.pth

Frames that there is no time for are dropped, so that what is told is of now. Ctrl-C ends it. The picture with the
skeletons is in the app: bmoe app, tab Live.

Exit code: 0 it ended or was ended, 1 it broke off on the way, 2 no picture came.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bmoe_app.answer.events import Event
from bmoe_app.answer.infer import load_recognizer
from bmoe_app.commands.infer_options import (
    add_who_answers,
    add_without_kept_tracks,
    extraction_settings,
    model_settings,
)
from bmoe_app.live import Grabber, LiveView, source_of
from bmoe_app.live.view import live_settings
from bmoe_app.parsing import parse_arguments
from bmoe_ground.errors import UserError
from bmoe_ground.names import printable
from bmoe_ground.native_output import library_warnings_silenced, native_stderr_silenced
from pose_extract.estimators import backend_class

EVERY = 5.0
"""Seconds between two lines about the pace."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add('--source', required=True, help="a camera's number, a video file, or a stream's address")
    add_who_answers(parser)
    add('--json', type=Path, metavar='FILE', help='write each event as a line of JSON, too')
    add('--patience', type=float, default=30.0, help='seconds to wait for a camera that went away (default: 30)')
    add('--seconds', type=float, help='end after this long')
    add('--quiet', action='store_true', help='no line about the pace')
    add_without_kept_tracks(parser)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run the command; see :data:`bmoe_app.cli.COMMANDS`."""
    args = parse_arguments('bmoe live', __doc__, add_arguments, argv, prog)
    source = source_of(args.source)
    settings = live_settings(extraction_settings(args))
    library_warnings_silenced()
    model = load_recognizer(model_settings(args))
    grabber = Grabber(source, args.patience, tell=_trouble)
    with native_stderr_silenced(), _lines_to(args.json) as file, _signals_end(grabber):
        estimator = backend_class(settings.backend)(settings)
        view = LiveView(grabber.start(), estimator, model, args.rules, args.min_score, draw=False)
        try:
            told = _watch(view, grabber, file, args.quiet, args.seconds)
        finally:
            grabber.stop()
    if not view.looked:
        raise grabber.failure or UserError(f'{source.name}: no picture came')
    print(
        f'{view.looked} frames looked at, {max(0, grabber.read - view.looked)} dropped, {told} events'
        + (f'; broke off {_times(grabber.breaks)}' if grabber.breaks else '')
    )
    if grabber.failure is not None:
        print(f'error: {printable(str(grabber.failure))}: given up after {args.patience:g} s', file=sys.stderr)
    return int(grabber.failure is not None or grabber.breaks > 0)


def _watch(view: LiveView, grabber: Grabber, file: IO[str] | None, quiet: bool, seconds: float | None) -> int:
    """Print events as they close, until the source ends; returns how many."""
    said, told, began = time.monotonic(), 0, time.monotonic()
    for seen in view.run():
        for event in seen.events:
            told += 1
            print(line_of(event), flush=True)
            if file is not None:
                file.write(json.dumps(event.as_dict()) + '\n')
                file.flush()
        now = time.monotonic()
        if not quiet and now - said >= EVERY:
            said = now
            print(f'{seen.time:7.1f} s  {pace_of(view, grabber)}', file=sys.stderr)
        if seconds is not None and now - began >= seconds:
            grabber.ask_to_stop()  # the view ends with it, and tells what is still open
    return told


def line_of(event: Event) -> str:
    """An event on one line."""
    by = f'  by {event.region}' if event.region else ''
    found = f'{printable(event.label)}  {event.score:.2f}{by}  ({event.source})'
    return f'{event.start:.2f}-{event.end:.2f} s  person {event.person}  {found}'


def pace_of(view: LiveView, grabber: Grabber) -> str:
    """Frames a second, latency and dropped frames in words."""
    rate, median, high = view.pace()
    dropped = max(0, grabber.read - view.looked)
    return f'{rate:.1f} frames/s, latency {1000 * median:.0f} ms (95 %: {1000 * high:.0f} ms), {dropped} dropped'


@contextmanager
def _lines_to(path: Path | None) -> Iterator[IO[str] | None]:
    if path is None:
        yield None
        return
    try:
        file = path.open('w', encoding='utf-8')
    except OSError as error:
        raise UserError(f'{path}: cannot be written: {error.strerror or error}') from error
    with file:
        yield file


@contextmanager
def _signals_end(grabber: Grabber) -> Iterator[None]:
    """Ctrl-C, or being asked to end, ends the source, and so all that waits for it."""
    before = {
        number: signal.signal(number, lambda *_: grabber.ask_to_stop()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _trouble(text: str) -> None:
    print(printable(text) or 'the picture is back', file=sys.stderr)


def _times(number: int) -> str:
    return 'once' if number == 1 else f'{number} times'
