"""The videos of the app and their answers on the disk: the one truth, which a killed server finds again.

``<folder>/items/<id>/`` holds a video (``video.mp4``; one of the offered folder stays where it is), ``item.json``,
which is written when the video is there whole, the answer's files, and ``result.json``, which is written last. A video
with an item and no result is one to be answered, whether nobody has begun or somebody was killed.
"""

from __future__ import annotations

import os
import secrets
import shutil
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from bmoe_app.server.items import (
    ENDED,
    RESULT,
    Item,
    Result,
    read_item,
    shown_name,
    stored_name,
    write_item,
    write_result,
)
from bmoe_ground.errors import UserError
from pose_extract.discovery import VideoItem

try:
    import fcntl
except ImportError:  # Windows: there the busy port alone tells of another server
    fcntl = None  # type: ignore[assignment]

GONE = 'gone-'
"""What a folder's name begins with that is being removed."""


@dataclass(frozen=True)
class Limits:
    """How much may be uploaded.

    Attributes:
        file: Bytes of one video.
        total: Bytes of all uploads that are kept.
        spare: Bytes that stay free on the disk.
    """

    file: int = 8 * 2**30
    total: int = 100 * 2**30
    spare: int = 2**30


class Store:
    """The app's folder; every method may be called from any thread.

    Args:
        folder: Where it all lies; made if it is not there.
        limits: How much may be uploaded.
        offered: Videos of a folder that the user named at the start, by name.

    Raises:
        UserError: The folder cannot be written, or another server is at work in it.

    Attributes:
        changed: Notified at every change; its lock guards everything.
        version: Rises with every change.
        damaged: Folders whose ``item.json`` cannot be read; they are left alone.
    """

    def __init__(self, folder: Path, limits: Limits = Limits(), offered: Mapping[str, VideoItem] | None = None) -> None:
        self.folder, self.limits, self.offered = folder, limits, dict(offered or {})
        self.changed = threading.Condition(threading.RLock())
        self.version = 0
        self._coming: dict[str, int] = {}  # bytes of uploads under way
        try:
            (folder / 'items').mkdir(parents=True, exist_ok=True)
            self._lock = (folder / '.lock').open('a')
        except OSError as error:
            raise UserError(f'{folder}: cannot be written: {error.strerror or error}; choose another --out') from error
        _take(self._lock, folder)
        self.items: dict[str, Item] = {}
        self.damaged = 0
        for path in sorted((folder / 'items').iterdir()):
            self._find(path)
        self._number = max((item.number for item in self.items.values()), default=0)

    def _find(self, path: Path) -> None:
        item = read_item(path)
        if item is not None:
            self.items[item.id] = item
        elif path.name.startswith(GONE) or (path.is_dir() and not (path / 'item.json').exists()):
            shutil.rmtree(path, ignore_errors=True)  # removed, or half uploaded, when a server was killed
        else:
            self.damaged += 1

    def close(self) -> None:
        """Let another server into the folder."""
        self._lock.close()

    def folder_of(self, item: Item) -> Path:
        """Where the files of a video lie."""
        return self.folder / 'items' / item.id

    def video_of(self, item: Item) -> Path | None:
        """The video itself; None where it lies in a folder that was not named at this start."""
        if item.file is not None:
            return self.folder_of(item) / item.file
        offered = self.offered.get(item.offered or '')
        return None if offered is None else offered.path

    def all(self) -> list[Item]:
        """All videos in the order in which they came."""
        with self.changed:
            return sorted(self.items.values(), key=lambda item: item.number)

    def next(self) -> Item | None:
        """The next video to answer, set to 'running'; None where none waits."""
        with self.changed:
            item = next((item for item in self.all() if item.state == 'queued'), None)
            if item is not None:
                item.state, item.phase, item.share, item.started = 'running', '', 0.0, time.monotonic()
                self._tell()
            return item

    def upload(self, name: str, announced: int | None, every: int = 1) -> Upload:
        """Begin to take a video in.

        Args:
            name: What the user calls it.
            announced: Bytes, where the browser says them.
            every: See :attr:`Item.every`.

        Raises:
            UserError: It is larger than allowed, or the disk has no room for it.
        """
        with self.changed:
            upload = Upload(self, shown_name(name), every)
            self._coming[upload.id] = 0
        try:
            upload.reserve(announced or 0)
            upload.open()
        except UserError:
            upload.drop()
            raise
        return upload

    def reserve(self, key: str, size: int, written: int = 0) -> None:
        """Make sure that an upload may grow to ``size`` bytes, of which ``written`` are on the disk.

        Raises:
            UserError: It may not.
        """
        with self.changed:
            if size > self.limits.file:
                raise UserError(f'larger than {_gigabytes(self.limits.file)}, the most that one video may have')
            kept = sum(item.size for item in self.items.values() if item.file is not None)
            others = sum(other for name, other in self._coming.items() if name != key)
            if kept + others + size > self.limits.total:
                raise UserError(
                    f'all videos together would be larger than {_gigabytes(self.limits.total)}; remove some first'
                )
            if shutil.disk_usage(self.folder).free + written < size + self.limits.spare:
                raise UserError('the disk is too full for it; free some space, then send it again')
            if key in self._coming:
                self._coming[key] = size

    def end_upload(self, key: str, item: Item | None) -> None:
        """Forget an upload, and join its video where it came whole."""
        with self.changed:
            self._coming.pop(key, None)
            if item is not None:
                self.items[item.id] = item
            self._tell()

    def number(self) -> int:
        """The next place in the queue."""
        with self.changed:
            self._number += 1
            return self._number

    def add_offered(self, name: str, every: int = 1) -> Item:
        """Queue a video of the offered folder.

        Args:
            name: Its name there.
            every: See :attr:`Item.every`.

        Raises:
            UserError: There is none of that name.
        """
        found = self.offered.get(name)
        if found is None:
            raise UserError('no such video in the folder that was named at the start')
        with self.changed:
            item = Item(new_id(), self.number(), shown_name(name), found.size, offered=name, every=every)
            write_item(self.folder_of(item), item)
            self.items[item.id] = item
            self._tell()
        return item

    def report(self, item: Item, phase: str, share: float) -> None:
        """How far a running video is."""
        with self.changed:
            item.phase, item.share = phase, max(item.share if item.phase == phase else 0.0, min(share, 1.0))
            self._tell()

    def end(self, item: Item, result: Result) -> None:
        """Put on record what became of a video; a full disk loses the record, not the queue."""
        with self.changed:
            if item.id not in self.items or item.state in ENDED:
                return
            item.state, item.result, item.phase = result['status'], result, ''
            with suppress(UserError):
                write_result(self.folder_of(item), result)
            self._tell()

    def again(self, item: Item) -> None:
        """Queue a video once more that has ended."""
        with self.changed:
            if item.state in ENDED:
                (self.folder_of(item) / RESULT).unlink(missing_ok=True)
                item.state, item.result = 'queued', {}
                self._tell()

    def remove(self, item: Item) -> None:
        """Remove a video and its answer; it must not be running."""
        with self.changed:
            if self.items.pop(item.id, None) is None:
                return
            gone = self.folder / 'items' / f'{GONE}{item.id}'
            with suppress(OSError):
                os.replace(self.folder_of(item), gone)  # at once and for good, however long the rest takes
            self._tell()
        shutil.rmtree(gone, ignore_errors=True)

    def _tell(self) -> None:
        self.version += 1
        self.changed.notify_all()


class Upload:
    """A video on its way in: hidden until it is there whole.

    Args:
        store: Where it goes.
        name: What the user calls it.
        every: See :attr:`Item.every`.
    """

    def __init__(self, store: Store, name: str, every: int = 1) -> None:
        self.id, self.name, self.every, self.size = new_id(), name, every, 0
        self._store, self._folder = store, store.folder / 'items' / self.id
        self._reserved = 0
        self._file: BinaryIO | None = None

    def reserve(self, size: int) -> None:
        """Make sure that it may grow to ``size`` bytes; see :meth:`Store.reserve`."""
        self._store.reserve(self.id, size, self.size)
        self._reserved = size

    def open(self) -> None:
        """Make the file.

        Raises:
            UserError: It cannot be made.
        """
        try:
            self._folder.mkdir()
            self._file = (self._folder / stored_name(self.name)).open('wb')
        except OSError as error:
            raise UserError(_reason(error)) from error

    def write(self, block: bytes) -> None:
        """Take the next bytes.

        Raises:
            UserError: It grows beyond what is allowed, or the disk is full.
        """
        assert self._file is not None
        if self.size + len(block) > self._reserved:
            self.reserve(self.size + len(block))
        try:
            self._file.write(block)
            self.size += len(block)
        except OSError as error:
            raise UserError(_reason(error)) from error

    def finish(self) -> Item:
        """Join the queue.

        Raises:
            UserError: The disk is full, or nothing came.
        """
        assert self._file is not None
        if not self.size:
            raise UserError('the file is empty (0 bytes)')
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise UserError(_reason(error)) from error
        number, file = self._store.number(), stored_name(self.name)
        item = Item(self.id, number, self.name, self.size, file=file, every=self.every)
        write_item(self._folder, item)
        self._store.end_upload(self.id, item)
        return item

    def drop(self) -> None:
        """Forget what came."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._store.end_upload(self.id, None)


def new_id() -> str:
    """A name that nobody can guess, for a video's folder."""
    return secrets.token_hex(8)


def _take(lock: Any, folder: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise Busy(f'{folder}: the app is running there already; open its page, or choose another --out') from error


class Busy(UserError):
    """Another server is at work in the folder."""


def _reason(error: OSError) -> str:
    return f'cannot be stored: {error.strerror or error}; free some space on the disk, then send it again'


def _gigabytes(size: int) -> str:
    return f'{size / 2**30:.3g} GB'
