"""The process that answers the app's videos: models loaded once, one video after the other.

It does what ``bmoe infer`` does for one video, with the same functions. It is a process of its own, so that the page
never waits, a video in which a decoder dies takes nothing else with it, and cancelling is ending it: every file that it
writes is there whole or not at all.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal, Protocol

from bmoe_app.answer.infer import answer_tracks, is_partial, load_recognizer
from bmoe_app.answer.settings import ModelSettings
from bmoe_app.commands.further_outputs import further_outputs
from bmoe_app.commands.outputs import failed_entry, write_all
from bmoe_app.server.items import Result, stored_name
from bmoe_ground.errors import UserError
from bmoe_ground.native_output import library_warnings_silenced, native_stderr_silenced
from bmoe_ground.worker_process import start_worker
from pose_extract.discovery import VideoItem
from pose_extract.extraction import provenance_of
from pose_extract.kept import kept_tracks
from pose_extract.settings import ExtractSettings
from pose_extract.tracks import PoseTracks, load_tracks
from pose_extract.worker import Task, VideoProcessor

ANSWER = 'answer'
"""What the names of an answer's files begin with, in the folder of its video."""
REPORT_EVERY = 0.5
WATCHING, WRITING = 'looking at the video', 'writing the answer'
Report = Callable[[str, float], None]
"""Told what is done with a video, and how much of that is done, 0..1."""
Message = tuple[str, Any]
"""``ready``, ``report`` with (phase, share), ``end`` with a result, or ``fatal`` or ``died`` with a reason."""


@dataclass(frozen=True)
class AnswerTask:
    """What is the same for all videos.

    Attributes:
        items: The folder that holds a folder for each video.
        settings: How tracks are made.
        model: How a model is asked; False for rules alone.
        rules: Whether events are looked for by rule.
        min_score: Keypoints below it are unseen for signals and rules.
        exports: Names of :data:`bmoe_app.exports.EXPORTS`.
    """

    items: Path
    settings: ExtractSettings
    model: ModelSettings | Literal[False]
    rules: bool
    min_score: float
    exports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Job:
    """One video.

    Attributes:
        id: The name of its folder.
        name: What it is called.
        video: Where it lies.
        every: Of every so many frames one is looked at.
    """

    id: str
    name: str
    video: Path
    every: int = 1


class Answerer:
    """Pose model and recognizer, loaded once.

    Args:
        task: What is the same for all videos.

    Raises:
        UserError: A model cannot be loaded.
    """

    def __init__(self, task: AnswerTask) -> None:
        self._task = task
        self._model = load_recognizer(task.model)
        self._extract = VideoProcessor(Task(task.items, task.settings, provenance_of(task.settings)))
        self._each = further_outputs(True, task.exports, False)[0]

    def __call__(self, job: Job, report: Report) -> Result:
        """Answer one video and write the answer into its folder.

        Returns:
            What goes on record of it; whatever is wrong with the video is in there.
        """
        try:
            tracks = self._tracks(job, report)
            report(WRITING, 0.0)
            folder = self._task.items / job.id
            answer = answer_tracks(
                tracks,
                self._model or False,
                name=job.name,
                rules=self._task.rules,
                min_score=self._task.min_score,
                video=folder / stored_name(job.video.name),  # where the page asks for it; see routes.py
                file=folder / f'{ANSWER}.npz',
            )
            return write_all(folder / ANSWER, answer, self._each, is_partial(tracks))[0]
        except UserError as error:
            return failed_entry(job.name, self._plain(str(error), job))
        except Exception as error:  # one video must not end the queue; the reason goes on record
            return failed_entry(job.name, f'{type(error).__name__}: {error}')

    def _tracks(self, job: Job, report: Report) -> PoseTracks:
        size = job.video.stat().st_size if job.video.is_file() else 0
        item = VideoItem(job.video, f'{job.id}/{ANSWER}', size)
        extract = self._extract_every(job.every)
        kept = kept_tracks(item, self._task.items, extract.task.settings)
        if kept is not None:
            return kept
        record = extract(item, lambda frames, share: report(WATCHING, share))
        if record['status'] == 'failed':
            raise UserError(record['error'])
        return load_tracks(self._task.items / item.track)

    def _extract_every(self, every: int) -> VideoProcessor:
        """What makes tracks of one of every so many frames, with the pose model that is loaded."""
        if every == 1:
            return self._extract
        extract = copy(self._extract)
        settings = replace(self._task.settings, stride=every)
        extract.task = replace(extract.task, settings=settings, provenance=provenance_of(settings))
        return extract

    def _plain(self, reason: str, job: Job) -> str:
        """A reason without the places of files, which the page's reader never chose."""
        for path in (job.video, self._task.items / job.id):
            reason = reason.removeprefix(f'{path}: ').replace(str(path), job.name)
        return reason


class Worker(Protocol):
    """Who answers, as the queue sees it."""

    def give(self, job: Job) -> None:
        """Begin with a video."""

    def receive(self, seconds: float) -> Message | None:
        """The next message; None where none comes in time."""

    def stop(self) -> None:
        """End at once."""


class AnswerProcess:
    """An :class:`Answerer` in a process of its own.

    Args:
        task: What is the same for all videos.
    """

    def __init__(self, task: AnswerTask) -> None:
        self._process, self._connection = start_worker(_serve, task)

    def wait_ready(self) -> None:
        """Wait until the models are loaded.

        Raises:
            UserError: They cannot be.
        """
        kind, value = self.receive(None) or ('', None)
        if kind != 'ready':
            self.stop()
            raise UserError(value)

    def give(self, job: Job) -> None:
        """See :meth:`Worker.give`."""
        try:
            self._connection.send(job)
        except OSError:
            return  # it died; receive() finds out

    def receive(self, seconds: float | None) -> Message | None:
        """See :meth:`Worker.receive`; None waits for as long as it takes."""
        try:
            return self._connection.recv() if self._connection.poll(seconds) else None
        except (EOFError, OSError):
            self._process.join(10)
            code = self._process.exitcode
            how = f'signal {signal.Signals(-code).name}' if code is not None and code < 0 else f'exit code {code}'
            return 'died', f'the process that was looking at it died ({how})'

    def stop(self) -> None:
        """See :meth:`Worker.stop`."""
        self._process.terminate()
        self._process.join(5)
        if self._process.is_alive():  # in native code that does not listen
            self._process.kill()
            self._process.join()
        self._connection.close()


def _serve(connection: Connection, task: AnswerTask) -> None:
    """The life of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to hear, who ends this process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    library_warnings_silenced()
    with native_stderr_silenced():
        try:
            answer = Answerer(task)
            connection.send(('ready', None))
            while (job := connection.recv()) is not None:
                connection.send(('end', answer(job, _reporter(connection))))
        except UserError as error:
            connection.send(('fatal', str(error)))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return  # the server is gone


def _reporter(connection: Connection) -> Report:
    last: tuple[str, float] = ('', 0.0)

    def report(phase: str, share: float) -> None:
        nonlocal last
        now = time.monotonic()
        if phase != last[0] or now - last[1] >= REPORT_EVERY:
            last = (phase, now)
            connection.send(('report', (phase, share)))

    return report
