from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from pose_extract.manifest import new_record
from pose_extract.shards import Shard
from pose_extract.stored_manifest import StoredManifest, StoredShardManifest
from pose_extract.stores import Store

MEMORY = fsspec.filesystem('memory')
STORE = Store('memory://out')
VIDEOS = ['a.mp4', 'b.mp4']


@pytest.fixture(autouse=True)
def empty_memory() -> Iterator[None]:
    yield
    MEMORY.store.clear()
    MEMORY.pseudo_dirs[:] = ['']


def done(video: str, finished: float = 1.0) -> dict:
    return new_record(video, 'ok') | {'track': f'{video}.npz', 'finished': finished}


def told() -> dict[str, str]:
    return {record['video']: record['status'] for record in json.loads(MEMORY.cat_file('/out/manifest.json'))['videos']}


def files() -> list[str]:
    return sorted(name.removeprefix('/out/') for name in MEMORY.find('/out'))


def shard(copy: Path, index: int) -> StoredShardManifest:
    manifest = StoredShardManifest(STORE, copy, {'a.mp4.npz', 'b.mp4.npz'}, Shard(index, 2))
    manifest.begin(VIDEOS, {})
    return manifest


def test_shards_that_end_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    first, second = shard(tmp_path / '0', 0), shard(tmp_path / '1', 1)
    first.add(done('a.mp4'))
    second.add(done('b.mp4'))
    first.end(True)
    assert files() == [
        '.manifest/shard-0-of-2.done',
        '.manifest/shard-0-of-2.jsonl',
        '.manifest/shard-1-of-2.working',
    ]
    second.end(True)
    assert told() == {'a.mp4': 'ok', 'b.mp4': 'ok'}
    # somebody who has seen both as done merges once more, and finds all journals
    assert first._all_done(2)
    first.merge(last=True)
    assert told() == {'a.mp4': 'ok', 'b.mp4': 'ok'}


def test_a_shard_that_begins_again_is_waited_for(tmp_path: Path) -> None:
    for index, video in enumerate(VIDEOS):
        manifest = shard(tmp_path / f'{index}', index)
        manifest.add(done(video))
        manifest.end(True)
    again = shard(tmp_path / 'again', 0)
    assert '.manifest/shard-0-of-2.done' not in files()
    again.add(new_record('a.mp4', 'failed', 'gone') | {'finished': 2.0})
    again.merge()  # a note of progress
    assert told() == {'a.mp4': 'ok', 'b.mp4': 'ok'}
    again.end(False)  # stopped
    assert StoredShardManifest(STORE, tmp_path / 'm', set()).merge_parts(VIDEOS)[1] == ['shard-0-of-2']
    assert told() == {'a.mp4': 'failed', 'b.mp4': 'ok'}


def test_a_call_without_shards_takes_their_journals_in_when_it_is_through(tmp_path: Path) -> None:
    manifest = shard(tmp_path / '0', 0)
    manifest.add(done('a.mp4'))
    manifest.end(True)
    for number, whole in enumerate((False, True)):
        alone = StoredManifest(STORE, tmp_path / f'alone{number}', {'a.mp4.npz'})
        assert alone.begin(VIDEOS, {})['a.mp4']['status'] == 'ok'
        assert ('manifest.json' in files(), len(files())) == (True, 3)
        alone.add(done('b.mp4'))
        alone.end(whole)
    assert files() == ['manifest.json']
    assert told() == {'a.mp4': 'ok', 'b.mp4': 'ok'}


def test_videos_that_are_gone_stay_as_long_as_their_tracks(tmp_path: Path) -> None:
    alone = StoredManifest(STORE, tmp_path / '0', set())
    alone.begin(VIDEOS, {})
    alone.add(done('a.mp4'))
    alone.end(True)
    for tracks, left in (({'a.mp4.npz'}, {'a.mp4': 'ok', 'b.mp4': 'pending'}), (set(), {'b.mp4': 'pending'})):
        StoredManifest(STORE, tmp_path / f'{len(tracks)}n', tracks).begin(['b.mp4'], {})
        assert told() == left


def test_other_files_in_the_folder_of_journals_are_not_fetched(tmp_path: Path) -> None:
    for name in ('rank-0.jsonl', 'shard-0-of-1.jsonl.exe', 'x'):
        MEMORY.pipe_file(f'/out/.manifest/{name}', json.dumps(done('a.mp4')).encode() + b'\n')
    assert StoredManifest(STORE, tmp_path, set()).begin(VIDEOS, {})['a.mp4']['status'] == 'pending'
    assert sorted(path.name for path in (tmp_path / '.manifest').iterdir()) == ['lock']
