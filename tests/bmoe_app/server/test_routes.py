"""What the page asks of the server: videos in, answers out, nothing else."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip('starlette', reason="needs the extra 'app'")
from app_server import FakeWorker, Served, wait  # noqa: E402

from bmoe_app.server.store import Limits  # noqa: E402
from pose_extract.discovery import VideoItem  # noqa: E402

HOSTILE = '../../<img src=x onerror=alert(1)>\n.mp4'


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / 'films').mkdir()
    film = tmp_path / 'films' / 'a.mp4'
    film.write_bytes(b'a film')
    one = Served(tmp_path / 'out', Limits(file=1000, total=2500, spare=0), {'a.mp4': VideoItem(film, 'a.mp4', 6)})
    yield one
    one.kill()


def test_a_video_is_taken_answered_and_shown(served: Served) -> None:
    key = served.send(HOSTILE)
    said = served.wait(key, 'ok')
    assert (said['events'], said['persons'], said['error']) == (4, 2, '')
    assert said['name'] == '../../<img src=x onerror=alert(1)>\\n.mp4'
    folder = served.store.folder / 'items' / key
    assert (folder / 'video.mp4').read_bytes() == b'some bytes'
    assert sorted(path.name for path in served.store.folder.parent.iterdir()) == ['films', 'out']
    page = served.client.get(f'/answers/{key}/answer.html')
    assert page.headers['content-type'].startswith('text/html') and '<img src=x' not in page.text
    assert '"video":"video.mp4"' in page.text
    part = served.client.get(f'/answers/{key}/video.mp4', headers={'range': 'bytes=5-8'})
    assert (part.status_code, part.content) == (206, b'byte')
    table = served.client.get(f'/answers/{key}/answer.events.csv', params={'save': ''})
    assert 'filename' in table.headers['content-disposition'] and '..' not in table.headers['content-disposition']


def test_what_cannot_be_answered_fails_alone_and_can_be_tried_again(served: Served) -> None:
    bad, dies, good = served.send('bad.mp4'), served.send('dies.mp4'), served.send('good.mp4')
    assert served.wait(good, 'ok')
    assert served.state(bad)['error'] == 'not a video <b>'
    assert 'SIGKILL' in served.state(dies)['error']
    assert served.client.post(f'/api/videos/{bad}/again').status_code == 200
    served.wait(bad, 'failed')
    assert served.client.post(f'/api/videos/{good}/remove').status_code == 200
    assert not (served.store.folder / 'items' / good).exists()
    assert served.client.get(f'/answers/{good}/answer.html').status_code == 404


def test_running_and_waiting_videos_are_cancelled(served: Served) -> None:
    slow, next_one = served.send('slow.mp4'), served.send('slow too.mp4')
    assert served.wait(slow, 'running')['name'] == 'slow.mp4'
    wait(lambda: served.state(slow)['share'] == 0.5)
    assert served.client.get('/api/state').json()['left'] is not None
    for key in (next_one, slow):
        served.client.post(f'/api/videos/{key}/cancel')
        served.wait(key, 'cancelled')
    assert served.wait(served.send('good.mp4'), 'ok')


def test_only_files_of_answers_and_videos_have_an_address(served: Served) -> None:
    key = served.send('a.mp4')
    served.wait(key, 'ok')
    outside = ('..%2F..%2F.token', '%2Fetc%2Fpasswd')
    for name in ('item.json', 'result.json', *outside, 'video.avi', 'answer', 'answer..html'):
        assert served.client.get(f'/answers/{key}/{name}').status_code == 404, name
    assert served.client.get('/answers/none/answer.html').status_code == 404
    assert served.client.post(f'/api/videos/{key}/explode').status_code == 404


def test_uploads_are_bounded_and_leave_nothing_when_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(data: bytes | Iterator[bytes]) -> str:
        answer = served.client.post('/api/videos', params={'name': 'big.mp4'}, content=data)
        assert answer.status_code == 400
        return answer.json()['error']

    assert 'the most that one video may have' in refused(b'x' * 1001)
    assert 'the most that one video may have' in refused(b'x' * 100 for _ in range(11))  # nobody said how long
    assert 'empty' in refused(b'')
    for name in ('slow a', 'slow b'):
        served.send(name, b'x' * 1000)
    assert 'all videos together' in refused(b'x' * 1000)
    assert served.client.get('/api/room', params={'size': 400}).status_code == 200
    assert served.client.get('/api/room', params={'size': 600}).status_code == 400
    monkeypatch.setattr('shutil.disk_usage', lambda path: type('Usage', (), {'free': 10}))
    assert 'too full' in refused(b'x' * 100)
    assert len(list((served.store.folder / 'items').iterdir())) == 2


def test_a_folder_of_the_server_is_offered_by_number_only(served: Served) -> None:
    assert served.client.get('/api/state').json()['offered'] == [{'number': 0, 'name': 'a.mp4'}]
    for wrong in ([1], ['a.mp4'], 'a', [-1]):
        assert served.client.post('/api/offered', json={'numbers': wrong}).status_code == 400
    assert served.client.post('/api/offered', content='[' * 100_000).status_code == 400
    assert served.client.post('/api/offered', json={'numbers': [0]}).status_code == 201
    (item,) = served.store.all()
    assert served.wait(item.id, 'ok')['name'] == 'a.mp4'
    assert served.client.get(f'/answers/{item.id}/video.mp4').content == b'a film'
    assert served.client.get('/api/state').json()['offered'] == []


def test_one_of_two_frames_is_a_choice_of_each_video(served: Served) -> None:
    for wrong in ('0', '3', '-1', '1.5', 'x', '9' * 5000):
        params = {'name': 'a.mp4', 'every': wrong}
        assert served.client.post('/api/videos', params=params, content=b'bytes').status_code == 400
        assert served.client.post('/api/offered', json={'numbers': [0], 'every': wrong}).status_code == 400
    assert served.store.all() == []
    answer = served.client.post('/api/videos', params={'name': 'slow.mp4', 'every': '2'}, content=b'bytes')
    served.wait(answer.json()['id'], 'running')
    served.send('b.mp4')
    assert served.client.post('/api/offered', json={'numbers': [0], 'every': 2}).status_code == 201
    assert [item.every for item in served.store.all()] == [2, 1, 2]
    worker = served.queue._worker
    assert isinstance(worker, FakeWorker) and worker.job is not None and worker.job.every == 2


def test_everything_comes_as_one_zip(served: Served) -> None:
    keys = [served.send(name) for name in ('../nod.mp4', 'nod.mp4', 'bad.mp4')]
    served.wait(keys[-1], 'failed')
    archive = zipfile.ZipFile(io.BytesIO(served.client.get('/all.zip', params={'videos': '1'}).content))
    assert archive.testzip() is None
    names = archive.namelist()
    assert not [name for name in names if name.startswith(('/', '.')) or '..' in name.split('/')]
    assert {'nod.mp4/answer.html', 'nod.mp4/video.mp4', 'nod.mp4 (2)/answer.events.csv'} <= {
        name.replace('_nod', 'nod') for name in names
    }
    rows = archive.read('events.csv').decode('utf-8-sig').splitlines()
    assert rows[0].startswith('video,start,end') and len(rows) == 1 + 2 * 4
    assert rows[2].count("'=1+1") == 1 and "''=1+1" not in rows[2]
    assert 'not a video &lt;b&gt;' in archive.read('index.html').decode()
    small = zipfile.ZipFile(io.BytesIO(served.client.get('/all.zip').content))
    assert not [name for name in small.namelist() if 'video' in name]


def test_nothing_is_said_twice_where_nothing_changed(served: Served) -> None:
    version = served.client.get('/api/state').json()['version']
    assert served.client.get('/api/state', params={'version': version}).status_code == 204


def test_live_looks_at_nothing_that_was_not_named(served: Served) -> None:
    state = served.client.get('/api/state').json()
    assert state['streams'] == ['rtsp://camera.local/1']
    for wrong in (
        {'kind': 'stream', 'which': 'http://evil.test/'},
        {'kind': 'stream', 'which': 1},
        {'kind': 'video', 'which': '/etc/passwd'},
        {'kind': 'camera', 'which': -1},
        {},
    ):
        assert served.client.post('/api/live', json=wrong).status_code == 400
    assert served.client.get('/api/live').json() == {'state': 'off', 'events': []}
    assert served.client.get('/live.mjpg').content == b''
