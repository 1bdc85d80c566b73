"""Many videos: find, share out, skip what is done, isolate what fails, keep a manifest."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bmoe_ground.errors import UserError
from bmoe_ground.files import TEMPORARY_PREFIX
from bmoe_ground.names import printable
from pose_extract.crops import check_crops, crops_path
from pose_extract.discovery import VideoItem, find_videos, rank_and_world
from pose_extract.estimators import backend_class
from pose_extract.extraction import package_versions
from pose_extract.manifest import Manifest, Record, check_record, new_record
from pose_extract.settings import ExtractSettings
from pose_extract.tracks import PoseTracks, load_tracks
from pose_extract.worker import News, Task, run_here, run_in_processes

MERGE_EVERY = 20.0
REMAINS_AFTER = 3600.0


@dataclass
class Summary:
    """What became of a job's videos.

    Attributes:
        records: The records of this rank's videos.
        skipped: How many of them had been done before.
        frames: Frames extracted now.
        seconds: Time it took.
        changed: Settings that differ from those of earlier tracks, with the number of tracks.
    """

    records: list[Record] = field(default_factory=list)
    skipped: int = 0
    frames: int = 0
    seconds: float = 0.0
    changed: Counter[str] = field(default_factory=Counter)

    @property
    def exit_code(self) -> int:
        """0 when every video is ``ok``, 2 when none could be read, else 1."""
        statuses = {record['status'] for record in self.records}
        return 2 if statuses == {'failed'} else int(bool(statuses - {'ok'}))

    def lines(self) -> list[str]:
        """The summary for people."""
        counts = Counter(record['status'] for record in self.records)
        persons = sum(record['frames_with_person'] for record in self.records)
        frames = sum(record['frames'] for record in self.records)
        parts = [f'{counts[status]} {status}' for status in ('ok', 'partial', 'nobody', 'failed') if counts[status]]
        lines = [
            f'{len(self.records)} videos: {", ".join(parts)}'
            + (f' ({self.skipped} of them done before and skipped)' if self.skipped else ''),
            f'{frames} frames, {persons} of them ({100 * persons / max(frames, 1):.1f} %) with a person that was kept',
        ]
        lines += self._account()
        if self.frames:
            lines.append(
                f'{self.frames} frames now, in {self.seconds:.1f} s: {self.frames / self.seconds:.1f} frames/s'
            )
        bad = [record for record in self.records if record['status'] != 'ok']
        lines += _listed([f'{record["status"]}: {record["video"]}: {record["error"]}' for record in bad])
        noted = [f'note: {record["video"]}: {note}' for record in self.records for note in record['notes']]
        return [printable(line) for line in lines + _listed(noted)]

    def _account(self) -> list[str]:
        """Who was left out, and which videos the second library read."""
        lines = []
        left_out = [record for record in self.records if record['persons_left_out']]
        if left_out:
            count = sum(record['persons_left_out'] for record in left_out)
            lines.append(f'{count} persons left out in part or whole, in {len(left_out)} videos (--max-persons)')
        others = Counter(d for record in self.records if (d := record['decoder']) and not d.startswith('OpenCV'))
        lines += [f'{count} videos read by {library}, which OpenCV cannot decode' for library, count in others.items()]
        return lines


def _listed(entries: list[str], most: int = 20) -> list[str]:
    more = [f'  ... and {len(entries) - most} more, all in the manifest'] if len(entries) > most else []
    return [f'  {entry}' for entry in entries[:most]] + more


def run_job(
    source: str | Path,
    out: str | Path,
    settings: ExtractSettings,
    jobs: int = 1,
    overwrite: bool = False,
    show_progress: bool = True,
    leave_out: Path | None = None,
) -> Summary:
    """Extract the tracks of all videos of a folder.

    Started by torchrun or Slurm with several ranks, each does its share. Started again, only what is missing, has
    changed or was made with other settings is done.

    Args:
        source: Folder of videos, or one video.
        out: Folder for the track files and ``manifest.json``.
        settings: What to do with each video.
        jobs: Processes on this machine; 0 works in the calling process.
        overwrite: Extract also what is done.
        show_progress: Show a progress bar on stderr.
        leave_out: Folder below ``source`` that is not searched; ``out`` if None.

    Returns:
        What became of this rank's videos.

    Raises:
        UserError: No videos, no weights, or the output cannot be written.
    """
    if jobs < 0:
        raise UserError(f'--jobs must be at least 0, got {jobs}')
    source, out = Path(source), Path(out)
    items = find_videos(source, leave_out or out)
    rank, world = rank_and_world()
    backend = backend_class(settings.backend)
    fingerprint = settings.fingerprint(backend.identify(settings), backend.irrelevant)
    manifest = Manifest(out, rank, world)
    known = manifest.begin([item.name for item in items], fingerprint)
    if rank == 0:
        _remove_remains(out)
    summary = Summary()
    todo = []
    for item in items[rank::world]:
        record = None if overwrite else _done_before(item, out, fingerprint, known[item.name], summary)
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
    try:
        _run(todo, task, jobs, manifest, summary, show_progress)
    finally:
        manifest.merge(last=True)
    summary.records.sort(key=lambda record: record['video'])
    return summary


def _run(
    todo: Sequence[VideoItem], task: Task, jobs: int, manifest: Manifest, summary: Summary, show_progress: bool
) -> None:
    if not todo:
        return
    started = merged = time.monotonic()
    bar = _Bar(todo, summary.skipped, show_progress)
    try:
        for news in run_in_processes(todo, task, jobs) if jobs else run_here(todo, task):
            bar.update(news)
            if news.record is not None:
                manifest.add(news.record)
                summary.records.append(news.record)
                summary.frames += news.record['frames']
            if time.monotonic() - merged > MERGE_EVERY:
                manifest.merge()
                merged = time.monotonic()
    finally:
        bar.close()
        summary.seconds = time.monotonic() - started


class _Bar:
    """Progress over the bytes of all videos, the one measure known without opening them."""

    def __init__(self, todo: Sequence[VideoItem], skipped: int, show: bool) -> None:
        self._sizes = {item.name: max(item.size, 1) for item in todo}
        self._frames: dict[str, int] = {}
        self._shares: dict[str, float] = {}
        self._done, self._count = 0, len(todo)
        self._started = time.monotonic()
        skip = f', {skipped} done before' if skipped else ''
        self._bar = tqdm(
            total=sum(self._sizes.values()),
            disable=not show,
            mininterval=0.2 if sys.stderr.isatty() else 10.0,
            bar_format='{percentage:3.0f}%|{bar}| {desc} [{elapsed}, {remaining} left]',
            desc=f'0/{self._count} videos{skip}',
            dynamic_ncols=True,
        )
        self._skip = skip

    def update(self, news: News) -> None:
        name = news.item.name
        before = self._shares.get(name, 0.0)
        share = max(before, news.share)
        self._frames[name], self._shares[name] = news.frames, share
        self._done += news.record is not None
        rate = sum(self._frames.values()) / max(time.monotonic() - self._started, 1e-3)
        self._bar.set_description_str(
            f'{self._done}/{self._count} videos{self._skip}, {rate:.1f} frames/s', refresh=False
        )
        self._bar.update((share - before) * self._sizes[name])

    def close(self) -> None:
        self._bar.close()


def _done_before(
    item: VideoItem, out: Path, fingerprint: dict[str, Any], known: Record, summary: Summary
) -> Record | None:
    """The record of a video whose track file is there, whole, and made from this video with these settings."""
    path = out / item.track
    try:
        if not path.is_file():
            return None
        tracks = load_tracks(path)
    except OSError:  # no such name can be: the worker says so
        return None
    except UserError:
        summary.changed['damaged track file'] += 1
        return None
    if fingerprint.get('save_rgb') and (fault := _fault_of_crops(crops_path(path))):
        summary.changed[fault] += 1
        return None
    provenance = tracks.provenance
    settings = provenance.get('settings')
    if settings != fingerprint:
        before = settings if isinstance(settings, dict) else {}
        summary.changed.update(
            key for key in {*before, *fingerprint} if before.get(key, ...) != fingerprint.get(key, ...)
        )
        return None
    source = provenance.get('source')
    if not isinstance(source, dict) or source.get('bytes') != item.size:
        summary.changed['source video'] += 1
        return None
    if known['status'] not in ('pending', 'failed') and known['track'] == item.track:
        return known
    record = _record_of(item, tracks)
    try:
        check_record(record)
    except ValueError:
        summary.changed['damaged track file'] += 1
        return None
    return record


def _fault_of_crops(path: Path) -> str | None:
    """What is the matter with the crops beside a track file, None where nothing is."""
    if not path.is_file():
        return 'missing crops'
    try:
        check_crops(path)
    except UserError:
        return 'damaged crops'
    return None


def _record_of(item: VideoItem, tracks: PoseTracks) -> Record:
    return new_record(item.name, tracks.provenance.get('status', ''), tracks.provenance.get('error')) | {
        'track': item.track,
        'frames': tracks.num_frames,
        'frames_with_person': tracks.provenance.get('frames_with_person', int(tracks.person_visible.any(0).sum())),
        'persons': tracks.num_persons,
        'persons_seen': tracks.provenance.get('persons_seen', tracks.num_persons),
        'persons_left_out': tracks.provenance.get('persons_left_out', 0),
        'decoder': tracks.provenance.get('decoder'),
        'notes': tracks.provenance.get('notes', []),
        'finished': round((item.path.stat().st_mtime if item.path.exists() else 0.0), 3),
    }


def _remove_remains(out: Path) -> None:
    """Remove half-written files of processes that were killed, old enough that nobody is writing them still."""
    for path in out.rglob(f'{TEMPORARY_PREFIX}*'):
        if time.time() - path.stat().st_mtime > REMAINS_AFTER:
            path.unlink(missing_ok=True)


def _say_changed(summary: Summary) -> None:
    if summary.changed:
        reasons = ', '.join(f'{key} ({count})' for key, count in sorted(summary.changed.items()))
        print(f'extracted again, since something changed since they were made: {reasons}', file=sys.stderr)
