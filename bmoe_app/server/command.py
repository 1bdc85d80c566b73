"""A page in the browser of this computer: drop videos, see who did what and when.

    bmoe app                                # opens the page; no model to download, one person a video
    bmoe app --folder videos/               # offers the videos of a folder, too, without copying them
    bmoe app --backend mmpose               # several people; downloads weights once
    bmoe app --checkpoint best.pth          # asks a trained model beside the rules
    bmoe app --stream rtsp://camera.local/1 # offers a stream in the tab Live

Everything stays on this computer: the page is served to its own browser only, and only by the address that is printed.
Videos and answers are kept in --out; what was queued when the app was ended goes on at the next start. Ctrl-C ends it.
Step by step, with pictures: docs/guides/app.md.

Exit code: 0 it was ended, 2 it could not begin.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import socket
import sys
import webbrowser
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import uvicorn

from bmoe_app.commands.infer_options import (
    add_who_answers,
    add_without_kept_tracks,
    extraction_settings,
    model_settings,
)
from bmoe_app.exports import EXPORTS
from bmoe_app.live import source_of
from bmoe_app.parsing import parse_arguments
from bmoe_app.server.live_process import Live, LiveTask
from bmoe_app.server.queue import Queue
from bmoe_app.server.routes import App, make_app
from bmoe_app.server.store import Busy, Limits, Store
from bmoe_app.server.worker import AnswerProcess, AnswerTask
from bmoe_ground.errors import UserError
from pose_extract.discovery import VideoItem, find_videos

PORT = 8790
TOKEN, ADDRESS = '.token', '.address'
"""Files of the app's folder, for its owner alone: the token, and where the page was last served."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add('--out', type=Path, default=Path.home() / 'bmoe-answers', help='folder to keep it all (default: %(default)s)')
    add('--folder', type=Path, help='a folder of videos to offer on the page; they are not copied')
    add_who_answers(parser)
    kinds = [kind for kind in EXPORTS if kind not in ('csv', 'json')]
    add('--export', nargs='+', default=[], choices=kinds, metavar='KIND', help=f'also write: {", ".join(kinds)}')
    add('--stream', action='append', default=[], metavar='URL', help='a stream for the tab Live; may be repeated')
    add('--port', type=int, default=PORT, help='corrections are kept by port and browser (default: %(default)s)')
    add('--no-browser', dest='browser', action='store_false', help='do not open the page, only print its address')
    add('--max-file', type=float, default=8.0, metavar='GB', help='largest video (default: %(default)s)')
    add('--max-total', type=float, default=100.0, metavar='GB', help='of all uploads (default: %(default)s)')
    add_without_kept_tracks(parser)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run the command; see :data:`bmoe_app.cli.COMMANDS`."""
    args = parse_arguments('bmoe app', __doc__, add_arguments, argv, prog)
    settings, model = extraction_settings(args), model_settings(args)
    for stream in args.stream:
        source_of(stream)
    try:
        store = Store(args.out, _limits(args), _offered(args))
    except Busy:
        return _show_running(args)
    with ExitStack() as ending:
        ending.callback(store.close)
        listening = ending.enter_context(_listen(args.port))
        task = AnswerTask(store.folder / 'items', settings, model, args.rules, args.min_score, tuple(args.export))
        print('loading ...', file=sys.stderr)
        hire = partial(AnswerProcess, task)
        worker = hire()
        worker.wait_ready()
        queue = Queue(store, hire, worker)
        live = Live(LiveTask(settings, model, args.rules, args.min_score))
        asked = [*([model.checkpoint.name] if model else []), *(['movement rules'] if args.rules else [])]
        app = App(store, queue, live, tuple(args.stream), ' and '.join(asked), str(store.folder.absolute()))
        token = _token(store.folder)
        address = f'http://127.0.0.1:{listening.getsockname()[1]}/?token={token}'
        _write_private(store.folder / ADDRESS, address)
        print(f'The page: {address}\nKept in:  {app.place}\nCtrl-C ends it.', flush=True)
        queue.start()
        ending.callback(queue.stop)
        ending.callback(live.stop)
        _serve(app, token, listening, address if args.browser else None)
    waiting = sum(item.state in ('queued', 'running') for item in store.all())
    print(f'ended; {waiting} waiting, they go on at the next start' if waiting else 'ended')
    return 0


def _serve(app: App, token: str, listening: socket.socket, address: str | None) -> None:
    """Serve until Ctrl-C, or until the process is asked to end."""
    port = listening.getsockname()[1]
    config = uvicorn.Config(
        make_app(app, token, port),
        log_level='warning',
        access_log=False,  # it would write the token down
        server_header=False,
        lifespan='off',
        ws='none',
        timeout_graceful_shutdown=1,
    )
    server = _Server(config, app, address)
    # uvicorn ends in order and then hands the signal on to whoever listened before
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run(sockets=[listening])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Server(uvicorn.Server):
    """Opens the page once it can be served, and tells the live pictures when it ends."""

    def __init__(self, config: uvicorn.Config, app: App, address: str | None) -> None:
        super().__init__(config)
        self._app, self._address = app, address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._address is not None:
            webbrowser.open(self._address)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.closing = True
        await super().shutdown(sockets)


def _limits(args: argparse.Namespace) -> Limits:
    for name in ('max_file', 'max_total'):
        if not getattr(args, name) > 0:
            raise UserError(f'--{name.replace("_", "-")}: must be above 0, got {getattr(args, name)}')
    return Limits(round(args.max_file * 2**30), round(args.max_total * 2**30))


def _offered(args: argparse.Namespace) -> dict[str, VideoItem]:
    if args.folder is None:
        return {}
    return {item.name: item for item in find_videos(args.folder, args.out)}


def _listen(port: int) -> socket.socket:
    """A socket of this computer alone.

    Raises:
        UserError: The port is taken.
    """
    if not 0 <= port <= 65535:
        raise UserError(f'--port: must be within 0..65535, got {port}')
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(('127.0.0.1', port))
    except OSError as error:
        listening.close()
        raise UserError(f'--port {port}: another program uses it ({error.strerror}); choose another number') from error
    return listening


def _token(folder: Path) -> str:
    """The token of this folder: the same at every start, so that an open page goes on after one."""
    path = folder / TOKEN
    with suppress(OSError):
        token = path.read_text('ascii').strip()
        if len(token) >= 32:
            return token
    token = secrets.token_urlsafe(32)
    _write_private(path, token)
    return token


def _write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone can read, whole or not at all.

    Raises:
        UserError: It cannot be written.
    """
    beside = path.with_name(f'{path.name}-{secrets.token_hex(4)}')
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), 'w') as file:
            file.write(text)
        os.replace(beside, path)
    except OSError as error:
        raise UserError(f'{path}: cannot be written: {error.strerror or error}') from error


def _show_running(args: argparse.Namespace) -> int:
    """The app runs already: open its page once more."""
    try:
        address = (args.out / ADDRESS).read_text('ascii').strip()
    except OSError as error:
        raise UserError(f'{args.out}: the app is just starting there; wait a moment, and try again') from error
    print(f'It is running already. The page: {address}')
    if args.browser:
        webbrowser.open(address)
    return 0
