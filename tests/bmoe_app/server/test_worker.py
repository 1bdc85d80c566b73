"""What answers the app's videos: of which frames, and in the middle of a computation when the server is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

pytest.importorskip('starlette', reason="needs the extra 'app'")
pytest.importorskip('uvicorn', reason="needs the extra 'app'")
from app_server import UNBOUND, wait  # noqa: E402
from killed_runs import assert_no_orphans, gone, workers_of  # noqa: E402
from pose_fixtures import write_block_video  # noqa: E402

from bmoe_app.server.store import Store  # noqa: E402
from bmoe_app.server.worker import Answerer, AnswerTask, Job  # noqa: E402
from bmoe_ground.files import TEMPORARY_PREFIX  # noqa: E402
from pose_extract.settings import ExtractSettings  # noqa: E402
from pose_extract.tracks import load_tracks  # noqa: E402

LEFT_OUT = 'of every 2 frames one was looked at: quick movements may be missed'
REPO = Path(__file__).resolve().parents[3]


def test_one_of_two_frames_is_looked_at_where_that_was_chosen_and_said(tmp_path: Path, block_backend: type) -> None:
    (tmp_path / 'one').mkdir()
    video = write_block_video(tmp_path / 'one/video.avi', frames=9)
    answer = Answerer(AnswerTask(tmp_path, ExtractSettings(backend='mediapipe'), False, True, 0.1))
    for every, frames in ((1, range(9)), (2, range(0, 9, 2)), (1, range(9))):
        result = answer(Job('one', 'a.avi', video, every), lambda phase, share: None)
        assert result['status'] == 'ok'
        tracks = load_tracks(tmp_path / 'one/answer.npz')
        assert tracks.extras['frame_indices'].tolist() == list(frames)
        assert tracks.provenance['asked']['stride'] == tracks.provenance['settings']['stride'] == every
        written = [(tmp_path / 'one' / f'answer.{kind}').read_text() for kind in ('json', 'html')]
        assert result['notes'] == [LEFT_OUT][: every - 1]
        assert [LEFT_OUT in text for text in written] == [every == 2] * 2


def queue(out: Path, video: Path) -> Path:
    """Put a video into the queue that the next start of the app answers; the folder of its answer."""
    store = Store(out, UNBOUND)
    try:
        upload = store.upload(video.name, None)
        upload.write(video.read_bytes())
        return store.folder_of(upload.finish())
    finally:
        store.close()


@pytest.mark.slow
@pytest.mark.skipif(not Path('/proc').is_dir(), reason='needs /proc')
def test_a_long_computation_does_not_outlive_a_killed_server(tmp_path: Path) -> None:
    out, mark = tmp_path / 'out', tmp_path / 'computes'
    place = queue(out, write_block_video(tmp_path / 'a.avi'))
    words = [str(REPO / 'tools/app.py'), '--out', str(out), '--no-browser', '--port', '0', '--no-model']
    env = {**os.environ, 'PYTHONPATH': f'{REPO}{os.pathsep}{REPO / "tests/helpers"}', 'BLOCK_MARK': str(mark)}
    command = [sys.executable, *words, '--backend', 'block_estimator:Endless']
    server = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    workers: list[int] = []
    try:
        wait(lambda: mark.exists() or server.poll() is not None, 300)
        workers = workers_of(server.pid)
        assert len(workers) == 1 and not gone(workers[0])
        server.kill()
        server.wait(30)
        assert_no_orphans(workers, 60)
    finally:
        server.kill()
        server.wait(30)
        for worker in workers:
            with suppress(ProcessLookupError):
                os.kill(worker, 9)
    assert sorted(path.name for path in place.iterdir()) == ['item.json', 'video.avi']
    assert not list(out.rglob(f'{TEMPORARY_PREFIX}*'))
