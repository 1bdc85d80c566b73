"""The live view of the app: a process that looks at a camera, a file or a stream, and the newest of what it says."""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Literal

import cv2

from bmoe_app.answer.infer import load_recognizer
from bmoe_app.answer.settings import ModelSettings
from bmoe_app.live import Grabber, LiveView, source_of
from bmoe_app.live.view import live_settings
from bmoe_ground.errors import UserError
from bmoe_ground.native_output import library_warnings_silenced, native_stderr_silenced
from bmoe_ground.worker_process import start_worker
from pose_extract.estimators import backend_class
from pose_extract.settings import ExtractSettings

MOST_EVENTS = 200
"""Events that are kept to be shown."""
PICTURE_EVERY = 1 / 15
"""Seconds between two pictures."""
PATIENCE = 30.0
QUALITY = 80


@dataclass(frozen=True)
class LiveTask:
    """How the live view looks.

    Attributes:
        settings: How keypoints are found.
        model: How a model is asked; False for rules alone.
        rules: Whether events are looked for by rule.
        min_score: Keypoints below it are unseen for the rules.
    """

    settings: ExtractSettings
    model: ModelSettings | Literal[False]
    rules: bool
    min_score: float


class Live:
    """One live view at a time; every method may be called from any thread.

    Args:
        task: How it looks.
    """

    def __init__(self, task: LiveTask) -> None:
        self._task = task
        self._lock = threading.RLock()
        self._process: Any = None
        self._picture: tuple[int, bytes] = (0, b'')
        self._said: dict[str, Any] = {'state': 'off'}
        self._events: list[dict[str, Any]] = []

    def start(self, source: str, name: str) -> None:
        """Begin to look, in place of what was looked at before.

        Args:
            source: As :func:`bmoe_app.live.source_of` takes it; never what a browser sent.
            name: What it is called.
        """
        self.stop()
        process, ours = start_worker(_serve, self._task, source)
        with self._lock:
            self._process, self._events = process, []
            self._said = {'state': 'starting', 'name': name}
        threading.Thread(target=self._listen, args=(ours, process, name), name='live', daemon=True).start()

    def stop(self) -> None:
        """Look no further; what was seen stays to be read."""
        with self._lock:
            process, self._process = self._process, None
            if process is None:
                return
            self._said = {**self._said, 'state': 'off', 'trouble': ''}
        process.terminate()
        process.join(5)
        if process.is_alive():
            process.kill()
            process.join()

    def state(self) -> dict[str, Any]:
        """What is going on, as JSON types: ``state`` ('off', 'starting', 'on', 'ended' or 'failed') and the rest."""
        with self._lock:
            return {**self._said, 'events': list(reversed(self._events))}

    def picture(self, after: int) -> tuple[int, bytes] | None:
        """The newest picture with its number, as JPEG; None where there is none after that number."""
        with self._lock:
            return self._picture if self._picture[0] > after else None

    @property
    def running(self) -> bool:
        """Whether somebody is looking."""
        with self._lock:
            return self._process is not None

    def _listen(self, connection: Connection, process: Any, name: str) -> None:
        try:
            while True:
                kind, value = connection.recv()
                with self._lock:
                    if self._process is process:
                        self._take(kind, value)
        except (EOFError, OSError):
            with self._lock:
                if self._process is process:
                    self._process = None
                    if self._said['state'] in ('starting', 'on'):
                        self._said = {'state': 'failed', 'name': name, 'trouble': 'the process that was looking died'}
        finally:
            connection.close()

    def _take(self, kind: str, value: Any) -> None:
        if kind == 'picture':
            self._picture = (self._picture[0] + 1, value)
        elif kind == 'events':
            self._events = (self._events + value)[-MOST_EVENTS:]
        else:
            self._said = {**self._said, **value}


def _serve(connection: Connection, task: LiveTask, source: str) -> None:
    """The life of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    library_warnings_silenced()
    with native_stderr_silenced():
        try:
            _look(connection, task, source)
        except UserError as error:
            connection.send(('said', {'state': 'failed', 'trouble': str(error)}))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return


def _look(connection: Connection, task: LiveTask, source: str) -> None:
    settings = live_settings(task.settings)
    model = load_recognizer(task.model)
    estimator = backend_class(settings.backend)(settings)
    sending = threading.Lock()

    def send(kind: str, value: Any) -> None:
        with sending:
            connection.send((kind, value))

    grabber = Grabber(source_of(source), PATIENCE, tell=lambda trouble: send('said', {'trouble': trouble})).start()
    view = LiveView(grabber, estimator, model, task.rules, task.min_score, draw=True)
    shown = said = float('-inf')
    try:
        for seen in view.run():
            now = time.monotonic()
            if seen.events:
                send('events', [event.as_dict() for event in seen.events])
            if seen.picture is not None and now - shown >= PICTURE_EVERY:
                shown = now
                send('picture', cv2.imencode('.jpg', seen.picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes())
            if now - said >= 0.5:
                said = now
                send('said', {'state': 'on', **_pace(view, grabber), 'time': seen.time, 'persons': seen.persons})
    finally:
        grabber.stop()
    if grabber.failure is not None:
        raise grabber.failure
    send('said', {'state': 'ended', **_pace(view, grabber)})


def _pace(view: LiveView, grabber: Grabber) -> dict[str, Any]:
    rate, median, high = view.pace()
    dropped = max(0, grabber.read - view.looked)
    return {'rate': rate, 'latency': median, 'latency95': high, 'dropped': dropped, 'delay': view.delay}
