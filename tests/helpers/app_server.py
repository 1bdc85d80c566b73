"""The app with a worker that needs no model: what it does with a video is told by the video's name."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from answers import made_up_answer
from starlette.testclient import TestClient

from bmoe_app.commands.further_outputs import further_outputs
from bmoe_app.commands.outputs import failed_entry, write_all
from bmoe_app.server.live_process import Live, LiveTask
from bmoe_app.server.queue import Queue
from bmoe_app.server.routes import App, make_app
from bmoe_app.server.store import Limits, Store
from bmoe_app.server.worker import ANSWER, WATCHING, Job, Message
from pose_extract.discovery import VideoItem
from pose_extract.settings import ExtractSettings

TOKEN, PORT = 'T' * 43, 8790
UNBOUND = Limits(spare=0)
HOME = f'http://127.0.0.1:{PORT}'


class FakeWorker:
    """Answers at once; 'bad' fails, 'dies' dies, 'slow' is half way for ever."""

    made = 0

    def __init__(self, items: Path) -> None:
        self.items, self.job, self.stopped = items, None, False
        FakeWorker.made += 1

    def give(self, job: Job) -> None:
        self.job = job

    def receive(self, seconds: float) -> Message | None:
        job = self.job
        if job is None or 'slow' in job.name:
            time.sleep(min(seconds, 0.01))
            return None if job is None else ('report', (WATCHING, 0.5))
        self.job = None
        if 'dies' in job.name:
            return 'died', 'the process that was looking at it died (signal SIGKILL)'
        if 'bad' in job.name:
            return 'end', failed_entry(job.name, 'not a video <b>')
        answer = replace(made_up_answer(), name=job.name, video=self.items / job.id / job.video.name)
        return 'end', write_all(self.items / job.id / ANSWER, answer, further_outputs(True, [], False)[0])[0]

    def stop(self) -> None:
        self.stopped = True


class Served:
    """The app of a folder, and a client that has its cookie."""

    def __init__(self, folder: Path, limits: Limits = UNBOUND, offered: dict[str, VideoItem] | None = None) -> None:
        self.store = Store(folder, limits, offered)
        self.queue = Queue(self.store, lambda: FakeWorker(folder / 'items'))
        live = Live(LiveTask(ExtractSettings(backend='mediapipe'), False, True, 0.1))
        self.app = App(self.store, self.queue, live, ('rtsp://me:secret@camera.local/1',), 'rules', str(folder))
        self.client = TestClient(make_app(self.app, TOKEN, PORT), base_url=HOME)
        self.client.get('/', params={'token': TOKEN})
        self.queue.start()

    def send(self, name: str, data: bytes = b'some bytes') -> str:
        answer = self.client.post('/api/videos', params={'name': name}, content=data)
        assert answer.status_code == 201, answer.text
        return answer.json()['id']

    def state(self, key: str) -> dict:
        return next(one for one in self.client.get('/api/state').json()['videos'] if one['id'] == key)

    def wait(self, key: str, *states: str) -> dict:
        return wait(lambda: (found := self.state(key))['state'] in states and found)

    def kill(self) -> None:
        """As if the server had been killed: the queue ends where it is, nothing more is written."""
        self.queue.stop()
        self.store.close()


def wait(condition: Callable[[], object], seconds: float = 10.0) -> object:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError('waited in vain')
