"""Shares of a folder of videos for machines that know nothing of each other, and their part of the manifest.

Every shard finds its videos by itself, from their names alone: no shard waits for another, none needs to be started
at the same time, and a video that comes or goes between two starts moves no other one. A shard writes three kinds of
files, all its own, into ``<out>/.manifest``:

* ``shard-3-of-10.jsonl``: the journal, a line for each finished video;
* ``shard-3-of-10.working``: there while it works or was killed, with the settings of the job;
* ``shard-3-of-10.done``: in its place, once it has ended.

The shard that ends last merges all journals into ``manifest.json``; so does ``bmoe extract --merge`` at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from pose_extract.manifest import Manifest, Record, new_record, read_entries, read_journal

_SHARD = re.compile(r'([0-9]{1,9})/([0-9]{1,9})')
PART_FILE = re.compile(r'shard-([0-9]{1,9})-of-([0-9]{1,9})\.(jsonl|working|done)')
"""Names of a shard's journal and of what says how far it is: number, count, kind."""


@dataclass(frozen=True)
class Shard:
    """Share ``index`` of ``count`` shares, counted from 0.

    Example:
        >>> shards = [Shard(index, 3) for index in range(3)]
        >>> [shard.holds('nod/a.mp4') for shard in shards].count(True)
        1
    """

    index: int
    count: int

    def holds(self, video: str) -> bool:
        """Whether a video is in this share, by a digest of its name: of all shards of a count exactly one holds it."""
        digest = hashlib.blake2b(os.fsencode(video), digest_size=8).digest()
        return int.from_bytes(digest, 'big') % self.count == self.index

    def part(self, rank: int, world: int) -> Shard:
        """The share of one of ``world`` processes that work at this shard together."""
        return Shard(self.index * world + rank, self.count * world)

    @property
    def name(self) -> str:
        """What its files are called."""
        return f'shard-{self.index}-of-{self.count}'


def parse_shard(text: str, environment: Mapping[str, str] = os.environ) -> Shard:
    """Read what was given to ``--shard``.

    Args:
        text: ``i/n`` with 0 <= i < n, or ``auto``: as the environment says.
        environment: Environment variables: those of a Slurm array (``SLURM_ARRAY_TASK_ID``, ``_COUNT``, ``_MIN``,
            ``_STEP``), or of a Kubernetes indexed job (``JOB_COMPLETION_INDEX``, and ``JOB_COMPLETIONS``, which the
            job's own description has to set).

    Raises:
        UserError: It is no share, or the environment does not say one.

    Example:
        >>> parse_shard('3/10')
        Shard(index=3, count=10)
        >>> parse_shard('10/10')
        Traceback (most recent call last):
        bmoe_ground.errors.UserError: --shard 10/10: expected i/n with 0 <= i < n, counted from 0, or auto
    """
    if text == 'auto':
        return _shard_of(environment)
    match = _SHARD.fullmatch(text)
    if match is None or int(match[1]) >= int(match[2]):
        raise UserError(f'--shard {text}: expected i/n with 0 <= i < n, counted from 0, or auto')
    return Shard(int(match[1]), int(match[2]))


def _shard_of(environment: Mapping[str, str]) -> Shard:
    if 'SLURM_ARRAY_TASK_ID' in environment:
        index, count, least, step = (
            _number(environment, f'SLURM_ARRAY_TASK_{key}', default)
            for key, default in (('ID', None), ('COUNT', None), ('MIN', '0'), ('STEP', '1'))
        )
        place, rest = divmod(index - least, max(step, 1))
        if rest or not 0 <= place < count:
            raise UserError(
                f'--shard auto: task {index} of a Slurm array of {count} tasks from {least} in steps of {step}: the '
                'array has gaps; give --shard i/n with the count that all tasks share'
            )
        return Shard(place, count)
    if 'JOB_COMPLETION_INDEX' in environment:
        index, count = _number(environment, 'JOB_COMPLETION_INDEX'), _number(environment, 'JOB_COMPLETIONS')
        if index >= count:
            raise UserError(f'--shard auto: JOB_COMPLETION_INDEX={index} is not below JOB_COMPLETIONS={count}')
        return Shard(index, count)
    raise UserError(
        '--shard auto: neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set; give --shard i/n, or start it in a '
        'Slurm array or a Kubernetes indexed job'
    )


def _number(environment: Mapping[str, str], name: str, default: str | None = None) -> int:
    value = environment.get(name, default)
    if value is None or not re.fullmatch(r'[0-9]{1,9}', value):
        said = 'is not set' if value is None else f'is {value[:40]!r}'
        raise UserError(f'--shard auto: {name} {said}; expected a whole number (or give --shard i/n)')
    return int(value)


class ShardManifest(Manifest):
    """A shard's part of the manifest, and the merging of all parts by the shard that ends last.

    Args:
        out: The output folder.
        shard: The share, or None for whoever only merges.

    Raises:
        UserError: The folder cannot be written.
    """

    def __init__(self, out: Path, shard: Shard | None = None) -> None:
        super().__init__(out)
        self.shard = shard
        name = shard.name if shard else 'no-shard'
        self._journal = self._folder / f'{name}.jsonl'
        self._working, self._done = (self._folder / f'{name}.{state}' for state in ('working', 'done'))

    def begin(self, videos: Iterable[str], settings: dict[str, Any]) -> dict[str, Record]:
        """Say that this shard is at work.

        Args:
            videos: Names of all videos of the job, of every shard.
            settings: What is recorded as the settings of the job.

        Returns:
            What the manifest and this shard's journal know of each, ``pending`` where that is nothing.
        """
        self._settings, self._videos = settings, list(videos)
        with self._locked():  # nobody is taking this shard's files for those of one that has ended
            with atomic_write(self._working) as file:
                file.write(json.dumps(settings).encode())
            self._done.unlink(missing_ok=True)
        records, self._damaged = read_entries(self.path)
        self._say_damaged()
        for record in read_journal(self._journal):
            records[record['video']] = record
        return {name: records.get(name) or new_record(name, 'pending') for name in self._videos}

    def merge(self, last: bool = False) -> dict[str, Record]:
        """Merge all parts, once no shard is left to wait for; before, nothing."""
        return super().merge(last) if last else {}

    def end(self, whole: bool) -> None:
        """Say that this shard has ended; if no other is left to wait for, merge all parts.

        Args:
            whole: It has gone through all of its videos. A shard that was stopped is not done.
        """
        if not whole or self.shard is None:
            return
        with atomic_write(self._done) as file:
            file.write(json.dumps(self._settings).encode())
        self._working.unlink(missing_ok=True)
        if self._all_done(self.shard.count):
            self.merge(last=True)

    def merge_parts(self, videos: Iterable[str]) -> tuple[dict[str, Record], list[str]]:
        """Bring ``manifest.json`` up to date with the parts of all shards, those still at work too.

        Args:
            videos: Names of all videos of the job.

        Returns:
            All records by video, and the names of the shards that have not ended.
        """
        self._videos, self._settings = list(videos), self._known_settings()
        records = self.merge(last=True)
        self._say_damaged()
        return records, sorted(path.stem for path in self._states('working'))

    def _all_done(self, count: int) -> bool:
        return len(self._states('done', count)) == count

    def _states(self, state: str, count: int | None = None) -> list[Path]:
        found = ((path, PART_FILE.fullmatch(path.name)) for path in self._folder.iterdir())
        return [path for path, m in found if m and m[3] == state and count in (None, int(m[2]))]

    def _ended(self) -> list[Path]:
        """The files of shards that are done: nobody writes them any more once they are merged."""
        return [path.with_suffix('.jsonl') for path in self._states('done')] + self._states('done')

    def _known_settings(self) -> dict[str, Any]:
        """The settings that the newest shard wrote down, else those of the manifest."""
        states = [*self._states('done'), *self._states('working')]
        for path in [*sorted(states, key=_time_of, reverse=True), self.path]:
            with suppress(OSError, ValueError, RecursionError):
                content = json.loads(path.read_bytes())
                settings = content.get('settings') if path == self.path and isinstance(content, dict) else content
                if isinstance(settings, dict):
                    return settings
        return {}


def _time_of(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
