"""Many videos: find, share out, skip what is done, isolate what fails, keep a manifest."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bmoe_ground.errors import UserError
from pose_extract.copies import Copies, folder_for_copies
from pose_extract.discovery import VideoItem, rank_and_world, videos_at
from pose_extract.done_before import done_before
from pose_extract.estimators import backend_class
from pose_extract.extraction import package_versions
from pose_extract.manifest import Manifest
from pose_extract.output import LocalOutput, StoredOutput
from pose_extract.progress_bar import ProgressBar
from pose_extract.settings import ExtractSettings
from pose_extract.shards import Shard
from pose_extract.stores import store_at
from pose_extract.summary import Summary
from pose_extract.worker import News, Task, run_here, run_in_processes

ENGINES = ('processes', 'ray')
MERGE_EVERY = 20.0


def run_job(
    source: str | Path,
    out: str | Path,
    settings: ExtractSettings,
    jobs: int = 1,
    overwrite: bool = False,
    show_progress: bool = True,
    leave_out: Path | None = None,
    shard: Shard | None = None,
    engine: str = 'processes',
    address: str | None = None,
) -> Summary:
    """Extract the tracks of all videos of a folder.

    Started by torchrun or Slurm with several ranks, each does its share. Started again, only what is missing, has
    changed or was made with other settings is done.

    Args:
        source: Folder of videos, or one video: a path, or a URL that fsspec takes.
        out: Folder for the track files and ``manifest.json``, likewise.
        settings: What to do with each video.
        jobs: Processes on this machine, or actors of Ray; 0 works in the calling process.
        overwrite: Extract also what is done.
        show_progress: Show a progress bar on stderr.
        leave_out: Folder below ``source`` that is not searched; ``out`` if None.
        shard: The share of the videos to do, where several machines share a folder without knowing of each other.
        engine: What runs the processes, one of :data:`ENGINES`.
        address: Of a Ray cluster that runs already, as :func:`ray.init` takes it; None starts one on this machine.

    Returns:
        What became of this rank's videos.

    Raises:
        UserError: No videos, no weights, a store is not reached, or the output cannot be written.
    """
    if jobs < 0:
        raise UserError(f'--jobs must be at least 0, got {jobs}')
    if engine not in ENGINES:
        raise UserError(f'--engine {engine}: choose one of {", ".join(ENGINES)}')
    items = videos_at(source, out, leave_out)
    rank, world = rank_and_world()
    with _places(source, out) as (output, copies):
        backend = backend_class(settings.backend)
        fingerprint = settings.fingerprint(backend.identify(settings), backend.irrelevant)
        part = output.share(shard, rank, world)
        manifest = output.manifest(part, rank, world)
        known = manifest.begin([item.name for item in items], fingerprint)
        if (part.index if part else rank) == 0:
            output.remove_remains()
        summary = Summary()
        todo = []
        whole = False
        try:
            for item in [item for item in items if part.holds(item.name)] if part else items[rank::world]:
                record = None
                if not overwrite and item.fits:
                    with output.tracks_of(item, bool(settings.save_rgb)) as near:
                        record = done_before(item, near, fingerprint, known[item.name], summary.changed)
                if record is None:
                    todo.append(item)
                    continue
                summary.records.append(record)
                summary.skipped += 1
                if record != known[item.name]:
                    manifest.add(record)
            _say_changed(summary)
            threads = max(1, (os.cpu_count() or 1) // jobs) if jobs > 1 else 0
            made = {'settings': fingerprint, 'asked': settings.asked(), 'versions': package_versions(backend.packages)}
            task = Task(output.folder, settings, made, threads, copies)
            if todo:
                _run(
                    _news(todo, task, jobs, engine, address),
                    ProgressBar(todo, summary.skipped, show_progress),
                    manifest,
                    summary,
                )
            whole = True
        finally:
            manifest.end(whole)
    summary.records.sort(key=lambda record: record['video'])
    return summary


def merge_parts(source: str | Path, out: str | Path) -> tuple[Summary, list[str]]:
    """Merge what all shards have written so far into the manifest.

    Args:
        source: The folder of videos that the shards share: a path, or a URL that fsspec takes.
        out: Their output folder, likewise.

    Returns:
        What became of all videos, and the names of the shards that have not ended.

    Raises:
        UserError: No videos, or the manifest cannot be written.
    """
    names = [item.name for item in videos_at(source, out)]
    with _places(source, out) as (output, _):
        records, at_work = output.parts().merge_parts(names)
    return Summary(records=[records[name] for name in names]), at_work


@contextmanager
def _places(source: str | Path, out: str | Path) -> Iterator[tuple[LocalOutput, Copies | None]]:
    """Where tracks go, and where copies lie meanwhile if they or the videos are in a store."""
    inlet, outlet = store_at(source), store_at(out)
    if not inlet and not outlet:
        yield LocalOutput(Path(out)), None
        return
    with folder_for_copies() as folder:
        copies = Copies(folder, inlet, outlet)
        yield StoredOutput(outlet, copies) if outlet else LocalOutput(Path(out)), copies


def _news(todo: Sequence[VideoItem], task: Task, jobs: int, engine: str, address: str | None) -> Iterator[News]:
    if engine == 'ray':
        from pose_extract.ray_engine import run_on_ray

        return run_on_ray(todo, task, max(jobs, 1), address)
    return run_in_processes(todo, task, jobs) if jobs else run_here(todo, task)


def _run(news_of_all: Iterator[News], bar: ProgressBar, manifest: Manifest, summary: Summary) -> None:
    started = merged = time.monotonic()
    pause = MERGE_EVERY
    try:
        for news in news_of_all:
            bar.update(news)
            if news.record is not None:
                manifest.add(news.record)
                summary.records.append(news.record)
                summary.frames += news.record['frames']
            if (began := time.monotonic()) - merged > pause:
                manifest.merge()
                merged = time.monotonic()
                pause = merge_pause(merged - began)
    finally:
        bar.close()
        summary.seconds = time.monotonic() - started


def merge_pause(cost: float) -> float:
    """Seconds until the manifest is brought up to date again: merging takes at most a twentieth of the time.

    What is finished in between stands in the journals, a line each.

    Args:
        cost: Seconds that the last merging took; 40 at a million videos.

    Example:
        >>> merge_pause(0.2), merge_pause(40)
        (20.0, 760.0)
    """
    return max(MERGE_EVERY, 19.0 * cost)


def _say_changed(summary: Summary) -> None:
    if summary.changed:
        reasons = ', '.join(f'{key} ({count})' for key, count in sorted(summary.changed.items()))
        print(f'extracted again, since something changed since they were made: {reasons}', file=sys.stderr)
