"""Folders at a URL that fsspec reaches: an object store, another machine. Listed, fetched from, and put into.

What is opened is what the command line names, and what a listing finds below it; no address comes out of a file. A
file appears under its name whole or not at all.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

from bmoe_ground.errors import UserError
from bmoe_ground.files import FULL, REMAINS_AFTER, TEMPORARY_PREFIX

TRIES = 3
PAUSE = 2.0
"""Seconds before the second try, twice as many before the third."""
WHOLE = ('s3', 's3a', 'gs', 'gcs', 'abfs', 'abfss', 'az', 'oss')
"""Object stores, which show an object once all of it has arrived; elsewhere a file is renamed when it is whole."""
REFUSED = {
    'http': 'a web page is no folder',
    'https': 'a web page is no folder',
    'reference': 'its files name addresses, which are not fetched',
}
IN_NO_FOLDER = ('', '.', '..')
"""Parts of a key that no file or folder can have as its name."""
_URL = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*(://|::.*://)')
_SECRET = re.compile(r'(?<=://)[^/]*@')
_LASTING = (FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError)
T = TypeVar('T')


@dataclass(frozen=True)
class StoredFile:
    """A file in a store.

    Attributes:
        name: Its path below the store's folder, with forward slashes; of a key that no folder can have, what it is.
        key: What the store calls it.
        size: Bytes.
    """

    name: str
    key: str
    size: int


@dataclass(frozen=True)
class Store:
    """A folder at a URL. It travels to other processes as that URL, and connects where it is used.

    Args:
        url: As fsspec takes it, such as ``s3://bucket/videos``.

    Raises:
        UserError: The URL is of a kind that is refused.

    Example:
        >>> Store('sftp://me:secret@host/videos/').shown
        'sftp://***@host/videos'
    """

    url: str = field(repr=False)

    def __post_init__(self) -> None:
        scheme, _, path = self.url.partition('://')
        if '::' in self.url:
            raise UserError(f'{self.shown}: a chain of addresses (::) is not taken; give one plain address')
        if scheme in REFUSED:
            raise UserError(f'{self.shown}: {scheme}:// is not taken: {REFUSED[scheme]}')
        if scheme in ('file', 'local') and not path.startswith('/'):
            raise UserError(f'{self.shown}: expected an absolute path, as file:///data/videos')

    @property
    def shown(self) -> str:
        """The URL as people may see it: without user, password and query."""
        return _SECRET.sub('***@', self.url.split('?')[0]).rstrip('/')

    @property
    def has_secret(self) -> bool:
        """Whether the URL says more than it shows."""
        return bool(self._secrets())

    def address(self, name: str) -> str:
        """The URL of a file below, as people may see it."""
        return f'{self.shown}/{name}'

    def key_of(self, other: Store | None) -> str | None:
        """What this store calls the folder of another one; None where they are not the same place."""
        if other is None or self._place()[0] != other._place()[0]:
            return None
        return other._place()[1]

    def one_file(self) -> StoredFile | None:
        """The file that the URL is, where it is no folder.

        Raises:
            UserError: There is nothing, or it cannot be reached.
        """
        fs, base = self._place()
        info = self._tried(lambda: fs.info(base or '/'), 'cannot be read')
        if info['type'] == 'directory':
            return None
        return StoredFile(base.rpartition('/')[2], base, int(info['size'] or 0))

    def files(self, hidden: bool = False, without: str | None = None) -> Iterator[StoredFile]:
        """All files below the folder, folder by folder; none where there is no such folder.

        A store of keys, which are plain texts, may hold names that no folder can, such as ``a//b.mp4`` and
        ``a/../b.mp4``. They are listed as they are.

        Args:
            hidden: Also those whose name, or a folder's, begins with a dot.
            without: Key of a folder that is not looked into.

        Raises:
            UserError: It cannot be listed, or holds a name that leads out of it.
        """
        fs, base = self._place()
        fs.invalidate_cache()
        found = self._searched(fs, base, without) if base and _has_keys(fs) else self._walked(fs, base, hidden, without)
        for key, size in found:
            name = self._below(key, base)
            if hidden or not any(part.startswith('.') and part not in IN_NO_FOLDER for part in name.split('/')):
                yield StoredFile(name, key, size)

    def _searched(self, fs: Any, base: str, without: str | None) -> Iterator[tuple[str, int]]:
        """Keys and sizes by the store's own search: its listing by folders leaves out those without a folder's name."""

        def searched() -> dict[str, dict[str, Any]]:
            try:
                return dict(fs.find(base, detail=True))
            except FileNotFoundError:
                return {}

        for key, info in sorted(self._tried(searched, 'cannot be listed').items()):
            if info['type'] != 'directory' and key != base and not (without and key.startswith(f'{without}/')):
                yield key, int(info['size'] or 0)

    def _walked(self, fs: Any, base: str, hidden: bool, without: str | None) -> Iterator[tuple[str, int]]:
        """Keys and sizes, folder by folder."""
        folders = [base]
        while folders:
            folder = folders.pop()
            for info in self._listed(fs, folder, missing_is_empty=folder == base):
                key, kind = info['name'].rstrip('/'), info['type']
                last = key.rpartition('/')[2]
                if kind == 'directory' and last in ('.', '..'):
                    continue  # some servers list the folder itself and the one above
                if not hidden and last.startswith('.') and last not in IN_NO_FOLDER:
                    continue
                name = self._below(key, base)
                if kind not in ('file', 'directory'):  # a link, or nothing that can be read
                    if self._tried(partial(fs.info, key), 'cannot be read', name)['type'] != 'file':
                        raise UserError(f'{self.address(name)}: a link to a folder, or no file; links are not followed')
                    kind = 'file'
                if kind == 'file':
                    yield key, int(info['size'] or 0)
                elif key != without:
                    folders.append(key)

    def names(self, folder: str) -> list[str]:
        """The names of the files in a folder below, sorted; none where there is no such folder.

        Raises:
            UserError: It cannot be listed.
        """
        fs, base = self._place()
        fs.invalidate_cache()
        found = self._listed(fs, f'{base}/{folder}', missing_is_empty=True)
        return sorted(info['name'].rpartition('/')[2] for info in found if info['type'] == 'file')

    def get(self, key: str, path: Path, size: int | None = None) -> None:
        """Fetch a file, with a few tries.

        Args:
            key: What the store calls it.
            path: Where it goes; folders above are made.
            size: Bytes that it must have, if known.

        Raises:
            UserError: It cannot be read, breaks off or is not as it was listed; or the disk here is full.
        """
        fs, base = self._place()

        def fetch() -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            fs.get_file(key, str(path))
            if size is not None and path.stat().st_size != size:
                raise OSError(f'{path.stat().st_size} bytes came of {size}: it broke off, or was replaced meanwhile')

        self._tried(fetch, 'cannot be read', key[len(base) :].removeprefix('/'))

    def get_name(self, name: str, path: Path) -> None:
        """Fetch the file of a name below the folder; see :meth:`get`."""
        self.get(f'{self._place()[1]}/{name}', path)

    def put(self, path: Path, name: str) -> None:
        """Put a file under a name below the folder, whole or not at all, with a few tries.

        Raises:
            UserError: It cannot be written, or arrives with another size.
        """
        fs, base = self._place()
        size, key = path.stat().st_size, f'{base}/{name}'

        def send(to: str) -> None:
            fs.put_file(str(path), to)
            fs.invalidate_cache(fs._parent(to))
            if (arrived := fs.size(to)) != size:
                raise OSError(f'{arrived} bytes arrived of {size}')

        def send_and_rename() -> None:
            parent = key.rpartition('/')[0]
            fs.makedirs(parent or '/', exist_ok=True)
            part = f'{parent}/{TEMPORARY_PREFIX}{uuid.uuid4().hex}'
            try:
                send(part)
                _rename(fs, part, key)
            except BaseException:
                with suppress(Exception):  # the reason for leaving is the one to tell
                    fs.rm_file(part)
                raise

        at_once = self.url.partition('://')[0] in WHOLE
        self._tried((lambda: send(key)) if at_once else send_and_rename, 'cannot be written', name)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there.

        Raises:
            UserError: It cannot be removed.
        """
        fs, base = self._place()

        def remove() -> None:
            with suppress(FileNotFoundError):
                fs.rm_file(f'{base}/{name}')

        self._tried(remove, 'cannot be removed', name)

    def remove_remains(self, names: list[str]) -> None:
        """Remove what processes that were killed had half sent, old enough that nobody is sending it still.

        Args:
            names: Of all files in the folder.
        """
        fs, base = self._place()
        for name in names:
            if name.rpartition('/')[2].startswith(TEMPORARY_PREFIX):
                with suppress(OSError, NotImplementedError):  # gone meanwhile, not ours, or of unknown age
                    if time.time() - fs.modified(f'{base}/{name}').timestamp() > REMAINS_AFTER:
                        fs.rm_file(f'{base}/{name}')

    def _place(self) -> tuple[Any, str]:
        """The file system, and what it calls the folder."""
        try:
            from fsspec.core import url_to_fs
        except ModuleNotFoundError as error:
            raise UserError(
                f"{self.shown}: needs fsspec, which is not installed: pip install 'bmoe-skel[remote]'"
            ) from error
        try:
            fs, base = url_to_fs(self.url)  # fsspec keeps one connection a place
        except Exception as error:
            raise UserError(f'{self.shown}: cannot be opened: {self._reason(error)}') from error
        return fs, base.rstrip('/')

    def _listed(self, fs: Any, folder: str, missing_is_empty: bool) -> list[dict[str, Any]]:
        def listed() -> list[dict[str, Any]]:
            try:
                return list(fs.ls(folder or '/', detail=True))
            except FileNotFoundError:
                if missing_is_empty:
                    return []
                raise

        # some stores list the folder itself among what is in it
        found = [one for one in self._tried(listed, 'cannot be listed') if one['name'].rstrip('/') != folder]
        return sorted(found, key=lambda one: one['name'])

    def _below(self, key: str, base: str) -> str:
        if not key.startswith(f'{base}/' if base else '') or '\0' in key:
            raise UserError(f'{self.shown}: holds {key!r:.200}, a name that leads out of the folder')
        return key[len(base) :].removeprefix('/')

    def _tried(self, call: Callable[[], T], fault: str, name: str = '') -> T:
        """Call, and again where the fault may pass.

        Raises:
            UserError: It cannot be done, in one line.
        """
        for number in range(TRIES):
            try:
                return call()
            except UserError:
                raise
            except Exception as error:  # each file system has errors of its own
                if number + 1 == TRIES or isinstance(error, _LASTING) or getattr(error, 'errno', None) in FULL:
                    where = self.address(name) if name else self.shown
                    raise UserError(f'{where}: {fault}: {self._reason(error)}') from error
                time.sleep(PAUSE * 2**number)
        raise AssertionError('unreachable')

    def _reason(self, error: Exception) -> str:
        """An error in one line, without what the URL keeps secret."""
        text = ' '.join(str(error).split())
        for secret in self._secrets():
            text = text.replace(secret, '***')
        if isinstance(error, FileNotFoundError):
            return 'no such file or folder'
        return f'{type(error).__name__}: {text:.300}' if text else type(error).__name__

    def _secrets(self) -> list[str]:
        """What must not be seen, the longest first: what stands before @, its parts, and the query."""
        match = _SECRET.search(self.url)
        login = match[0].rstrip('@') if match else ''
        found = [login, login.partition(':')[2], self.url.partition('?')[2]]
        return sorted({form for secret in found if secret for form in (secret, unquote(secret))}, key=len, reverse=True)


def store_at(place: str | Path) -> Store | None:
    """The store at a URL; None where a local path is meant.

    Example:
        >>> store_at('s3://bucket/videos').shown, store_at('videos/nod')
        ('s3://bucket/videos', None)

    Raises:
        UserError: It is a URL of a kind that is refused.
    """
    return Store(place) if isinstance(place, str) and _URL.match(place) else None


def shown(place: str | Path) -> str:
    """A path or URL as people may see it."""
    store = store_at(place)
    return store.shown if store else str(place)


def _has_keys(fs: Any) -> bool:
    """Whether a file system can search by itself, as those do which have keys in place of folders."""
    from fsspec import AbstractFileSystem
    from fsspec.asyn import AsyncFileSystem

    if isinstance(fs, AsyncFileSystem) and type(fs)._find is not AsyncFileSystem._find:
        return True
    return type(fs).find is not AbstractFileSystem.find


def _rename(fs: Any, old: str, new: str) -> None:
    from fsspec import AbstractFileSystem

    if type(fs).mv is not AbstractFileSystem.mv:
        fs.mv(old, new)
    else:  # the inherited one takes brackets in names for patterns
        fs.cp_file(old, new)
        fs.rm_file(old)
