"""Copies on this machine of what lies in a store: one video at a time and its tracks, gone once they are sent."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from bmoe_ground.errors import UserError
from pose_extract.crops import crops_path
from pose_extract.discovery import VideoItem
from pose_extract.stores import Store

try:
    import fcntl
except ImportError:  # Windows: nobody can tell whether a folder's owner lives
    fcntl = None  # type: ignore[assignment]

PREFIX = 'bmoe-copies-'
LOCK = 'lock'
YOUNG = 60.0
"""Seconds in which a folder may have no lock yet."""


@dataclass(frozen=True)
class Copies:
    """Where videos come from and tracks go to, if not both are folders of this machine.

    Attributes:
        folder: For copies; made where it is missing, as on the other machines of a Ray cluster.
        inlet: Where the videos lie; None where they are local.
        outlet: Where the tracks go; None where they stay local.
    """

    folder: Path
    inlet: Store | None = None
    outlet: Store | None = None

    @contextmanager
    def at_hand(self, item: VideoItem, out: Path) -> Iterator[tuple[VideoItem, Path]]:
        """Have a video here; what was written for it is sent when the block ends without an error.

        Args:
            item: The video, as it was listed.
            out: The output folder, where it is a local one.

        Yields:
            The video and the output folder, both on this machine.

        Raises:
            UserError: The video cannot be fetched, or its tracks cannot be sent.
        """
        with self._room() as room:
            near = self._fetched(item, room / 'in') if self.inlet else item
            written = room / 'out' if self.outlet else out
            try:
                yield near, written
            except Exception as error:
                text = str(error)
                for here in {str(near.path), str(UserError(near.path))}:  # as it is, and as our errors show it
                    text = text.replace(here, item.shown)  # a name that lasts
                if text == str(error):
                    raise
                if not isinstance(error, UserError):
                    text = f'{type(error).__name__}: {text}'
                raise UserError(text) from error.__cause__
            if self.outlet:
                self._send(self.outlet, written, item)

    @contextmanager
    def of_files(self, store: Store, names: Iterable[str]) -> Iterator[Path]:
        """A folder with copies of some files of a store, gone when the block ends.

        Raises:
            UserError: They cannot be fetched.
        """
        with self._room() as room:
            for name in names:
                store.get_name(name, room / name)
            yield room

    def _fetched(self, item: VideoItem, folder: Path) -> VideoItem:
        assert self.inlet is not None  # noqa: S101 - asked for videos of a store only
        path = folder / item.name.rpartition('/')[2]
        if item.images:
            for file in item.images:
                self.inlet.get(file.key, path / file.name.rpartition('/')[2], file.size)
        else:
            self.inlet.get(item.key, path, item.size)
        return replace(item, path=path)

    def _send(self, outlet: Store, written: Path, item: VideoItem) -> None:
        track = written / item.track
        crops = crops_path(track)
        # the track comes last: where it is, all of the video's files are
        for path in (crops, track):
            if path.is_file():
                outlet.put(path, path.relative_to(written).as_posix())

    @contextmanager
    def _room(self) -> Iterator[Path]:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            room = tempfile.TemporaryDirectory(prefix='video-', dir=self.folder, ignore_cleanup_errors=True)
        except OSError as error:
            raise UserError(
                f'{self.folder}: cannot be written: {error.strerror}; TMPDIR names another place'
            ) from error
        with room as name:
            yield Path(name)


@contextmanager
def folder_for_copies() -> Iterator[Path]:
    """A folder below the system's for temporary files (``TMPDIR``), gone at the end.

    Folders of processes that were killed are removed at the next start.

    Raises:
        UserError: It cannot be made.
    """
    top = Path(tempfile.gettempdir())
    _remove_orphans(top)
    try:
        made = tempfile.TemporaryDirectory(prefix=PREFIX, dir=top, ignore_cleanup_errors=True)
    except OSError as error:
        raise UserError(f'{top}: cannot be written: {error.strerror}; TMPDIR names another place') from error
    with made as name, (Path(name) / LOCK).open('w') as lock:
        if fcntl is not None:
            fcntl.flock(lock, fcntl.LOCK_EX)  # released when this process ends, however it does
        yield Path(name)


def _remove_orphans(top: Path) -> None:
    if fcntl is None:
        return
    for folder in top.glob(f'{PREFIX}*'):
        with suppress(OSError):  # somebody else's, or gone meanwhile
            found = folder.lstat()
            if found.st_uid != os.getuid() or folder.is_symlink() or time.time() - found.st_mtime < YOUNG:
                continue
            with (folder / LOCK).open('r+') as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
