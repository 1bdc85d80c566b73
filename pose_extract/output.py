"""Where a job's tracks and manifest go: a folder of this machine, or one in a store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bmoe_ground.files import remove_remains
from pose_extract.copies import Copies
from pose_extract.crops import crops_path
from pose_extract.discovery import VideoItem
from pose_extract.manifest import Manifest
from pose_extract.shards import Shard, ShardManifest
from pose_extract.stored_manifest import StoredManifest, StoredShardManifest
from pose_extract.stores import Store


class LocalOutput:
    """A folder of this machine.

    Args:
        folder: It need not be there yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def share(self, shard: Shard | None, rank: int, world: int) -> Shard | None:
        """The share of this process, where it is one of shards; ranks share one manifest under its lock."""
        return shard.part(rank, world) if shard else None

    def manifest(self, part: Shard | None, rank: int, world: int) -> Manifest:
        """The manifest of a job, or a shard's part of it."""
        return ShardManifest(self.folder, part) if part else Manifest(self.folder, rank, world)

    def parts(self) -> ShardManifest:
        """The parts of all shards, to be merged."""
        return ShardManifest(self.folder)

    def remove_remains(self) -> None:
        """Remove what processes that were killed left behind."""
        remove_remains(self.folder)

    @contextmanager
    def tracks_of(self, item: VideoItem, crops: bool) -> Iterator[Path]:
        """The folder with the track file of a video, and its crops if asked for, where there are any."""
        yield self.folder


class StoredOutput(LocalOutput):
    """A folder in a store.

    Args:
        store: It.
        copies: For copies of what is in it.

    Raises:
        UserError: It cannot be listed.
    """

    def __init__(self, store: Store, copies: Copies) -> None:
        super().__init__(copies.folder / 'out')
        self._store, self._copies = store, copies
        self._there = {file.name for file in store.files(hidden=True)}

    def share(self, shard: Shard | None, rank: int, world: int) -> Shard | None:
        """The share of this process; ranks are shards, since a store has no locks."""
        return super().share(Shard(0, 1) if shard is None and world > 1 else shard, rank, world)

    def manifest(self, part: Shard | None, rank: int, world: int) -> Manifest:
        """The manifest of a job, or a shard's part of it."""
        if part:
            return StoredShardManifest(self._store, self.folder, self._there, part)
        return StoredManifest(self._store, self.folder, self._there)

    def parts(self) -> ShardManifest:
        """The parts of all shards, to be merged."""
        return StoredShardManifest(self._store, self.folder, self._there)

    def remove_remains(self) -> None:
        """Remove what processes that were killed had half sent."""
        self._store.remove_remains(sorted(self._there))

    @contextmanager
    def tracks_of(self, item: VideoItem, crops: bool) -> Iterator[Path]:
        """A folder with copies of the track file of a video, and of its crops if asked for, where there are any."""
        if item.track not in self._there:
            yield self.folder
            return
        names = [item.track] + [name for name in [crops_path(item.track).as_posix()] if crops and name in self._there]
        with self._copies.of_files(self._store, names) as folder:
            yield folder
