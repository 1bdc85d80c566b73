"""Worker processes, each with its own model: one that dies takes only the video it was at with it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from bmoe_ground.errors import UserError
from bmoe_ground.files import FULL
from bmoe_ground.native_output import library_warnings_silenced, native_stderr_silenced
from bmoe_ground.worker_process import start_worker
from pose_extract.boxes import read_boxes
from pose_extract.copies import Copies
from pose_extract.crops import crops_path
from pose_extract.discovery import VideoItem
from pose_extract.estimators import PoseEstimator, backend_class
from pose_extract.extraction import Extraction, Progress, extract_video
from pose_extract.manifest import Record, new_record
from pose_extract.poses import BoxSource
from pose_extract.settings import ExtractSettings
from pose_extract.tracks import save_tracks
from pose_extract.video import VideoError

REPORT_EVERY = 0.5
MAX_NAME = 255


@dataclass(frozen=True)
class Task:
    """What is the same for all videos of a job.

    Attributes:
        out: The output folder.
        settings: The settings.
        provenance: What track files record about model, settings and packages.
        threads: CPU threads that one process may use, 0 for no limit.
        copies: Where videos or tracks lie in a store; None where all of them are local.
    """

    out: Path
    settings: ExtractSettings
    provenance: dict[str, Any]
    threads: int = 0
    copies: Copies | None = None


@dataclass(frozen=True)
class News:
    """News of one video: ``record`` is None while it is under way.

    Attributes:
        item: The video.
        frames: Frames done so far.
        share: The share of the video that they are, 0..1.
        record: What became of it, once it is finished.
    """

    item: VideoItem
    frames: int
    share: float
    record: Record | None = None


class VideoProcessor:
    """Model and boxes, loaded once; makes a track file of each video that it is given.

    Raises:
        UserError: The model or the boxes cannot be loaded.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.estimator: PoseEstimator = backend_class(task.settings.backend)(task.settings)
        self.boxes = read_boxes(task.settings.boxes) if task.settings.boxes else None

    def __call__(self, item: VideoItem, progress: Progress | None = None) -> Record:
        """Extract one video and write its files; whatever is wrong with it ends up in the record.

        Raises:
            UserError: The output cannot be written for a reason that holds for every video, such as a full disk.
        """
        started = time.time()
        record = new_record(item.name, 'failed')
        try:
            check_name(item)
            boxes = self._boxes_of(item)
            with self._at_hand(item) as (near, out):
                result = self._extract(near, out, boxes, progress)
                save_tracks(out / item.track, result.tracks)
            record |= {
                'track': item.track, 'status': result.status, 'error': result.error,
                'frames': result.tracks.num_frames, 'frames_with_person': result.frames_with_person,
                'persons': result.tracks.num_persons, 'persons_seen': result.seating.seen,
                'persons_left_out': result.seating.left_out, 'decoder': result.library, 'notes': result.notes,
            }  # fmt: skip
        except UserError as error:
            if isinstance(error.__cause__, OSError) and error.__cause__.errno in FULL:
                raise UserError(f'{error}; what is done is kept, free some space and run again') from error
            record['error'] = str(error)
        except Exception as error:  # one video must not end the job; the reason goes into the manifest
            record['error'] = f'{type(error).__name__}: {error}'
        finished = time.time()
        return record | {'seconds': round(finished - started, 3), 'finished': round(finished, 3)}

    def _at_hand(self, item: VideoItem) -> AbstractContextManager[tuple[VideoItem, Path]]:
        copies = self.task.copies
        return copies.at_hand(item, self.task.out) if copies else nullcontext((item, self.task.out))

    def _boxes_of(self, item: VideoItem) -> BoxSource | None:
        if self.boxes is None:
            return None
        boxes = self.boxes.get(item.name)
        if boxes is None:
            raise VideoError(f'{item.shown}: {self.task.settings.boxes} has no boxes for {item.name}')
        return boxes

    def _extract(self, item: VideoItem, out: Path, boxes: BoxSource | None, progress: Progress | None) -> Extraction:
        provenance = {**self.task.provenance, 'source': {'name': item.name, 'bytes': item.size}}
        crops = crops_path(out / item.track)
        return extract_video(item.path, self.estimator, self.task.settings, provenance, boxes, progress, crops)


def check_name(item: VideoItem) -> None:
    """Refuse a video whose track file would have a name that file systems do not take, before hours of work.

    Raises:
        VideoError: The name is too long, or has a part that is empty or leads out of the folder.
    """
    if not item.fits:
        raise VideoError(
            f"{item.shown}: no file can have this name: a part of it is empty, '.' or '..', or a video beside it has "
            'the same one; give it another name in the store'
        )
    longest = max((len(os.fsencode(part)) for part in item.track.split('/')), default=0)
    if longest > MAX_NAME:
        raise VideoError(
            f'{item.shown}: the name is too long: its track file would have one of {longest} bytes, and file systems '
            f'take {MAX_NAME}; give it a shorter name'
        )


def run_here(items: Sequence[VideoItem], task: Task) -> Iterator[News]:
    """Extract the videos one after the other in this process."""
    with native_stderr_silenced():
        process = VideoProcessor(task)
        for item in items:
            record = process(item)
            yield News(item, record['frames'], 1.0, record)


def run_in_processes(items: Sequence[VideoItem], task: Task, jobs: int) -> Iterator[News]:
    """Extract the videos in ``jobs`` processes.

    A process that dies, say in a decoder that a damaged file brings down, is replaced, and the video it was at is
    recorded as failed.

    Yields:
        News of all videos, as they come.

    Raises:
        UserError: A process cannot load the model, or the output cannot be written.
    """
    waiting = list(reversed(items))
    crew = [_Worker(task) for _ in range(min(jobs, len(items)))]
    try:
        while waiting or any(worker.item for worker in crew):
            for worker in crew:
                if worker.item is None and waiting:
                    worker.give(waiting.pop())
            for connection in wait([worker.connection for worker in crew if worker.item]):
                worker = next(one for one in crew if one.connection is connection)
                news = worker.receive()
                if news.record is not None and worker.dead:
                    crew[crew.index(worker)] = _Worker(task)
                yield news
    finally:
        for worker in crew:
            worker.stop()


class _Worker:
    """One process and the video it is at."""

    def __init__(self, task: Task) -> None:
        self.process, self.connection = start_worker(_serve, task)
        self.item: VideoItem | None = None
        self.dead = False
        self._started = 0.0

    def give(self, item: VideoItem) -> None:
        self.item, self._started = item, time.time()
        try:
            self.connection.send(item)
        except OSError:
            return  # it died; receive() finds out

    def receive(self) -> News:
        assert self.item is not None  # noqa: S101 - only asked while it is at a video
        try:
            kind, value = self.connection.recv()
        except (EOFError, OSError):
            return self._died(self.item)
        if kind == 'fatal':
            raise UserError(value)
        news: News = value
        if news.record is not None:
            self.item = None
        return news

    def _died(self, item: VideoItem) -> News:
        self.process.join(10)
        code = self.process.exitcode
        how = f'signal {signal.Signals(-code).name}' if code is not None and code < 0 else f'exit code {code}'
        self.dead, self.item = True, None
        now = time.time()
        record = new_record(item.name, 'failed', f'{item.shown}: the process that was reading it died ({how})')
        return News(item, 0, 1.0, record | {'seconds': round(now - self._started, 3), 'finished': round(now, 3)})

    def stop(self) -> None:
        if self.item is None and not self.dead:
            try:
                self.connection.send(None)
                self.process.join(5)
            except OSError:
                pass
        if self.process.is_alive():
            self.process.terminate()
            self.process.join()
        self.connection.close()


def _serve(connection: Connection, task: Task) -> None:
    """The life of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told too, and ends the workers
    _limit_threads(task.threads)
    library_warnings_silenced()
    with native_stderr_silenced():
        try:
            process: VideoProcessor | None = None
            while (item := connection.recv()) is not None:
                process = process or VideoProcessor(task)
                record = process(item, _reporter(connection, item))
                connection.send(('news', News(item, record['frames'], 1.0, record)))
        except UserError as error:
            connection.send(('fatal', str(error)))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return  # the parent is gone


def _reporter(connection: Connection, item: VideoItem) -> Callable[[int, float], None]:
    last = time.monotonic()

    def report(frames: int, share: float) -> None:
        nonlocal last
        if time.monotonic() - last >= REPORT_EVERY:
            last = time.monotonic()
            connection.send(('news', News(item, frames, share)))

    return report


def _limit_threads(threads: int) -> None:
    if not threads:
        return
    import cv2

    os.environ['OMP_NUM_THREADS'] = str(threads)  # read by torch and onnxruntime, which are not loaded yet
    cv2.setNumThreads(threads)
