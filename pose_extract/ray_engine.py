"""Many videos on the machines of a Ray cluster: actors with a model each, replaced when they die.

The manifest stays the truth, and one video the unit: whatever Ray loses is a video that has no track file yet.
"""

from __future__ import annotations

import logging
import os
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bmoe_ground.errors import UserError
from bmoe_ground.native_output import library_warnings_silenced, native_stderr_silenced
from pose_extract.discovery import VideoItem
from pose_extract.manifest import Record, new_record
from pose_extract.worker import News, Task, VideoProcessor

TRIES = 3
"""A video whose actor died so many times has failed."""
IDLE_DEATHS = 10
"""So many actors in a row that die before they have a model end the job."""


class _Actor:
    """A model on some machine. Errors that hold for every video come back as text, so that no class need be known."""

    def __init__(self, task: Task) -> None:
        library_warnings_silenced()
        self.fault, self.process = '', None
        try:
            with native_stderr_silenced():
                self.process = VideoProcessor(task)
        except UserError as error:
            self.fault = str(error)

    def ready(self) -> str:
        """What is the matter with the model; nothing if it is loaded."""
        return self.fault

    def extract(self, item: VideoItem) -> tuple[Record | None, str]:
        """The record of a video, or why nothing can be written."""
        assert self.process is not None  # noqa: S101 - an actor without a model is given no video
        try:
            with native_stderr_silenced():
                return self.process(item), ''
        except UserError as error:
            return None, str(error)


def run_on_ray(items: Sequence[VideoItem], task: Task, jobs: int, address: str | None = None) -> Iterator[News]:
    """Extract the videos in ``jobs`` actors of a Ray cluster.

    An actor that dies, alone or with its machine, is replaced, and its video is given to the next that comes free, up
    to :data:`TRIES` times. All machines must see the input and output folders under the same absolute paths, or
    reach the stores that they are in.

    Args:
        items: The videos.
        task: What is the same for all of them.
        jobs: Actors; each asks for one processor, and for its share of the cluster's GPUs if there are any.
        address: Of a running cluster, as :func:`ray.init` takes it; None starts one on this machine for the job.

    Yields:
        News of all videos, as they are finished.

    Raises:
        UserError: Ray is not installed or not reached, no model can be loaded, or the output cannot be written.
    """
    ray = _start(address)
    try:
        yield from _Crew(ray, task, min(jobs, len(items))).work(items)
    finally:
        ray.shutdown()


def _start(address: str | None) -> Any:
    # read when Ray starts: nothing is reported to anybody
    os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')
    try:
        import ray
    except ModuleNotFoundError as error:
        raise UserError("--engine ray needs Ray, which is not installed: pip install 'bmoe-skel[ray]'") from error
    own: dict[str, Any] = {} if address else {'include_dashboard': False}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **own)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        raise UserError(f'--address {address}: no Ray cluster is reached: {" ".join(str(error).split())}') from error
    return ray


class _Crew:
    """The actors, what each is waited for, and which video it is at."""

    def __init__(self, ray: Any, task: Task, jobs: int) -> None:
        self._ray = ray
        self._gpus = _gpu_share(ray, task, jobs)
        self._class = ray.remote(_Actor)
        # an actor's working folder is not the caller's
        self._task = replace(task, out=task.out.absolute())
        self._jobs = jobs
        self._waited: dict[Any, tuple[Any, VideoItem | None, float]] = {}
        self._tries: Counter[str] = Counter()
        self._idle_deaths = 0

    def work(self, items: Sequence[VideoItem]) -> Iterator[News]:
        """Hand out the videos, and gather what becomes of them."""
        todo = deque(items)
        for _ in range(self._jobs):
            self._hire()
        free: list[Any] = []
        while todo or any(item for _, item, _ in self._waited.values()):
            while free and todo:
                self._give(free.pop(), todo.popleft())
            done, _ = self._ray.wait(list(self._waited), num_returns=1)
            actor, item, started = self._waited.pop(done[0])
            try:
                answer = self._ray.get(done[0])
            except self._ray.exceptions.RayError as error:
                self._hire()
                news = self._died(item, started, error)
                if news is not None:
                    yield news
                elif item is not None:
                    todo.appendleft(item)
                continue
            if item is not None:
                yield self._finished(item, *answer)
            elif answer:
                raise UserError(answer)
            free.append(actor)
            self._idle_deaths = 0

    def _hire(self) -> None:
        actor = self._class.options(num_cpus=1, num_gpus=self._gpus, max_restarts=0).remote(self._task)
        self._waited[actor.ready.remote()] = actor, None, time.time()

    def _give(self, actor: Any, item: VideoItem) -> None:
        far = replace(item, path=Path(item.path).absolute())
        self._waited[actor.extract.remote(far)] = actor, item, time.time()

    def _finished(self, item: VideoItem, record: Record | None, fault: str) -> News:
        if record is None:
            raise UserError(fault)
        return News(item, record['frames'], 1.0, record)

    def _died(self, item: VideoItem | None, started: float, error: Exception) -> News | None:
        """The news that a video has failed, if it has had its tries; None if it, or nothing, is to be done again."""
        if item is None:
            self._idle_deaths += 1
            if self._idle_deaths >= IDLE_DEATHS:
                raise UserError(f'{IDLE_DEATHS} Ray actors in a row died before they had a model: {error!s:.300}')
            return None
        self._tries[item.name] += 1
        if self._tries[item.name] < TRIES:
            return None
        now = time.time()
        record = new_record(item.name, 'failed', f'{item.shown}: the process that was reading it died {TRIES} times')
        return News(item, 0, 1.0, record | {'seconds': round(now - started, 3), 'finished': round(now, 3)})


def _gpu_share(ray: Any, task: Task, jobs: int) -> float:
    """The part of a GPU that each actor asks for: all of one where there are enough, none on a CPU."""
    gpus = ray.cluster_resources().get('GPU', 0) if task.settings.device != 'cpu' else 0
    if not gpus:
        return 0.0
    return 1.0 if jobs <= gpus else 1 / -(-jobs // int(gpus))
