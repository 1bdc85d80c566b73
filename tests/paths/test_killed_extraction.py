"""Extractions killed at random moments, whole or a worker alone: a few here, ``make kill-test`` does thirty a kind."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from killed_runs import assert_no_orphans, workers_of
from pose_fixtures import write_block_video

from bmoe_ground.files import TEMPORARY_PREFIX
from pose_extract.manifest import read_manifest

KILLS = int(os.environ.get('KILLS', '1'))
REPO = Path(__file__).resolve().parents[2]
PATHS = os.pathsep.join([str(REPO), str(REPO / 'tests/helpers')])
KINDS = ['whole', 'worker', 'shards']
SIGNALS = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
PATIENCE = 600  # seconds; on a machine that does other things too
pytestmark = pytest.mark.slow


def start(folder: Path, out: str, *options: str, **kwargs: object) -> subprocess.Popen[str]:
    command = [sys.executable, str(REPO / 'tools/extract_pose.py'), 'videos', '--out', out, '--quiet']
    command += ['--backend', 'block_estimator:Slow', '--save-rgb', '32', *options]
    environment = {**os.environ, 'PYTHONPATH': PATHS, 'OMP_NUM_THREADS': '1', 'BLOCK_SECONDS': '0.005'}
    with (folder / 'log.txt').open('a') as log:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, text=True, **kwargs)  # type: ignore[call-overload,no-any-return]


@pytest.fixture(scope='module')
def made(once: Callable[..., Path]) -> Path:
    """Videos, and what an extraction that nothing befell made of them."""
    return once('extraction', extract_straight)


def extract_straight(folder: Path) -> None:
    for number in range(24):
        write_block_video(folder / f'videos/{number:02d}.avi', frames=12)
    assert start(folder, 'straight', '--jobs', '0').wait(PATIENCE) == 0, (folder / 'log.txt').read_text()


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def contents(out: Path) -> dict[str, bytes]:
    files = (path for path in out.rglob('*') if path.suffix in ('.npz', '.rgb'))
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def times(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in out.rglob('*.npz')}


def whole_videos(out: Path) -> set[str]:
    """Videos of which both the track and the crops are there; files under their names are whole."""
    return {path.name.removesuffix('.npz') for path in out.rglob('*.npz') if path.with_suffix('.rgb').is_file()}


def assert_as_straight(folder: Path, out: str) -> None:
    assert contents(folder / out) == contents(folder / 'straight')
    records = [json.loads((folder / name / 'manifest.json').read_text())['videos'] for name in (out, 'straight')]
    strip = [[{**record, 'seconds': 0, 'finished': 0} for record in found] for found in records]
    assert strip[0] == strip[1]
    assert sorted(path.name for path in (folder / out / '.manifest').iterdir()) == ['lock']


def young_remains(out: Path) -> list[Path]:
    return list(out.rglob(f'{TEMPORARY_PREFIX}*'))


@pytest.mark.parametrize('kind', KINDS)
def test_killed_at_random_moments(folder: Path, kind: str) -> None:
    rng = np.random.default_rng(18)
    options = {'whole': ['--jobs', '2'], 'worker': ['--jobs', '2'], 'shards': ['--jobs', '1', '--shard', '0/1']}[kind]
    kills = runs = 0
    while kills < KILLS:
        out = f'run{runs}'
        runs += 1
        while kills < KILLS:
            before = times(folder / out)
            before = {name: when for name, when in before.items() if name[:-4] in whole_videos(folder / out)}
            process = start(folder, out, *options)
            aim = len(before) + int(rng.integers(0, 6))
            until = time.monotonic() + PATIENCE
            while len(times(folder / out)) < aim and process.poll() is None and time.monotonic() < until:
                time.sleep(0.005)
            time.sleep(rng.uniform(0, 0.3))
            workers = workers_of(process.pid)
            number = SIGNALS[kills % 3]
            if kind == 'worker':
                if not workers:
                    process.wait(PATIENCE)
                    break
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(rng.choice(workers)), signal.SIGKILL)
                assert process.wait(PATIENCE) in (0, 1), (folder / 'log.txt').read_text()[-3000:]
            else:
                if process.poll() is not None:
                    break
                process.send_signal(number)
                process.wait(10)
                assert_no_orphans(workers)
            kills += 1
            after = times(folder / out)
            assert {name: after[name] for name in before} == before  # nothing that was whole is made again
        assert start(folder, out, *options).wait(PATIENCE) == 0, (folder / 'log.txt').read_text()[-3000:]
        for path in young_remains(folder / out):  # kept for an hour, since somebody might be writing them still
            os.utime(path, (0, 0))
        assert start(folder, out, *options).wait(PATIENCE) == 0
        assert young_remains(folder / out) == []
        assert_as_straight(folder, out)
    print(f'{kind}: {kills} kills in {runs} extractions, nothing lost')


def test_out_of_memory(folder: Path) -> None:
    """A limit of address space, tightened until it is met at ever later moments."""
    codes = set()
    for megabytes in (200, 400, 600, 800)[: max(2, KILLS)]:
        size = megabytes << 20
        process = start(
            folder,
            'out',
            '--jobs',
            '0',
            preexec_fn=lambda size=size: resource.setrlimit(resource.RLIMIT_AS, (size,) * 2),
        )
        try:
            codes.add(process.wait(PATIENCE))
        finally:
            process.kill()
    assert codes - {0}
    assert start(folder, 'out', '--jobs', '0').wait(PATIENCE) == 0
    assert_as_straight(folder, 'out')


@pytest.mark.skipif(os.geteuid() != 0, reason='mounting a small tmpfs needs root')
def test_full_disk(folder: Path) -> None:
    (folder / 'out').mkdir()
    mount = ['mount', '-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', str(folder / 'out')]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip('no right to mount a tmpfs here')
    try:
        assert start(folder, 'out', '--jobs', '1').wait(PATIENCE) == 2
        said = (folder / 'log.txt').read_text().splitlines()[-1]
        assert said.startswith('error: ') and 'No space left on device' in said
        done = whole_videos(folder / 'out')
        subprocess.run(['mount', '-o', 'remount,size=64m', str(folder / 'out')], check=True)
        before = times(folder / 'out')
        assert done and start(folder, 'out', '--jobs', '1').wait(PATIENCE) == 0
        after = times(folder / 'out')
        assert all(after[f'{name}.npz'] == before[f'{name}.npz'] for name in done)
        assert_as_straight(folder, 'out')
        assert {record['status'] for record in read_manifest(folder / 'out/manifest.json').values()} == {'ok'}
    finally:
        subprocess.run(['umount', str(folder / 'out')], check=False)
