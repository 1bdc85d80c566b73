"""The list of what became of every video, kept whole while several processes add to it and any of them may die."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write

try:
    import fcntl
except ImportError:  # Windows: one process at a time, so there is nothing to lock out
    fcntl = None  # type: ignore[assignment]

MANIFEST = 'manifest.json'
JOURNALS = '.manifest'
FORMAT = 1

Record = dict[str, Any]
"""One video: video, track, status, frames, frames_with_person, persons, error, seconds, finished, and

* ``persons_seen``: how many identities were seen, kept or not (``persons`` are the rows of the track);
* ``persons_left_out``: how many of them are missing in some frame since more than ``max_persons`` were in view;
* ``decoder``: the library that decoded it;
* ``notes``: what was guessed, skipped or left out.

``frames_with_person`` counts the frames with somebody in what was kept. ``status`` is one of

* ``ok``: every frame read, at least one person seen;
* ``partial``: it breaks off, or at least one frame is damaged; what could be read has its track file;
* ``nobody``: read to its end, nobody seen in any frame; its track file has no person (M = 0);
* ``failed``: no track file;
* ``pending``: not reached yet.
"""


STATUSES = ('ok', 'partial', 'nobody', 'failed', 'pending')


def new_record(video: str, status: str, error: str | None = None) -> Record:
    """A record of a video that has no track file (yet)."""
    return {
        'video': video, 'track': None, 'status': status, 'frames': 0, 'frames_with_person': 0, 'persons': 0,
        'error': error, 'seconds': 0.0, 'finished': 0.0,
        'persons_seen': 0, 'persons_left_out': 0, 'decoder': None, 'notes': [],
    }  # fmt: skip


class Manifest:
    """``<out>/manifest.json`` and the journals that feed it.

    Each rank appends finished videos to a journal of its own, one line each, so that nothing finished is ever lost;
    merging reads all journals and replaces the manifest in one step, under a lock.

    Args:
        out: The output folder, made if missing.
        rank: Number of this process among those that share the work.
        world: How many there are.

    Raises:
        UserError: The folder cannot be written.
    """

    def __init__(self, out: Path, rank: int = 0, world: int = 1) -> None:
        self.path, self.rank, self.world = out / MANIFEST, rank, world
        self.address = str(self.path)
        """What people call it."""
        self._folder = out / JOURNALS
        self._journal = self._folder / f'rank-{rank}.jsonl'
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._locked():
                pass
        except OSError as error:
            raise UserError(f'{out}: cannot be written: {error.strerror or error}; choose another --out') from error

    def begin(self, videos: Iterable[str], settings: dict[str, Any]) -> dict[str, Record]:
        """List all videos that are to be done.

        Args:
            videos: Names of all videos of the job, of every rank.
            settings: What is recorded as the settings of the job.

        Returns:
            What is known of each from earlier runs, ``pending`` where nothing is.
        """
        self._settings = settings
        self._videos = list(videos)
        known = self.merge()
        self._say_damaged()
        return known

    def add(self, record: Record) -> None:
        """Record one finished video; once this returns, it is on the disk.

        Raises:
            UserError: The journal cannot be written.
        """
        line = json.dumps(record, allow_nan=False) + '\n'
        try:
            with self._journal.open('a', encoding='utf-8') as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise UserError(
                f'{self._journal}: cannot be written: {error.strerror or error}; what is done is kept, run again'
            ) from error

    def merge(self, last: bool = False) -> dict[str, Record]:
        """Bring ``manifest.json`` up to date with all journals.

        Args:
            last: The files of processes that have ended are removed, now that the manifest holds what they say.

        Returns:
            All records by video.
        """
        with self._locked():
            records, self._damaged = read_entries(self.path)
            for journal in self._journals():
                for record in read_journal(journal):
                    known = records.get(record['video'])
                    if known is None or record['finished'] >= known['finished']:
                        records[record['video']] = record
            wanted = set(self._videos)
            records = {
                name: record
                for name, record in records.items()
                if name in wanted or (record['track'] and self._has(record['track']))
            }
            for name in self._videos:
                records.setdefault(name, new_record(name, 'pending'))
            content = {
                'format': FORMAT,
                'settings': self._settings,
                'videos': [records[key] for key in sorted(records)],
            }
            with atomic_write(self.path) as file:
                file.write(json.dumps(content, indent=1, allow_nan=False).encode())
            for path in self._ended() if last else ():
                if path.is_file():
                    path.unlink(missing_ok=True)
        return records

    def end(self, whole: bool) -> None:
        """Merge for the last time.

        Args:
            whole: This process has gone through all of its videos. What it did is merged in either case.
        """
        self.merge(last=True)

    def _has(self, track: str) -> bool:
        """Whether a track file is there."""
        return (self.path.parent / track).is_file()

    def _journals(self) -> list[Path]:
        return sorted(path for kind in ('rank', 'shard') for path in self._folder.glob(f'{kind}-*.jsonl'))

    def _ended(self) -> list[Path]:
        """The files of this rank, and of processes that no longer exist."""
        # a job that is not shared does the videos of all shards
        gone = sorted(self._folder.glob('shard-*')) if self.world == 1 else []
        for journal in self._folder.glob('rank-*.jsonl'):
            number = journal.stem.removeprefix('rank-')
            if number.isdecimal() and (int(number) == self.rank or int(number) >= self.world):
                gone.append(journal)
        return gone

    def _say_damaged(self) -> None:
        if self._damaged:
            print(
                f'{self.address}: {self._damaged} damaged entries are left out; what became of these videos is told by '
                'their track files',
                file=sys.stderr,
            )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._folder / 'lock').open('a') as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)  # released when the file closes, also by a killed process
            yield


def read_manifest(path: Path) -> dict[str, Record]:
    """The records of a manifest by video; none when the file is missing. Damaged entries are left out.

    Args:
        path: A ``manifest.json``.

    Raises:
        UserError: It is not a manifest.
    """
    return read_entries(path)[0]


def read_entries(path: Path) -> tuple[dict[str, Record], int]:
    """The records of a manifest, as :func:`read_manifest`, and how many of its entries are damaged."""
    if not path.exists():
        return {}, 0
    try:
        if not path.is_file():  # a pipe would be waited for
            raise TypeError('not a file')
        entries = json.loads(path.read_bytes())['videos']
        if not isinstance(entries, list):
            raise TypeError(f'videos: expected a list, got {type(entries).__name__}')
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(
            f'{path}: not a manifest ({type(error).__name__}: {error!s:.200}); remove it, finished tracks are found '
            'without it'
        ) from error
    records: dict[str, Record] = {}
    empty = new_record('', 'pending')
    for entry in entries:
        try:
            record = {key: entry.get(key, default) for key, default in empty.items()}
            check_record(record)
        except (ValueError, AttributeError):
            continue  # what became of this video is told by its track file
        records[record['video']] = record
    return records, len(entries) - len(records)


_FIELD_KINDS: dict[type, tuple[Any, str]] = {  # type of the field in a new record -> what it may become
    str: (str, 'a text'),
    type(None): (str | None, 'a text or nothing'),
    int: (int, 'a whole number of at least 0'),
    float: (int | float, 'a number of at least 0'),
    list: (list, 'a list of texts'),
}


def check_record(record: Record) -> None:
    """Check the fields of one record.

    Raises:
        ValueError: A field is missing, of another type or impossible; the message names it.
    """
    for key, default in new_record('', '').items():
        value = record.get(key, ...)
        kind, expected = _FIELD_KINDS[type(default)]
        fits = isinstance(value, kind) and not isinstance(value, bool)
        if fits and isinstance(value, int | float):
            fits = 0 <= value < 2**62
        elif fits and isinstance(value, list):
            fits = all(isinstance(entry, str) for entry in value)
        if not fits:
            shown = f'{value!r:.40}' if isinstance(value, str | int | float) else type(value).__name__
            raise ValueError(f'{key}: expected {expected}, got {shown}')
    if not record['video'] or '\0' in record['video'] + (record['track'] or ''):
        raise ValueError(f'video: not a name of a file: {record["video"]!r:.80}')
    if record['status'] not in STATUSES:
        raise ValueError(f'status: expected one of {", ".join(STATUSES)}, got {record["status"]!r:.40}')
    track = PurePosixPath(record['track'] or '')
    if track.is_absolute() or '..' in track.parts:
        raise ValueError(f'track: leaves the folder: {record["track"]!r:.80}')


def read_journal(path: Path) -> Iterator[Record]:
    """The records of a journal, in the order in which they were written; damaged lines are passed over."""
    try:
        lines = path.read_bytes().splitlines() if path.is_file() else []
    except OSError:
        return  # what it said is found in the track files
    for line in lines:
        try:
            record = json.loads(line)
            if isinstance(record, dict) and set(record) == set(new_record('', '')):
                check_record(record)
                yield record
        except (ValueError, RecursionError):
            continue  # the line that was being written when the process died, or a damaged one
