"""Videos and tracks at URLs: the same bytes as in folders, and what is missing when it goes wrong half-way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import fsspec
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFile

from bmoe_app.cli import dispatch
from bmoe_ground.errors import UserError
from pose_extract import job, stores
from pose_extract.job import merge_parts, run_job
from pose_extract.settings import ExtractSettings
from pose_extract.shards import Shard
from pose_extract.summary import Summary

REPO = Path(__file__).parents[2]
PATHS = os.pathsep.join([str(REPO), str(REPO / 'tests/helpers')])
SETTINGS = ExtractSettings(backend='mediapipe', save_rgb=16)
MEMORY = fsspec.filesystem('memory')


@pytest.fixture
def folder(make_video: Callable[..., Path], tmp_path: Path, block_backend: type) -> Path:
    """Local videos: good ones, one with a pattern's characters in its name, one cut off, images, none at all."""
    make_video('videos/nod/a[1].mp4', frames=9)
    make_video('videos/nod/a.avi', frames=5)
    make_video('videos/still/b.mp4', frames=7, block=False)
    make_video('videos/.hidden/c.mp4', frames=3)
    (tmp_path / 'videos/still/text.mp4').write_text('this is no video\n' * 50)
    half = make_video('videos/half.avi', frames=30)
    half.write_bytes(half.read_bytes()[: half.stat().st_size // 2])
    (tmp_path / 'videos/frames').mkdir()
    for number in range(4):
        image = np.full((48, 64, 3), 40, np.uint8)
        image[10:30, 10 + number : 30 + number] = 250
        assert cv2.imwrite(str(tmp_path / f'videos/frames/{number:03d}.png'), image)
    return tmp_path / 'videos'


@pytest.fixture
def memory(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same videos at memory://videos; returns the folder for temporary files, which must be empty afterwards."""
    for path in folder.rglob('*'):
        if path.is_file():
            MEMORY.pipe_file(f'/videos/{path.relative_to(folder).as_posix()}', path.read_bytes())
    (tmp_path / 'tmp').mkdir()
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path / 'tmp'))
    monkeypatch.setattr(stores, 'PAUSE', 0.0)
    yield tmp_path / 'tmp'
    assert list((tmp_path / 'tmp').iterdir()) == []
    MEMORY.store.clear()
    MEMORY.pseudo_dirs[:] = ['']


def extract(source: str | Path, out: str | Path, jobs: int = 0, **options: Any) -> Summary:
    return run_job(source, out, SETTINGS, jobs=jobs, show_progress=False, **options)


def of_folder(out: Path) -> dict[str, bytes]:
    files = (path for path in out.rglob('*') if path.suffix in ('.npz', '.rgb'))
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def of_memory(out: str = '/poses', everything: bool = False) -> dict[str, bytes]:
    found = {name.removeprefix(f'{out}/'): MEMORY.cat_file(name) for name in MEMORY.find(out)}
    return found if everything else {n: data for n, data in found.items() if n.endswith(('.npz', '.rgb'))}


def records(content: bytes) -> dict[str, dict]:
    """The records of a manifest by video, without what differs from run to run and from place to place."""
    listed = [{**record, 'seconds': 0, 'finished': 0} for record in json.loads(content)['videos']]
    return {record['video']: record for record in listed}


def test_from_memory_to_memory_as_from_folder_to_folder(folder: Path, memory: Path, tmp_path: Path) -> None:
    here = extract(folder, tmp_path / 'poses')
    there = extract('memory://videos', 'memory://poses')
    assert (here.exit_code, here.frames) == (there.exit_code, there.frames)
    assert of_memory() == of_folder(tmp_path / 'poses')
    assert len(of_memory()) == 10  # tracks and crops of five videos
    local = records((tmp_path / 'poses/manifest.json').read_bytes())
    assert [record['status'] for record in local.values()] == ['ok', 'partial', 'ok', 'ok', 'nobody', 'failed']
    for record in local.values():  # what names the place names the other one
        record['error'] = record['error'] and record['error'].replace(str(folder), 'memory://videos')
    assert records(MEMORY.cat_file('/poses/manifest.json')) == local
    assert set(of_memory(everything=True)) - set(of_memory()) == {'manifest.json'}


def test_either_end_may_be_local(folder: Path, memory: Path, tmp_path: Path) -> None:
    extract(folder, tmp_path / 'poses')
    extract('memory://videos', tmp_path / 'fetched')
    assert of_folder(tmp_path / 'fetched') == of_folder(tmp_path / 'poses')
    extract(folder, 'memory://poses')
    assert of_memory() == of_folder(tmp_path / 'poses')


def test_one_video_by_its_url_and_a_folder_that_is_one(folder: Path, memory: Path, tmp_path: Path) -> None:
    for name in ('nod/a.avi', 'frames'):
        extract(folder / name, tmp_path / 'poses')
        extract(f'memory://videos/{name}', 'memory://poses')
    assert of_memory() == of_folder(tmp_path / 'poses')
    assert sorted(of_memory()) == ['a.avi.npz', 'a.avi.rgb', 'frames.npz', 'frames.rgb']


def test_a_second_run_does_only_what_is_missing(memory: Path) -> None:
    extract('memory://videos', 'memory://poses')
    before, told = of_memory(), MEMORY.cat_file('/poses/manifest.json')
    assert extract('memory://videos', 'memory://poses').skipped == 5
    MEMORY.rm_file('/poses/nod/a.avi.npz')
    MEMORY.rm_file('/poses/frames.rgb')
    MEMORY.rm_file('/poses/manifest.json')  # made again from the tracks
    again = extract('memory://videos', 'memory://poses')
    assert (again.skipped, again.frames, again.changed) == (3, 5 + 4, {'missing crops': 1})
    assert of_memory() == before
    assert records(MEMORY.cat_file('/poses/manifest.json')) == records(told)
    MEMORY.pipe_file('/poses/nod/a[1].mp4.npz', b'damaged')
    assert extract('memory://videos', 'memory://poses').changed == {'damaged track file': 1}
    assert of_memory() == before


def test_an_output_below_the_input_is_not_searched(memory: Path) -> None:
    MEMORY.pipe_file('/videos/poses/overlay.mp4', b'no video of the job')
    assert len(extract('memory://videos', 'memory://videos/poses').records) == 6
    assert len(extract('memory://videos', 'memory://elsewhere').records) == 7


ODD = {  # keys of an object store beside nod/a.avi, whose bytes they have, and what becomes of each
    'nod//a.avi': 'failed', '/nod/a.avi': 'failed', '//nod/a.avi': 'failed', 'nod/./a.avi': 'failed',
    'nod/../nod/a.avi': 'failed', '../a.avi': 'failed', '..//../a.avi': 'failed', './a.avi': 'failed',
    'nod/a?b.avi': 'ok', 'nod/a#b.avi': 'ok', 'nod/a%2Fb.avi': 'ok', 'nod/%2e%2e/a.avi': 'ok', 'nod/a\nb.avi': 'ok',
    'nod/a*[b].avi': 'ok', 'nod/\\..\\a.avi': 'ok', 'nod/...avi': 'hidden', 'nod/..a/b.avi': 'hidden',
    'nod/.../b.avi': 'hidden',
}  # fmt: skip


@pytest.mark.parametrize('to', ['memory', 'folder'])
def test_every_key_is_extracted_or_a_record(folder: Path, memory: Path, tmp_path: Path, to: str) -> None:
    for path in list(MEMORY.store):
        MEMORY.rm_file(path)
    video = (folder / 'nod/a.avi').read_bytes()
    for name in ('nod/a.avi', *ODD):
        MEMORY.store[f'/videos/{name}'] = MemoryFile(MEMORY, f'/videos/{name}', video)
    outside = {name: data.getvalue() for name, data in MEMORY.store.items()}
    poses = tmp_path / 'deep/poses'
    out = 'memory://poses' if to == 'memory' else poses
    here = {path for path in tmp_path.rglob('*') if path.is_file()}
    for again in (False, True):
        summary = extract('memory://videos', out)
        told = {record['video']: record for record in summary.records}
        expected = {'nod/a.avi': 'ok'} | {name: state for name, state in ODD.items() if state != 'hidden'}
        assert {name: record['status'] for name, record in told.items()} == expected
        assert (summary.exit_code, summary.skipped) == (1, 8 if again else 0)
        for name, state in expected.items():
            if state == 'failed':
                assert told[name]['error'].startswith(f'memory://videos/{name}: no file can have this name')
        content = MEMORY.cat_file('/poses/manifest.json') if to == 'memory' else (poses / 'manifest.json').read_bytes()
        assert {name: record['status'] for name, record in records(content).items()} == expected
        tracks = {f'{name}{end}' for name, state in expected.items() if state == 'ok' for end in ('.npz', '.rgb')}
        assert set(of_memory() if to == 'memory' else of_folder(poses)) == tracks
        assert len(set(of_memory().values() if to == 'memory' else of_folder(poses).values())) == 1 + len(tracks) // 2
    written = set(MEMORY.store) - set(outside)
    assert {name for name in written if not name.startswith('/poses/')} == set()
    assert {name: MEMORY.store[name].getvalue() for name in outside} == outside
    new = {path for path in tmp_path.rglob('*') if path.is_file()} - here
    assert {path for path in new if not path.is_relative_to(poses)} == set()


def test_tracks_under_odd_keys_are_not_looked_for(folder: Path, memory: Path, tmp_path: Path) -> None:
    """A track file beside the folder for copies, whose key says so: it would be fetched to there."""
    extract('memory://videos/nod', 'memory://poses')
    track = MEMORY.cat_file('/poses/a.avi.npz')
    MEMORY.store['/videos/nod/../../../x.avi'] = MemoryFile(MEMORY, '', (folder / 'nod/a.avi').read_bytes())
    MEMORY.store['/poses/../../../x.avi.npz'] = MemoryFile(MEMORY, '', track)
    before = set(tmp_path.rglob('*'))
    summary = extract('memory://videos/nod', 'memory://poses')
    assert {record['video']: record['status'] for record in summary.records} == {
        'a.avi': 'ok', 'a[1].mp4': 'ok', '../../../x.avi': 'failed'
    }  # fmt: skip
    assert set(tmp_path.rglob('*')) == before


def test_a_video_and_a_folder_of_images_with_one_key_are_two(folder: Path, memory: Path) -> None:
    video, image = (folder / 'nod/a.avi').read_bytes(), (folder / 'frames/000.png').read_bytes()
    for path in list(MEMORY.store):
        MEMORY.rm_file(path)
    for name, content in [('a.avi', video), *((f'{top}{t}.png', image) for top in ('a.avi/', '/', 'b/') for t in '12')]:
        MEMORY.store[f'/videos/{name}'] = MemoryFile(MEMORY, '', content)
    told = {record['video']: record for record in extract('memory://videos', 'memory://poses').records}
    assert sorted(told) == ['/', 'a.avi', 'a.avi/', 'b']
    assert {told[name]['status'] for name in ('/', 'a.avi/')} == {'failed'}
    assert 'or a video beside it has the same one' in told['a.avi/']['error']
    assert (told['b']['frames'], sorted(of_memory())) == (2, ['b.npz', 'b.rgb'])
    # fsspec's memory hands out no file that is a folder as well; an object store does
    assert told['a.avi']['status'] == 'failed' and 'cannot be read' in told['a.avi']['error']


class Faulty:
    """Lets a method of the store fail at some of its calls, before or after half of the bytes have come."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, method: str, fails: Callable[[str, int], Exception | None]):
        self.calls: dict[str, int] = {}
        self._method, self._fails = getattr(type(MEMORY), method), fails
        monkeypatch.setattr(type(MEMORY), method, lambda *args, **kwargs: self(*args, **kwargs))

    def __call__(self, fs: Any, source: str, target: str, **kwargs: Any) -> None:
        key = source if self._method.__name__ == 'get_file' else target
        if '/.part-' in key:  # what it will be called shows in its bytes only: told by the file that is sent
            key = source
        name = key.rpartition('/')[2]
        self.calls[name] = self.calls.get(name, 0) + 1
        error = self._fails(name, self.calls[name])
        if error is None:
            self._method(fs, source, target, **kwargs)
            return
        if self._method.__name__ == 'put_file':
            fs.pipe_file(target, Path(source).read_bytes()[:100])
        raise error


def test_an_upload_that_fails_once_is_tried_again(
    folder: Path, memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extract(folder, tmp_path / 'poses')

    def once(name: str, call: int) -> Exception | None:
        return ConnectionResetError('gone') if call == 1 else None

    faulty = Faulty(monkeypatch, 'put_file', once)
    extract('memory://videos', 'memory://poses')
    assert faulty.calls['a.avi.npz'] == 2
    assert of_memory() == of_folder(tmp_path / 'poses')
    assert [name for name in of_memory(everything=True) if '.part-' in name] == []


def test_an_upload_that_always_fails_costs_that_video(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def always(name: str, call: int) -> Exception | None:
        return ConnectionResetError('gone') if name == 'a.avi.npz' else None

    with monkeypatch.context() as context:
        faulty = Faulty(context, 'put_file', always)
        summary = extract('memory://videos', 'memory://poses')
    assert faulty.calls['a.avi.npz'] == stores.TRIES
    told = {record['video']: record for record in summary.records}['nod/a.avi']
    assert (told['status'], told['track'], told['frames']) == ('failed', None, 0)
    assert told['error'] == 'memory://poses/nod/a.avi.npz: cannot be written: ConnectionResetError: gone'
    assert summary.exit_code == 1
    # the track is sent last: where it is, the crops are
    assert [name for name in of_memory() if name.startswith('nod/a.avi')] == ['nod/a.avi.rgb']
    assert [name for name in of_memory(everything=True) if '.part-' in name] == []
    again = extract('memory://videos', 'memory://poses')
    assert (again.skipped, again.frames) == (4, 5)


def test_a_video_that_cannot_be_fetched_fails_alone(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(name: str, call: int) -> Exception | None:
        return {'a.avi': ConnectionResetError('gone'), 'b.mp4': PermissionError('not yours')}.get(name)

    with monkeypatch.context() as context:
        faulty = Faulty(context, 'get_file', fails)
        summary = extract('memory://videos', 'memory://poses')
    told = {record['video']: record['error'] for record in summary.records}
    assert told['nod/a.avi'] == 'memory://videos/nod/a.avi: cannot be read: ConnectionResetError: gone'
    assert told['still/b.mp4'] == 'memory://videos/still/b.mp4: cannot be read: PermissionError: not yours'
    assert (faulty.calls['a.avi'], faulty.calls['b.mp4']) == (stores.TRIES, 1)  # no access is no passing fault
    assert extract('memory://videos', 'memory://poses').skipped == 3


def test_a_video_that_comes_short_is_not_extracted(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch = type(MEMORY).get_file

    def short(fs: Any, key: str, path: str, **kwargs: Any) -> None:
        fetch(fs, key, path, **kwargs)
        if key.endswith('a.avi'):
            os.truncate(path, os.path.getsize(path) - 1)

    monkeypatch.setattr(type(MEMORY), 'get_file', short)
    told = {record['video']: record['error'] for record in extract('memory://videos', 'memory://poses').records}
    assert 'it broke off, or was replaced meanwhile' in told['nod/a.avi']


def test_no_right_to_write_is_told_before_anything_is_extracted(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Faulty(monkeypatch, 'put_file', lambda name, call: PermissionError('read only'))
    with pytest.raises(UserError, match=r'memory://poses/manifest\.json: cannot be written: PermissionError'):
        extract('memory://videos', 'memory://poses')


def test_a_full_disk_for_copies_ends_the_job(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faulty = Faulty(monkeypatch, 'get_file', lambda name, call: OSError(28, 'No space left on device'))
    with pytest.raises(UserError, match='No space left on device.*what is done is kept, free some space'):
        extract('memory://videos', 'memory://poses')
    assert sum(faulty.calls.values()) == 1


class Stop(BaseException):
    """The process is made to end."""


@contextmanager
def stopped_at(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[None]:
    """What is done within is stopped when the file of this name would be put."""

    def stop(put: str, call: int) -> Exception | None:
        if put == name:
            raise Stop
        return None

    with monkeypatch.context() as context:
        Faulty(context, 'put_file', stop)
        with pytest.raises(Stop):
            yield


def test_stopped_in_the_middle_and_started_again(
    folder: Path, memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extract(folder, tmp_path / 'poses')

    with stopped_at(monkeypatch, 'a.avi.npz'):
        extract('memory://videos', 'memory://poses')
    done = sum(name.endswith('.npz') for name in of_memory())
    assert done == 2
    assert 'nod/a.avi.npz' not in of_memory()
    again = extract('memory://videos', 'memory://poses')
    assert again.skipped == done
    assert of_memory() == of_folder(tmp_path / 'poses')


def test_shards_and_their_merging(folder: Path, memory: Path, tmp_path: Path) -> None:
    names = [record['video'] for record in extract(folder, tmp_path / 'poses').records]
    *first, last = sorted(range(3), key=lambda index: sum(map(Shard(index, 3).holds, names)))
    for index in first:
        extract('memory://videos', 'memory://poses', shard=Shard(index, 3))
    assert 'manifest.json' not in of_memory(everything=True)
    summary, at_work = merge_parts('memory://videos', 'memory://poses')
    statuses = {record['status'] for record in summary.records}
    assert ('pending' in statuses, at_work) == (True, [])
    extract('memory://videos', 'memory://poses', shard=Shard(last, 3))  # the last one merges
    assert of_memory() == of_folder(tmp_path / 'poses')
    local = records((tmp_path / 'poses/manifest.json').read_bytes())
    told = records(MEMORY.cat_file('/poses/manifest.json'))
    assert {name: record['status'] for name, record in told.items()} == {n: r['status'] for n, r in local.items()}
    left = set(of_memory(everything=True)) - set(of_memory()) - {'manifest.json'}
    with_videos = [index for index in range(3) if any(map(Shard(index, 3).holds, names))]
    assert left == {
        *(f'.manifest/shard-{index}-of-3.done' for index in range(3)),
        *(f'.manifest/shard-{index}-of-3.jsonl' for index in with_videos),
    }
    assert extract('memory://videos', 'memory://poses').skipped == 5  # a call without shards takes them in
    assert set(of_memory(everything=True)) - set(of_memory()) == {'manifest.json'}


def test_a_failing_note_of_progress_ends_nothing(
    memory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(job, 'MERGE_EVERY', -1.0)  # after every video
    Faulty(monkeypatch, 'put_file', lambda name, call: OSError('gone') if 1 < call < 5 else None)
    monkeypatch.setattr(job, 'merge_pause', lambda cost: -1.0)
    assert len(extract('memory://videos', 'memory://poses').records) == 6
    said = 'memory://poses/manifest.json: cannot be written: OSError: gone; it is tried again later'
    assert capsys.readouterr().err.count(said) == 1
    assert 'pending' not in MEMORY.cat_file('/poses/manifest.json').decode()


def test_a_shard_that_was_stopped_is_at_work_and_goes_on(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with stopped_at(monkeypatch, 'b.mp4.npz'):
        extract('memory://videos', 'memory://poses', shard=Shard(0, 1))
    summary, at_work = merge_parts('memory://videos', 'memory://poses')
    assert at_work == ['shard-0-of-1']
    assert [record['status'] for record in summary.records].count('ok') == 3
    assert extract('memory://videos', 'memory://poses', shard=Shard(0, 1)).skipped == 4


def test_ranks_are_shards(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for rank in (1, 0):
        monkeypatch.setenv('RANK', str(rank))
        monkeypatch.setenv('WORLD_SIZE', '2')
        extract('memory://videos', 'memory://poses')
    assert len(records(MEMORY.cat_file('/poses/manifest.json'))) == 6
    assert len(of_memory()) == 10


def test_a_damaged_manifest_is_named_by_its_url(memory: Path) -> None:
    MEMORY.pipe_file('/poses/manifest.json', b'[]')
    with pytest.raises(UserError, match=r'^memory://poses/manifest\.json: not a manifest'):
        extract('memory://videos', 'memory://poses')


def test_addresses_in_a_manifest_of_others_are_not_fetched(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extract('memory://videos', 'memory://poses')
    content = json.loads(MEMORY.cat_file('/poses/manifest.json'))
    MEMORY.pipe_file('/secret/x.npz', b'secret')
    for entry, track in zip(
        content['videos'], ['memory://secret/x.npz', '../secret/x.npz', '/secret/x.npz'], strict=False
    ):
        entry['track'] = track
    content['videos'].append({**content['videos'][0], 'video': 'memory://secret/x.mp4'})
    MEMORY.pipe_file('/poses/manifest.json', json.dumps(content).encode())
    read = Faulty(monkeypatch, 'get_file', lambda name, call: None)
    summary = extract('memory://videos', 'memory://poses')
    assert 'x.npz' not in read.calls and 'x.mp4' not in read.calls
    assert summary.skipped == 5
    assert 'secret' not in MEMORY.cat_file('/poses/manifest.json').decode()


def call(videos: Path, out: Path, *options: str, **variables: str) -> subprocess.Popen[str]:
    """The command from file:// to file://, in a process of its own."""
    command = [sys.executable, str(REPO / 'tools/extract_pose.py'), f'file://{videos}', '--out', f'file://{out}']
    command += ['--quiet', '--save-rgb', '16', '--backend', 'block_estimator:Slow', *options]
    environment = {**os.environ, 'PYTHONPATH': PATHS, 'OMP_NUM_THREADS': '1', **variables}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str], code: int) -> str:
    out, err = process.communicate(timeout=240)
    assert (process.returncode, 'Traceback' in err) == (code, False), out + err
    return out + err


@pytest.fixture
def many(make_video: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight videos, extracted into ``local``, and a folder for temporary files."""
    monkeypatch.syspath_prepend(str(REPO / 'tests/helpers'))
    (tmp_path / 'tmp').mkdir()
    for number in range(8):
        make_video(f'videos/{number}.mp4', frames=20)
    settings = ExtractSettings(backend='block_estimator:Slow', save_rgb=16)
    run_job(tmp_path / 'videos', tmp_path / 'local', settings, jobs=0, show_progress=False)
    return tmp_path


@pytest.mark.slow
def test_processes_killed_and_started_again(many: Path) -> None:
    process = call(many / 'videos', many / 'out', '--jobs', '2', TMPDIR=str(many / 'tmp'))
    deadline = time.monotonic() + 120
    while len(of_folder(many / 'out')) < 5:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    left = list((many / 'tmp').iterdir())
    assert len(left) == 1
    os.utime(left[0], (0, 0))  # left long ago
    done = sum(name.endswith('.npz') for name in of_folder(many / 'out'))
    assert 2 <= done < 8
    said = finish(call(many / 'videos', many / 'out', '--jobs', '2', TMPDIR=str(many / 'tmp')), 0)
    assert '8 videos: 8 ok' in said
    assert f'file://{many}/out/manifest.json' in said
    assert of_folder(many / 'out') == of_folder(many / 'local')
    assert records((many / 'out/manifest.json').read_bytes()) == records((many / 'local/manifest.json').read_bytes())
    assert list((many / 'tmp').iterdir()) == []


@pytest.mark.slow
def test_ray_from_url_to_url(many: Path) -> None:
    pytest.importorskip('ray', reason='Ray is not installed: pip install .[ray]')
    said = finish(call(many / 'videos', many / 'out', '--engine', 'ray', '--jobs', '2'), 0)
    assert '8 videos: 8 ok' in said
    assert of_folder(many / 'out') == of_folder(many / 'local')


def test_faults_of_the_command(
    memory: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(source: str, out: str = 'memory://poses') -> str:
        with pytest.raises(UserError) as caught:
            dispatch(['extract', source, '--out', out, '--backend', 'mediapipe', '--quiet', '--jobs', '0'])
        text = str(caught.value)
        assert '\n' not in text
        return text

    assert told('memory://nowhere') == 'memory://nowhere: cannot be read: no such file or folder'
    MEMORY.pipe_file('/notes/read.txt', b'x')
    assert told('memory://notes').startswith('memory://notes: no videos in this folder or below')
    assert told('memory://notes/read.txt').startswith('memory://notes/read.txt: not a folder and not a video')
    assert 'Protocol not known: nonsense' in told('nonsense://bucket/videos')
    assert 'https:// is not taken' in told('https://example.org/videos')
    assert 'a chain of addresses' in told('simplecache::memory://videos')
    assert 'expected an absolute path' in told('file://videos')
    monkeypatch.setitem(sys.modules, 'fsspec.core', None)
    assert told('memory://videos').endswith("needs fsspec, which is not installed: pip install 'bmoe-skel[remote]'")


def test_the_command_says_where_the_manifest_is(memory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ['extract', 'memory://videos/nod', '--out', 'memory://poses', '--backend', 'mediapipe', '--jobs', '0']
    assert dispatch([*words, '--quiet']) == 0
    assert capsys.readouterr().out.endswith('\nmemory://poses/manifest.json\n')
