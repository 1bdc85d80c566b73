from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from killed_runs import assert_no_orphans, gone, workers_of

from bmoe_ground import files
from bmoe_ground.errors import UserError
from pose_extract import extraction, worker
from pose_extract.discovery import find_videos, rank_and_world
from pose_extract.job import run_job
from pose_extract.manifest import Manifest, new_record, read_manifest
from pose_extract.poses import BoxSource, Poses
from pose_extract.settings import ExtractSettings
from pose_extract.tracks import load_tracks
from pose_extract.video import Frame

TOOL = Path(__file__).parents[2] / 'tools/extract_pose.py'
SETTINGS = ExtractSettings(backend='mediapipe')
SLOW = 'block_estimator:Slow'  # no model, so that what is tested is the job


def start(source: Path, out: Path, *options: str, backend: str = SLOW, **environment: str) -> subprocess.Popen:
    command = [sys.executable, str(TOOL), str(source), '--out', str(out), '--backend', backend, '--quiet', *options]
    repo = TOOL.parents[1]
    path = os.pathsep.join([str(repo), str(repo / 'tests/helpers'), os.environ.get('PYTHONPATH', '')])
    env = {**os.environ, 'PYTHONPATH': path, **environment}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=300)
    assert 'Traceback' not in err, err
    return process.returncode, out, err


def contents(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob('*')
        if path.suffix in ('.npz', '.rgb')
    }


def without_times(manifest: Path) -> list[dict]:
    return [
        {key: value for key, value in record.items() if key not in ('seconds', 'finished')}
        for record in json.loads(manifest.read_text())['videos']
    ]


@pytest.fixture(scope='module')
def portraits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight clips of a swaying portrait."""
    image = cv2.resize(pytest.importorskip('skimage.data').astronaut()[..., ::-1], (192, 192))
    folder = tmp_path_factory.mktemp('footage') / 'videos'
    folder.mkdir()
    for number in range(8):
        writer = cv2.VideoWriter(str(folder / f'{number}.mp4'), cv2.VideoWriter.fourcc(*'mp4v'), 25, (192, 192))
        for t in range(20):
            writer.write(np.roll(image, round(3 * np.sin(t / 3 + number)), axis=1))
        writer.release()
    return folder


@pytest.mark.slow
def test_two_ranks_one_killed_and_started_again_give_the_files_of_a_single_run(portraits: Path, tmp_path: Path) -> None:
    alone, shared = tmp_path / 'alone', tmp_path / 'shared'
    assert finish(start(portraits, alone, '--save-rgb', '32'))[0] == 0
    ranks = [start(portraits, shared, '--save-rgb', '32', RANK=str(rank), WORLD_SIZE='2') for rank in range(2)]
    journal = shared / '.manifest/rank-1.jsonl'
    deadline = time.monotonic() + 200
    while not (journal.exists() and journal.read_text().count('\n') >= 2):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    ranks[1].send_signal(signal.SIGKILL)
    ranks[1].communicate(timeout=60)
    assert finish(ranks[0])[0] == 0
    before = read_manifest(shared / 'manifest.json')
    done = {name for name, record in before.items() if record['status'] == 'ok'}
    if journal.exists():  # rank 0 may have brought the manifest up to date before the last lines of the other
        whole = [line for line in journal.read_text().splitlines(keepends=True) if line.endswith('\n')]
        done |= {record['video'] for record in map(json.loads, whole)}
    assert len(done) >= 6
    code, out, _ = finish(start(portraits, shared, '--save-rgb', '32', SLURM_PROCID='1', SLURM_STEP_NUM_TASKS='2'))
    assert code == 0
    assert 'done before and skipped' in out
    assert contents(shared) == contents(alone)
    assert len(contents(shared)) == 16
    assert without_times(shared / 'manifest.json') == without_times(alone / 'manifest.json')


@pytest.mark.slow
def test_jobs_give_the_files_of_one_process(portraits: Path, tmp_path: Path) -> None:
    pytest.importorskip('mediapipe')
    (tmp_path / 'bad').mkdir()
    for path in portraits.iterdir():
        (tmp_path / 'bad' / path.name).symlink_to(path)
    (tmp_path / 'bad/text.mp4').write_text('no video')
    assert finish(start(tmp_path / 'bad', tmp_path / 'one', '--jobs', '0', backend='mediapipe'))[0] == 1
    code, out, err = finish(start(tmp_path / 'bad', tmp_path / 'two', '--jobs', '2', backend='mediapipe'))
    assert (code, err) == (1, '')
    assert '8 ok, 1 failed' in out
    assert contents(tmp_path / 'one') == contents(tmp_path / 'two')
    assert without_times(tmp_path / 'one/manifest.json') == without_times(tmp_path / 'two/manifest.json')
    assert load_tracks(tmp_path / 'one/3.mp4.npz').person_visible.all()


@pytest.mark.slow
def test_a_process_that_dies_costs_only_its_video(portraits: Path, tmp_path: Path) -> None:
    process = start(portraits, tmp_path / 'out', '--jobs', '1', BLOCK_SECONDS='0.02')
    journal = tmp_path / 'out/.manifest/rank-0.jsonl'
    deadline = time.monotonic() + 200
    while not (journal.exists() and journal.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    children = subprocess.run(
        ['pgrep', '-P', str(process.pid)], capture_output=True, text=True, check=True
    ).stdout.split()
    for child in children:  # the worker, and Python's resource tracker, which does not mind
        if b'spawn_main' in Path(f'/proc/{child}/cmdline').read_bytes():
            os.kill(int(child), signal.SIGSEGV)
    code, out, _ = finish(process)
    assert code == 1
    assert '7 ok, 1 failed' in out
    assert 'died (signal SIGSEGV)' in out
    code, out, _ = finish(start(portraits, tmp_path / 'out'))
    assert code == 0
    assert '8 ok (7 of them done before and skipped)' in out


@pytest.mark.slow
@pytest.mark.skipif(not Path('/proc').is_dir(), reason='needs /proc')
def test_a_long_computation_does_not_outlive_a_killed_job(make_video: Callable[..., Path], tmp_path: Path) -> None:
    video, mark = make_video(), tmp_path / 'computes'
    process = start(video, tmp_path / 'out', '--jobs', '1', backend='block_estimator:Endless', BLOCK_MARK=str(mark))
    workers: list[int] = []
    try:
        deadline = time.monotonic() + 200
        while not mark.exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        workers = workers_of(process.pid)
        assert len(workers) == 1 and not gone(workers[0])
        process.kill()
        assert_no_orphans(workers, 60)
    finally:
        process.kill()
        for worker in workers:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        process.communicate(timeout=60)
    assert not list((tmp_path / 'out').rglob('*.npz'))


def test_exit_code_2_and_one_line_where_nothing_can_be_done(tmp_path: Path) -> None:
    code, out, err = finish(start(tmp_path / 'missing', tmp_path / 'out'))
    assert (code, out) == (2, '')
    assert err.startswith('error: ')
    assert 'no such folder' in err
    (tmp_path / 'empty').mkdir()
    code, _, err = finish(start(tmp_path / 'empty', tmp_path / 'out'))
    assert code == 2
    assert 'no videos in this folder' in err


def test_ranks_from_torchrun_and_slurm() -> None:
    assert rank_and_world({}) == (0, 1)
    assert rank_and_world({'RANK': '3', 'WORLD_SIZE': '4', 'SLURM_PROCID': '0', 'SLURM_NTASKS': '9'}) == (3, 4)
    step = {'SLURM_PROCID': '2', 'SLURM_STEP_NUM_TASKS': '5', 'SLURM_NTASKS': '8'}
    assert rank_and_world(step) == (2, 5)
    assert rank_and_world({'SLURM_PROCID': '0', 'SLURM_NTASKS': '1'}) == (0, 1)
    assert rank_and_world({'SLURM_NTASKS': '4'}) == (0, 1)  # a shell of salloc
    with pytest.raises(UserError, match='put srun before the call'):
        rank_and_world({'SLURM_PROCID': '0', 'SLURM_NTASKS': '4'})
    with pytest.raises(UserError, match='RANK=4 and WORLD_SIZE=4'):
        rank_and_world({'RANK': '4', 'WORLD_SIZE': '4'})


def test_a_full_disk_stops_the_job_and_keeps_what_is_done(
    make_video: Callable[..., Path], tmp_path: Path, block_backend: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in 'abc':
        make_video(f'videos/{name}.mp4', frames=4)
    written: list[str] = []

    def replace(source: str, target: str) -> None:
        if str(target).endswith('.npz'):
            if written:
                raise OSError(errno.ENOSPC, 'No space left on device')
            written.append(target)
        os.rename(source, target)

    monkeypatch.setattr(files.os, 'replace', replace)
    with pytest.raises(UserError, match='b.mp4.npz.*No space left.*free some space and run again'):
        run_job(tmp_path / 'videos', tmp_path / 'poses', SETTINGS, jobs=0, show_progress=False)
    monkeypatch.undo()
    records = read_manifest(tmp_path / 'poses/manifest.json')
    assert [records[f'{name}.mp4']['status'] for name in 'abc'] == ['ok', 'pending', 'pending']
    assert not list(tmp_path.rglob(files.TEMPORARY_PREFIX + '*'))


def test_an_unforeseen_fault_is_recorded_for_its_video(
    make_video: Callable[..., Path], tmp_path: Path, block_backend: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in 'ab':
        make_video(f'videos/{name}.mp4', frames=3)
    original = worker.extract_video

    def broken(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == 'a.mp4':
            raise RuntimeError('out of memory')
        return original(path, *arguments, **options)

    monkeypatch.setattr(worker, 'extract_video', broken)
    summary = run_job(tmp_path / 'videos', tmp_path / 'poses', SETTINGS, jobs=0, show_progress=False)
    assert [(r['status'], r['error']) for r in summary.records] == [
        ('failed', 'RuntimeError: out of memory'),
        ('ok', None),
    ]


def test_links_dots_and_odd_names(make_video: Callable[..., Path], tmp_path: Path, block_backend: type) -> None:
    names = ['a b.mp4', "it's.mp4", 'Übung-动作.mp4', 'same.avi', 'same.mp4', 'line\nbreak.mp4']
    for name in names:
        make_video(f'videos/{name}', frames=3)
    make_video('elsewhere/linked.mp4', frames=3)
    (tmp_path / 'videos/far').symlink_to(tmp_path / 'elsewhere')
    (tmp_path / 'videos/loop').symlink_to(tmp_path / 'videos')
    (tmp_path / 'videos/nowhere.mp4').symlink_to(tmp_path / 'gone.mp4')
    (tmp_path / 'videos/.hidden.mp4').write_bytes(b'x')
    (tmp_path / 'videos/folder.mp4').mkdir()
    source = tmp_path / 'videos/../videos'
    summary = run_job(source, tmp_path / 'videos/poses/..//poses', SETTINGS, jobs=0, show_progress=False)
    expected = sorted([*names, 'far/linked.mp4', 'nowhere.mp4'])
    assert [record['video'] for record in summary.records] == expected
    failed = [record for record in summary.records if record['status'] != 'ok']
    assert [record['video'] for record in failed] == ['nowhere.mp4']
    assert 'no such file' in failed[0]['error']
    assert sorted(contents(tmp_path / 'videos/poses')) == sorted(
        f'{name}.npz' for name in expected if name != 'nowhere.mp4'
    )
    again = run_job(source, tmp_path / 'videos/poses', SETTINGS, jobs=0, show_progress=False)
    assert again.skipped == len(expected) - 1


def test_folders_of_images_are_found_beside_videos(make_video: Callable[..., Path], tmp_path: Path) -> None:
    make_video('videos/nod/a.mp4', frames=2)
    for name in ('still/clip/frame_1.png', 'still/clip/frame_2.png', 'nod/poster1.png'):
        path = tmp_path / 'videos' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.zeros((4, 4, 3), np.uint8))
    items = find_videos(tmp_path / 'videos', tmp_path / 'poses')
    assert [item.name for item in items] == ['nod/a.mp4', 'still/clip']
    assert items[1].track == 'still/clip.npz'


def test_the_last_line_of_a_killed_rank_may_be_half(tmp_path: Path) -> None:
    first = Manifest(tmp_path, rank=0, world=2)
    second = Manifest(tmp_path, rank=1, world=2)
    for manifest in (first, second):
        manifest.begin(['a', 'b'], {})
    first.add(new_record('a', 'ok') | {'finished': 5.0})
    second.add(new_record('b', 'ok') | {'finished': 6.0})
    with (tmp_path / '.manifest/rank-1.jsonl').open('a') as file:
        file.write('{"video": "a", "sta')
    first.merge(last=True)
    records = read_manifest(tmp_path / 'manifest.json')
    assert {name: record['status'] for name, record in records.items()} == {'a': 'ok', 'b': 'ok'}
    assert not (tmp_path / '.manifest/rank-0.jsonl').exists()
    second.merge(last=True)
    assert read_manifest(tmp_path / 'manifest.json') == records


def test_a_manifest_that_is_none_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / 'manifest.json').write_text('{"videos": 3}')
    with pytest.raises(UserError, match='not a manifest.*remove it'):
        Manifest(tmp_path).begin(['a'], {})


def test_extraction_stops_its_reading_thread_when_the_estimator_fails(
    make_video: Callable[..., Path], block_backend: type
) -> None:
    import threading

    class Failing(block_backend):
        def run(self, frames: Iterable[Frame], boxes: BoxSource | None = None) -> Poses:
            yield from super().run([next(iter(frames))])
            raise RuntimeError('stop here')

    before = threading.active_count()
    with pytest.raises(RuntimeError, match='stop here'):
        extraction.extract_video(make_video(frames=40), Failing(SETTINGS), SETTINGS, {})
    assert threading.active_count() == before
