"""Many videos: find, share out, skip what is done, isolate what fails, keep a manifest."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bmoe_ground.errors import UserError
from bmoe_ground.files import remove_remains
from pose_extract.discovery import VideoItem, find_videos, rank_and_world
from pose_extract.done_before import done_before
from pose_extract.estimators import backend_class
from pose_extract.extraction import package_versions
from pose_extract.manifest import Manifest
from pose_extract.progress_bar import ProgressBar
from pose_extract.settings import ExtractSettings
from pose_extract.shards import Shard, ShardManifest
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
        source: Folder of videos, or one video.
        out: Folder for the track files and ``manifest.json``.
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
        UserError: No videos, no weights, or the output cannot be written.
    """
    if jobs < 0:
        raise UserError(f'--jobs must be at least 0, got {jobs}')
    if engine not in ENGINES:
        raise UserError(f'--engine {engine}: choose one of {", ".join(ENGINES)}')
    source, out = Path(source), Path(out)
    items = find_videos(source, leave_out or out)
    rank, world = rank_and_world()
    backend = backend_class(settings.backend)
    fingerprint = settings.fingerprint(backend.identify(settings), backend.irrelevant)
    part = shard.part(rank, world) if shard else None
    manifest = ShardManifest(out, part) if part else Manifest(out, rank, world)
    known = manifest.begin([item.name for item in items], fingerprint)
    if (part.index if part else rank) == 0:
        remove_remains(out)
    summary = Summary()
    todo = []
    whole = False
    try:
        for item in [item for item in items if part.holds(item.name)] if part else items[rank::world]:
            record = None if overwrite else done_before(item, out, fingerprint, known[item.name], summary.changed)
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
        task = Task(out, settings, made, threads)
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
        source: The folder of videos that the shards share.
        out: Their output folder.

    Returns:
        What became of all videos, and the names of the shards that have not ended.

    Raises:
        UserError: No videos, or the manifest cannot be written.
    """
    source, out = Path(source), Path(out)
    names = [item.name for item in find_videos(source, out)]
    records, at_work = ShardManifest(out).merge_parts(names)
    return Summary(records=[records[name] for name in names]), at_work


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
