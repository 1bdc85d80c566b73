from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from fsspec.asyn import AsyncFileSystem
from fsspec.implementations.memory import MemoryFile
from fsspec.registry import known_implementations

from bmoe_ground.errors import UserError
from pose_extract import stores
from pose_extract.stores import Store, shown, store_at

MEMORY = fsspec.filesystem('memory')
SECRET = 'sftp://me:p%40ss@host/videos'


@pytest.fixture(autouse=True)
def empty_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(stores, 'PAUSE', 0.0)
    yield
    MEMORY.store.clear()
    MEMORY.pseudo_dirs[:] = ['']


@pytest.mark.parametrize(
    'place', ['videos', '/data/videos', 'C:\\videos', 'a::b/videos', Path('s3://b/videos'), './s3:x']
)
def test_what_is_a_path(place: str | Path) -> None:
    assert store_at(place) is None
    assert shown(place) == str(place)


def test_nobody_sees_user_and_password() -> None:
    store = Store(SECRET)
    assert store.shown == 'sftp://***@host/videos'
    assert shown('s3://b/a?token=x') == 's3://b/a'
    assert store.address('a.mp4') == 'sftp://***@host/videos/a.mp4'
    assert 'p%40ss' not in repr(store)
    assert store.has_secret and not Store('s3://bucket/a@b').has_secret
    assert pickle.loads(pickle.dumps(store)) == store


def test_errors_of_a_store_keep_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(url: str) -> None:
        raise OSError(f'login with p@ss at {url}\nfailed: me:p%40ss')

    monkeypatch.setattr('fsspec.core.url_to_fs', refuse)
    with pytest.raises(UserError) as caught:
        Store(SECRET).one_file()
    said = 'sftp://***@host/videos: cannot be opened: OSError: login with *** at sftp://***@host/videos failed: ***'
    assert str(caught.value) == said


def test_a_package_of_the_store_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {'class': 'no_such_package.NoStore', 'err': 'Install nosuchfs to access this'}
    monkeypatch.setitem(known_implementations, 'nosuch', known)
    with pytest.raises(UserError, match='^nosuch://bucket: cannot be opened: ImportError: Install nosuchfs'):
        Store('nosuch://bucket').one_file()


@pytest.mark.parametrize('url', ['https://host/a', 'reference://a.json', 'zip://a::s3://b/c.zip', 'file://videos'])
def test_refused(url: str) -> None:
    with pytest.raises(UserError, match='not taken|absolute path'):
        Store(url)


def test_files_below_without_hidden_ones() -> None:
    for name in ('a.mp4', 'b/c.mp4', 'b/.d/e.mp4', '.f.mp4'):
        MEMORY.pipe_file(f'/top/{name}', b'123')
    store = Store('memory://top/')
    assert [(file.name, file.key, file.size) for file in store.files()] == [
        ('a.mp4', '/top/a.mp4', 3),
        ('b/c.mp4', '/top/b/c.mp4', 3),
    ]
    assert sorted(file.name for file in store.files(hidden=True)) == ['.f.mp4', 'a.mp4', 'b/.d/e.mp4', 'b/c.mp4']
    assert [file.name for file in store.files(without=store.key_of(Store('memory://top/b')))] == ['a.mp4']
    assert store.key_of(Store('file:///top/b')) is None
    assert [file.name for file in Store('memory://').files()] == ['top/a.mp4', 'top/b/c.mp4']
    assert list(Store('memory://nowhere').files()) == []
    assert store.names('b') == ['c.mp4']


@pytest.mark.parametrize('key', ['/topmost/x.mp4', '/x.mp4', '/top/nul\0.mp4', 'top/x.mp4'])
@pytest.mark.parametrize('method', ['find', 'ls'])
def test_keys_beside_the_folder_are_refused(key: str, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    info = {'name': key, 'size': 1, 'type': 'file'}
    listing = {key: info} if method == 'find' else [info]
    monkeypatch.setattr(stores, '_has_keys', lambda fs: method == 'find')
    monkeypatch.setattr(type(MEMORY), method, lambda *args, **kwargs: listing)
    with pytest.raises(UserError, match='^memory://top: holds .* leads out of the folder$'):
        list(Store('memory://top').files())


def test_keys_that_no_folder_can_have_are_listed_as_they_are() -> None:
    names = ['/b.mp4', '//b.mp4', 'a/', 'a//b.mp4', 'a/./b.mp4', 'a/../b.mp4', '../b.mp4', 'a/b.mp4', 'b?x#1%2F\n.mp4']
    for number, name in enumerate(names):
        MEMORY.store[f'/top/{name}'] = MemoryFile(MEMORY, f'/top/{name}', bytes(number))
    MEMORY.store['/top/b?x#1%2F\n.mp4/c.mp4'] = MemoryFile(MEMORY, '', b'')  # below a key that is a file's as well
    MEMORY.store['/top/.a/../b.mp4'] = MemoryFile(MEMORY, '', b'')
    names.append('b?x#1%2F\n.mp4/c.mp4')
    found = {file.name: (file.key, file.size) for file in Store('memory://top').files()}
    assert sorted(found) == sorted(names)
    assert found['a//b.mp4'] == ('/top/a//b.mp4', 3)
    assert [file.name for file in Store('memory://top').files(hidden=True) if file.name not in names] == ['.a/../b.mp4']


def test_which_file_systems_have_keys() -> None:
    class Searching(AsyncFileSystem):
        async def _find(self, path: str, **kwargs: object) -> dict[str, dict]:
            return {'b/top//x.mp4': {'name': 'b/top//x.mp4', 'size': 1, 'type': 'file'}}

    class Walking(AsyncFileSystem):
        pass

    assert stores._has_keys(MEMORY) and stores._has_keys(Searching(skip_instance_cache=True))
    assert not stores._has_keys(fsspec.filesystem('file')) and not stores._has_keys(Walking(skip_instance_cache=True))


def test_the_folder_itself_and_the_one_above_in_a_listing_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    MEMORY.pipe_file('/top/a/b.mp4', b'1')
    listed = type(MEMORY).ls

    def as_some_servers(fs: object, path: str, detail: bool = True) -> list:
        above = [{'name': f'{path}/{name}', 'size': 0, 'type': 'directory'} for name in ('.', '..', '')]
        return [*above, *listed(fs, path, detail)]

    monkeypatch.setattr(stores, '_has_keys', lambda fs: False)
    monkeypatch.setattr(type(MEMORY), 'ls', as_some_servers)
    assert [file.name for file in Store('memory://top').files(hidden=True)] == ['a/b.mp4']


def test_links_of_a_local_folder(tmp_path: Path) -> None:
    (tmp_path / 'videos/real').mkdir(parents=True)
    (tmp_path / 'else.mp4').write_bytes(b'12345')
    (tmp_path / 'videos/link.mp4').symlink_to(tmp_path / 'else.mp4')
    store = Store(f'file://{tmp_path}/videos')
    assert [(file.name, file.size) for file in store.files()] == [('link.mp4', 5)]
    (tmp_path / 'videos/real/back').symlink_to(tmp_path / 'videos')
    with pytest.raises(UserError, match='real/back: a link to a folder'):
        list(store.files())


def test_a_folder_that_cannot_be_listed_is_no_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'b').mkdir()
    (tmp_path / 'b/c.mp4').write_bytes(b'1')
    local = type(fsspec.filesystem('file'))
    listed = local.ls

    def refuse(fs: object, path: str, detail: bool = True) -> list:
        if path == f'{tmp_path}/b':
            raise PermissionError('not yours')
        return listed(fs, path, detail)

    monkeypatch.setattr(local, 'ls', refuse)
    with pytest.raises(UserError, match=f'^file://{tmp_path}: cannot be listed: PermissionError: not yours'):
        list(Store(f'file://{tmp_path}').files())


def test_keys_that_cannot_be_listed_are_not_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> dict:
        raise PermissionError('not yours')

    monkeypatch.setattr(type(MEMORY), 'find', refuse)
    with pytest.raises(UserError, match='^memory://top: cannot be listed: PermissionError: not yours'):
        list(Store('memory://top').files())


@pytest.mark.parametrize('kind', ['memory', 'file'])
def test_a_file_is_there_whole_or_not_at_all(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = 'memory://top' if kind == 'memory' else f'file://{tmp_path}/top'
    store, source = Store(url), tmp_path / 'source'
    source.write_bytes(b'old')
    store.put(source, 'a/b[1].npz')
    source.write_bytes(b'new and longer')
    fs, _ = fsspec.core.url_to_fs(url)
    put = type(fs).put_file

    def half(fs: object, path: str, key: str, **kwargs: object) -> None:
        (tmp_path / 'half').write_bytes(Path(path).read_bytes()[:5])
        put(fs, str(tmp_path / 'half'), key, **kwargs)

    with monkeypatch.context() as context:
        context.setattr(type(fs), 'put_file', half)
        with pytest.raises(UserError, match='cannot be written: OSError: 5 bytes arrived of 14'):
            store.put(source, 'a/b[1].npz')
    assert [file.name for file in store.files(hidden=True)] == ['a/b[1].npz']
    store.get_name('a/b[1].npz', tmp_path / 'back')
    assert (tmp_path / 'back').read_bytes() == b'old'
    store.put(source, 'a/b[1].npz')
    store.get_name('a/b[1].npz', tmp_path / 'back')
    assert (tmp_path / 'back').read_bytes() == b'new and longer'
    store.remove('a/b[1].npz')
    store.remove('a/b[1].npz')
    assert list(store.files(hidden=True)) == []


def test_an_object_store_is_put_to_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, 'WHOLE', ('memory',))
    (tmp_path / 'source').write_bytes(b'123')
    sent = []
    put = type(MEMORY).put_file

    def noting(fs: object, path: str, key: str) -> None:
        sent.append(key)
        put(fs, path, key)

    monkeypatch.setattr(type(MEMORY), 'put_file', noting)
    Store('memory://top').put(tmp_path / 'source', 'a.npz')
    assert sent == ['/top/a.npz']


def test_old_remains_are_removed_and_young_ones_are_not(tmp_path: Path) -> None:
    for name in ('.part-old', '.part-young', 'kept.npz'):
        (tmp_path / name).write_bytes(b'1')
    os.utime(tmp_path / '.part-old', (0, 0))
    os.utime(tmp_path / 'kept.npz', (0, 0))
    store = Store(f'file://{tmp_path}')
    store.remove_remains([file.name for file in store.files(hidden=True)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ['.part-young', 'kept.npz']
