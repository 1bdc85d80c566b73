from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bmoe_app.cli import dispatch
from bmoe_ground.errors import UserError
from pose_extract.manifest import read_manifest

REPO = Path(__file__).parents[2]
PATHS = os.pathsep.join([str(REPO), str(REPO / 'tests/helpers')])


@pytest.fixture(scope='module')
def cluster() -> Iterator[Any]:
    """A head without processors, so that every actor lies on a node that a test can kill."""
    pytest.importorskip('ray', reason='Ray is not installed: pip install .[ray]')
    from ray.cluster_utils import Cluster

    before = {name: os.environ.get(name) for name in ('PYTHONPATH', 'RAY_USAGE_STATS_ENABLED')}
    os.environ.update(PYTHONPATH=PATHS, RAY_USAGE_STATS_ENABLED='0')
    cluster = Cluster(initialize_head=True, head_node_args={'num_cpus': 0, 'include_dashboard': False})
    yield cluster
    cluster.shutdown()
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


def extract(videos: Path, out: Path, *options: str, backend: str = 'Slow', **kwargs: Any) -> subprocess.Popen[str]:
    command = [sys.executable, str(REPO / 'tools/extract_pose.py'), str(videos), '--out', str(out), '--quiet']
    command += ['--backend', f'block_estimator:{backend}', *options]
    environment = {**os.environ, 'PYTHONPATH': PATHS, 'OMP_NUM_THREADS': '1'}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs
    )


def finish(process: subprocess.Popen[str], code: int) -> str:
    out, err = process.communicate(timeout=240)
    assert (process.returncode, 'Traceback' in err) == (code, False), out + err
    return out + err


def contents(out: Path) -> dict[str, bytes]:
    files = (path for path in out.rglob('*') if path.suffix in ('.npz', '.rgb'))
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def without_times(out: Path) -> list[dict]:
    records = json.loads((out / 'manifest.json').read_text())['videos']
    return [{**record, 'seconds': 0, 'finished': 0} for record in records]


@pytest.mark.slow
def test_one_of_two_nodes_is_killed_half_way(cluster: Any, make_video: Callable[..., Path], tmp_path: Path) -> None:
    for number in range(16):
        make_video(f'videos/{number:02d}.mp4', frames=40)
    videos = tmp_path / 'videos'
    finish(extract(videos, tmp_path / 'alone', '--jobs', '0', '--save-rgb', '32'), 0)
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    cluster.wait_for_nodes()
    try:
        options = ('--engine', 'ray', '--address', cluster.address, '--jobs', '2', '--save-rgb', '32')
        process = extract(Path('videos'), Path('out'), *options, cwd=tmp_path)  # paths are made absolute
        journal = tmp_path / 'out/.manifest/rank-0.jsonl'
        deadline = time.monotonic() + 120
        while not (journal.is_file() and journal.read_text().count('\n') >= 5):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        done = journal.read_text().count('\n')
        cluster.remove_node(nodes.pop(), allow_graceful=False)
        assert done < 12
        assert '16 ok' in finish(process, 0)
    finally:
        for node in nodes:
            cluster.remove_node(node)
    assert contents(tmp_path / 'out') == contents(tmp_path / 'alone')
    assert len(contents(tmp_path / 'out')) == 32
    assert without_times(tmp_path / 'out') == without_times(tmp_path / 'alone')
    assert sorted(path.name for path in (tmp_path / 'out/.manifest').iterdir()) == ['lock']


@pytest.mark.slow
def test_a_video_that_takes_its_process_down_fails_and_the_rest_is_done(
    cluster: Any, make_video: Callable[..., Path], tmp_path: Path
) -> None:
    for number in range(4):
        make_video(f'videos/{number}.mp4', frames=5)
    writer = cv2.VideoWriter(str(tmp_path / 'videos/deadly.mp4'), cv2.VideoWriter_fourcc(*'mp4v'), 25, (64, 48))
    for _ in range(5):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    node = cluster.add_node(num_cpus=2)
    cluster.wait_for_nodes()
    try:
        options = ('--engine', 'ray', '--address', cluster.address, '--jobs', '2')
        said = finish(extract(tmp_path / 'videos', tmp_path / 'out', *options, backend='Deadly'), 1)
        assert '4 ok, 1 failed' in said
        assert 'deadly.mp4: the process that was reading it died 3 times' in said
        # the same for every video: one line, exit code 2
        (tmp_path / 'bad.csv').write_text('nothing')
        said = finish(
            extract(tmp_path / 'videos', tmp_path / 'out2', *options, '--boxes', str(tmp_path / 'bad.csv')), 2
        )
        assert said.startswith('error: ') and said.count('\n') == 1
    finally:
        cluster.remove_node(node)
    records = read_manifest(tmp_path / 'out/manifest.json')
    assert [records[f'{number}.mp4']['status'] for number in range(4)] == ['ok'] * 4


@pytest.mark.slow
def test_no_cluster_there(make_video: Callable[..., Path], tmp_path: Path) -> None:
    pytest.importorskip('ray', reason='Ray is not installed: pip install .[ray]')
    make_video('videos/a.mp4')
    process = extract(tmp_path / 'videos', tmp_path / 'out', '--engine', 'ray', '--address', 'nonsense')
    assert 'error: --address nonsense: no Ray cluster is reached' in finish(process, 2)


def test_ray_is_not_installed(
    make_video: Callable[..., Path], tmp_path: Path, block_backend: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_video('videos/a.mp4')
    monkeypatch.setitem(sys.modules, 'ray', None)
    words = ['extract', str(tmp_path / 'videos'), '--out', str(tmp_path / 'out'), '--backend', 'mediapipe']
    with pytest.raises(UserError, match=r"needs Ray.*pip install 'bmoe-skel\[ray\]'"):
        dispatch([*words, '--engine', 'ray'])
    with pytest.raises(UserError, match='--address needs --engine ray'):
        dispatch([*words, '--address', 'auto'])
