"""The manifest of an output folder in a store: kept in a copy on this machine, which is sent.

A store has no locks, and takes files as a whole only. So a call that does all videos sends ``manifest.json`` alone, and
a shard sends the journal and the state that are its own. The shard that ends last fetches all journals and merges them.
Journals of shards stay until a call without shards has taken them in: somebody else may be merging them just now.
What a process that was killed had not sent yet is told by the track files.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bmoe_ground.errors import UserError
from pose_extract.manifest import JOURNALS, MANIFEST, Manifest, Record
from pose_extract.shards import PART_FILE, Shard, ShardManifest
from pose_extract.stores import Store


class Mirror:
    """The files of a manifest, here and in the store.

    Args:
        store: The output folder.
        copy: The folder on this machine that stands for it.
    """

    def __init__(self, store: Store, copy: Path) -> None:
        self._store, self._copy = store, copy

    def fetch(self, names: Iterable[str]) -> list[str]:
        """Fetch those of these files that are there, in place of the copies; returns their names."""
        there = {MANIFEST} & set(self._store.names('')) | {f'{JOURNALS}/{name}' for name in self._store.names(JOURNALS)}
        found = [name for name in names if name in there]
        for name in found:
            self._store.get_name(name, self._copy / name)
        return found

    def of_shards(self, kind: str | None = None, count: int | None = None) -> list[str]:
        """The names of the shards' files in the store; of one kind, and of one count of shards, if these are given."""
        found = ((name, PART_FILE.fullmatch(name)) for name in self._store.names(JOURNALS))
        return [f'{JOURNALS}/{name}' for name, m in found if m and kind in (None, m[3]) and count in (None, int(m[2]))]

    def send(self, path: Path) -> None:
        """Send one file, if it has been written."""
        if path.is_file():
            self._store.put(path, path.relative_to(self._copy).as_posix())

    def send_for_now(self, path: Path) -> None:
        """Send one file, and only say so when that fails: it is sent again."""
        try:
            self.send(path)
        except UserError as error:
            print(f'{error}; it is tried again later', file=sys.stderr)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files from the store."""
        for name in names:
            self._store.remove(name)

    @contextmanager
    def by_address(self) -> Iterator[None]:
        """Errors name the store's files in place of their copies."""
        try:
            yield
        except UserError as error:
            raise UserError(str(error).replace(str(self._copy), self._store.shown)) from error.__cause__


class StoredManifest(Manifest):
    """The manifest of a call that does all videos.

    Args:
        store: The output folder.
        copy: Folder on this machine, empty at first.
        tracks: Names of the track files that are there.

    Raises:
        UserError: The copy cannot be written.
    """

    def __init__(self, store: Store, copy: Path, tracks: Collection[str]) -> None:
        super().__init__(copy)
        self.address = store.address(MANIFEST)
        self._mirror, self._tracks = Mirror(store, copy), tracks
        self._taken_in: list[str] = []
        self._begun = False

    def begin(self, videos: Iterable[str], settings: dict[str, Any]) -> dict[str, Record]:
        """Fetch what is known, and list all videos in the store: whoever may not write learns it here."""
        self._taken_in = self._mirror.fetch([MANIFEST, *self._mirror.of_shards()])
        with self._mirror.by_address():
            known = super().begin(videos, settings)
        self._mirror.send(self.path)
        self._begun = True
        return known

    def merge(self, last: bool = False) -> dict[str, Record]:
        """As :meth:`Manifest.merge`; the store's manifest follows."""
        records = super().merge(last)
        if last:
            self._mirror.send(self.path)
        elif self._begun:
            self._mirror.send_for_now(self.path)
        return records

    def end(self, whole: bool) -> None:
        """Merge and send for the last time."""
        super().end(whole)
        if whole:
            self._mirror.remove(name for name in self._taken_in if name != MANIFEST)

    def _has(self, track: str) -> bool:
        return track in self._tracks


class StoredShardManifest(ShardManifest):
    """A shard's part of the manifest.

    Args:
        store: The output folder.
        copy: Folder on this machine, empty at first.
        tracks: Names of the track files that are there.
        shard: The share, or None for whoever only merges.

    Raises:
        UserError: The copy cannot be written.
    """

    def __init__(self, store: Store, copy: Path, tracks: Collection[str], shard: Shard | None = None) -> None:
        super().__init__(copy, shard)
        self.address = store.address(MANIFEST)
        self._mirror, self._tracks = Mirror(store, copy), tracks

    def begin(self, videos: Iterable[str], settings: dict[str, Any]) -> dict[str, Record]:
        """Say in the store that this shard is at work: whoever may not write learns it here."""
        self._mirror.fetch([MANIFEST, self._name(self._journal)])
        with self._mirror.by_address():
            known = super().begin(videos, settings)
        self._mirror.send(self._working)
        self._mirror.remove([self._name(self._done)])
        return known

    def merge(self, last: bool = False) -> dict[str, Record]:
        """Send the journal; merge all parts only once no shard is left to wait for."""
        if not last:
            self._mirror.send_for_now(self._journal)
            return {}
        with self._mirror.by_address():
            records = super().merge(last)
        self._mirror.send(self.path)
        return records

    def end(self, whole: bool) -> None:
        """Send the rest; if no other shard is left to wait for, merge all parts."""
        self._mirror.send(self._journal)
        super().end(whole)

    def merge_parts(self, videos: Iterable[str]) -> tuple[dict[str, Record], list[str]]:
        """As :meth:`ShardManifest.merge_parts`, of the parts in the store."""
        self._mirror.fetch([MANIFEST, *self._mirror.of_shards()])
        with self._mirror.by_address():
            return super().merge_parts(videos)

    def _all_done(self, count: int) -> bool:
        self._mirror.send(self._done)
        self._mirror.remove([self._name(self._working)])
        if len(self._mirror.of_shards('done', count)) < count:
            return False
        self._mirror.fetch([MANIFEST, *self._mirror.of_shards('jsonl')])
        return True

    def _name(self, path: Path) -> str:
        return f'{JOURNALS}/{path.name}'

    def _has(self, track: str) -> bool:
        return track in self._tracks
