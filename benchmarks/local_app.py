"""The local app: how much longer than a video its answer takes, and what a killed server loses.

python tools/benchmark.py app VIDEO                     # five videos of a minute, sent one after the other
python tools/benchmark.py app VIDEO --copies 3 --seconds 20 --kill-after 15   # SIGKILL on the way, then started anew

The server is the real one, a process of its own, asked over HTTP as the page asks it. The videos are the given one,
repeated to the wanted length; all are sent at once, and answered one after the other: the time of the later ones holds
that of the earlier ones, the time at work does not.

Exit code: 0 all answered, 1 one was lost or answered twice, or the server's processes outlived it, 2 no app to measure.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from benchmarks.machine import machine_and_load
from benchmarks.repeated_video import write_repeated
from bmoe_app.server.items import ENDED, RESULT
from bmoe_ground.errors import UserError

REPO = Path(__file__).resolve().parents[1]
EVERY = 0.2  # seconds between two looks, which is how exact times are
READY_WITHIN = 300.0
GONE_WITHIN = 5.0
ANSWERED = ('ok', 'partial')
LOST = 'lost'
PROCESSES = Path('/proc')
Stamps = dict[str, tuple[int, ...]]
"""Video -> when the files of its finished answer were written."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add('video', type=Path)
    add('--copies', type=int, default=5, help='(default: %(default)s)')
    add('--seconds', type=float, default=60.0, help='length of each (default: %(default)s)')
    kill = 'kill the server so long after the last video was sent, and start it anew'
    add('--kill-after', type=float, metavar='SECONDS', help=kill)
    patience = 'give up when nothing has moved for so long (default: %(default)s)'
    add('--patience', type=float, default=300.0, metavar='SECONDS', help=patience)
    add('--backend', default='mediapipe', help='(default: %(default)s)')


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    _check(args)
    print(f'{machine_and_load()} at the start')
    with _sigterm_ends_in_order(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video = folder / 'video.mp4'
        made = write_repeated(args.video, video, seconds=args.seconds)
        size = f'{made.size[0]}x{made.size[1]}'
        print(f'{args.video.name}: {made.frames} frames of {size}, {args.copies} copies; backend {args.backend}')
        kept = folder / 'app'
        with served(kept, args.backend) as server:
            copies = [server.send(video, f'copy_{number}.mp4') for number in range(1, args.copies + 1)]
            until = None if args.kill_after is None else time.monotonic() + args.kill_after
            watch(server, copies, args.patience, until)
            before, outlived = ({}, False) if until is None else _kill(server, kept, copies, until)
        if until is not None:
            with served(kept, args.backend) as server:
                watch(server, copies, args.patience)
        return max(report(copies, made.seconds, before, stamps(kept, copies)), int(outlived))


def _check(args: argparse.Namespace) -> None:
    if args.copies < 1:
        raise UserError(f'--copies: must be at least 1, got {args.copies}')
    for name in ('seconds', 'patience'):
        if not getattr(args, name) > 0:
            raise UserError(f'--{name}: must be above 0, got {getattr(args, name)}')
    if args.kill_after is not None:
        if not args.kill_after >= 0:
            raise UserError(f'--kill-after: must not be negative, got {args.kill_after}')
        if not PROCESSES.is_dir():
            raise UserError('--kill-after: who outlives the server is read from /proc, which this system has not')


@contextmanager
def _sigterm_ends_in_order() -> Iterator[None]:
    """Let SIGTERM, as of ``timeout``, end the server too, and remove what is temporary."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@dataclass
class Copy:
    """One video that was sent.

    Attributes:
        id: What the app calls it.
        name: What it was sent as.
        sent: Clock seconds at which its sending began.
        answered: Clock seconds at which it was seen to have ended; None before.
        state: As the app says it, or ``lost`` where the app no longer knows it.
        took: Seconds of work, as the app says them.
    """

    id: str
    name: str
    sent: float
    answered: float | None = None
    state: str = 'queued'
    took: float | None = None


class Server:
    """The app as a process of its own, in a process group of its own.

    Args:
        folder: What it keeps everything in; what it prints lies beside it.
        backend: Of the extraction.

    Raises:
        UserError: It does not come up.
    """

    def __init__(self, folder: Path, backend: str) -> None:
        self._said, self._complained = folder.with_suffix('.out'), folder.with_suffix('.err')
        command = [sys.executable, str(REPO / 'tools/app.py'), '--out', str(folder), '--port', '0', '--no-browser']
        began = time.monotonic()
        with self._said.open('wb') as out, self._complained.open('wb') as err:
            self.process = subprocess.Popen(
                [*command, '--backend', backend],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True,
            )  # fmt: skip
        try:
            self._cookie = self._log_in(began + READY_WITHIN)
        except BaseException:
            self.end()
            raise
        print(f'the app is ready after {time.monotonic() - began:.1f} s', flush=True)

    def _log_in(self, until: float) -> str:
        """Wait for the address, and exchange the token in it for the cookie."""
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise UserError(f'the app ended at its start: {self._last_words()}')
            lines = [line for line in self._said.read_text().splitlines(True) if line.startswith('The page: ')]
            if lines and lines[0].endswith('\n'):
                address = urlsplit(lines[0].split()[-1])
                self._port = address.port
                with suppress(ConnectionRefusedError):  # it is printed a moment before it is served
                    response, _ = self._exchange('GET', f'/?{address.query}', {}, None)
                    return (response.getheader('set-cookie') or '').split(';')[0]
            time.sleep(0.05)
        raise UserError(f'the app is not ready after {READY_WITHIN:.0f} s: {self._last_words()}')

    def send(self, video: Path, name: str) -> Copy:
        """Upload a video.

        Raises:
            UserError: It is refused.
        """
        began = time.monotonic()
        with video.open('rb') as file:
            size = {'content-length': str(video.stat().st_size)}
            answer = self._ask('POST', f'/api/videos?name={quote(name)}', size, file)
        return Copy(answer['id'], name, began)

    def state(self, version: str) -> dict[str, Any]:
        """What the app says of its videos; nothing where nothing has changed since a version.

        Raises:
            UserError: It does not answer.
        """
        return self._ask('GET', f'/api/state?version={version}')

    def _ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None) -> Any:
        try:
            response, data = self._exchange(method, path, {'cookie': self._cookie, **(headers or {})}, body)
        except (OSError, HTTPException) as error:
            raise UserError(f'the app no longer answers ({error}): {self._last_words()}') from error
        if response.status not in (200, 201, 204):
            raise UserError(f'the app refused {method} {path} ({response.status}): {data.decode()[:300]}')
        return json.loads(data or b'{}')

    def _exchange(self, method: str, path: str, headers: dict[str, str], body: Any) -> tuple[HTTPResponse, bytes]:
        connection = HTTPConnection('127.0.0.1', self._port or 0, timeout=120)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def _last_words(self) -> str:
        words = self._complained.read_text(errors='replace').strip().splitlines()
        return words[-1].removeprefix('error: ') if words else 'it said nothing'

    def kill(self) -> tuple[int, float | None]:
        """Kill the server alone, and see what becomes of its processes.

        Returns:
            How many there were beside it, and the seconds until all were gone; None where some were not in time.
        """
        others = len(living_of_group(self.process.pid)) - 1
        began = time.monotonic()
        self.process.kill()
        self.process.wait()
        while living_of_group(self.process.pid):
            if time.monotonic() > began + GONE_WITHIN:
                return others, None
            time.sleep(0.02)
        return others, time.monotonic() - began

    def end(self) -> None:
        """End it in order, then by force whatever is left of it."""
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def served(folder: Path, backend: str) -> Iterator[Server]:
    """Start the app, and end it."""
    server = Server(folder, backend)
    try:
        yield server
    finally:
        server.end()


def living_of_group(group: int) -> list[int]:
    """The processes of a process group, without those that have ended and that nobody has asked for yet."""
    found = []
    for path in PROCESSES.glob('[0-9]*/stat'):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, _, its = path.read_text(errors='replace').rpartition(')')[2].split()[:3]
            if int(its) == group and state not in 'ZX':
                found.append(int(path.parent.name))
    return found


def watch(server: Server, copies: Sequence[Copy], patience: float, until: float | None = None) -> None:
    """Look at the app until all copies have ended, nothing has moved for so long, or a moment has come.

    Args:
        server: The app.
        copies: What was sent; what became of each is put down in it.
        patience: Seconds without any change after which to give up.
        until: The moment, in clock seconds.
    """
    version, moved = '', time.monotonic()
    while any(copy.answered is None and copy.state != LOST for copy in copies):
        now = time.monotonic()
        if (until is not None and now >= until) or now > moved + patience:
            return
        said = server.state(version)
        if said:
            version, moved = said['version'], now
            note(copies, said['videos'], time.monotonic())
        time.sleep(EVERY)


def note(copies: Sequence[Copy], videos: Sequence[dict[str, Any]], now: float) -> None:
    """Put down in the copies what the app says of its videos.

    Args:
        copies: What was sent.
        videos: ``videos`` of ``/api/state``.
        now: Clock seconds at which it was said.
    """
    known = {video['id']: video for video in videos}
    for copy in copies:
        video = known.get(copy.id)
        copy.state = LOST if video is None else video['state']
        if video is not None and copy.answered is None and copy.state in ENDED:
            copy.answered, copy.took = now, video['took']


def _kill(server: Server, folder: Path, copies: Sequence[Copy], until: float) -> tuple[Stamps, bool]:
    """Kill the server when the moment has come.

    Returns:
        When the answers were written that were finished then, and whether a process outlived the server.
    """
    time.sleep(max(0.0, until - time.monotonic()))
    others, seconds = server.kill()
    before = stamps(folder, copies)
    print(
        f'the server is killed: {len(before)} of {len(copies)} were done; its {others} further processes '
        + (f'outlive it by more than {GONE_WITHIN:.0f} s' if seconds is None else f'end {seconds:.1f} s after it'),
        flush=True,
    )
    return before, seconds is None


def stamps(folder: Path, copies: Sequence[Copy]) -> Stamps:
    """When the files of the finished answers in an app's folder were written, by the videos' names there."""
    found = {}
    for copy in copies:
        place = folder / 'items' / copy.id
        if (place / RESULT).is_file():
            files = [place / RESULT, *sorted(place.glob('answer.*'))]
            found[copy.id] = tuple(file.stat().st_mtime_ns for file in files)
    return found


def report(copies: Sequence[Copy], length: float, before: Stamps, after: Stamps) -> int:
    """Print what became of each, and of all.

    Args:
        copies: What was sent.
        length: Seconds of each video.
        before: When the answers were written that were finished when the server was killed.
        after: The same at the end, of all.

    Returns:
        1 if one was lost or answered twice, else 0.
    """
    print(f'{"video":12}{"length":>10}{"answered after":>18}{"surplus":>12}{"at work":>12}  state')
    for copy in copies:
        spent = None if copy.answered is None else copy.answered - copy.sent
        surplus = None if spent is None else spent - length
        print(f'{copy.name:12}{length:8.1f} s{_s(spent, 16)}{_s(surplus, 10)}{_s(copy.took, 10)}  {copy.state}')
    answered = [copy for copy in copies if copy.state in ANSWERED and copy.id in after]
    ends = [copy.answered for copy in copies if copy.answered is not None]
    if len(answered) == len(copies):
        spent, whole = max(ends) - copies[0].sent, length * len(copies)
        print(f'{"all":12}{whole:8.1f} s{_s(spent, 16)}{_s(spent - whole, 10)}')
    twice = sum(key in after and after[key] != written for key, written in before.items())
    lost = len(copies) - len(answered)
    print(f'{len(answered)} of {len(copies)} answered at the end, {lost} lost, {twice} answered twice')
    return int(lost > 0 or twice > 0)


def _s(seconds: float | None, width: int) -> str:
    return f'{"-":>{width}}  ' if seconds is None else f'{seconds:{width}.1f} s'
