"""What is on the disk is the truth: after a kill, finished videos are there and the others go on."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip('starlette', reason="needs the extra 'app'")
from app_server import Served, wait  # noqa: E402

from bmoe_app.server.items import Item, read_item, stored_name, write_item  # noqa: E402
from bmoe_app.server.queue import NOT_OFFERED, seconds_left  # noqa: E402
from bmoe_app.server.store import Busy, Store  # noqa: E402
from bmoe_ground.errors import UserError  # noqa: E402
from pose_extract.discovery import VideoItem  # noqa: E402


def test_after_a_kill_finished_ones_are_there_and_the_others_go_on(tmp_path: Path) -> None:
    served = Served(tmp_path)
    done = served.send('done.mp4')
    served.wait(done, 'ok')
    running, waiting = served.send('slow.mp4'), served.send('slow too.mp4')
    served.wait(running, 'running')
    half = served.store.upload('half.mp4', None)
    half.write(b'half of it')
    before = served.state(done)
    served.kill()
    again = Served(tmp_path)
    try:
        assert again.state(done) == before
        assert [item.name for item in again.store.all()] == ['done.mp4', 'slow.mp4', 'slow too.mp4']
        again.wait(running, 'running')
        assert again.state(waiting)['state'] == 'queued'
        assert not (tmp_path / 'items' / half.id).exists()
    finally:
        again.kill()


def test_two_servers_do_not_share_a_folder(tmp_path: Path) -> None:
    first = Store(tmp_path)
    with pytest.raises(Busy, match='running there already'):
        Store(tmp_path)
    first.close()
    Store(tmp_path).close()


def test_a_full_disk_fails_one_video_and_the_queue_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served(tmp_path)
    try:
        real = os.fsync

        def full(handle: int) -> None:
            raise OSError(28, 'No space left on device')

        monkeypatch.setattr(os, 'fsync', full)
        answer = served.client.post('/api/videos?name=a.mp4', content=b'x')
        assert answer.status_code == 400 and 'No space left on device; free some space' in answer.json()['error']
        assert list((tmp_path / 'items').iterdir()) == []
        monkeypatch.setattr(os, 'fsync', real)
        key = served.send('slow.mp4')
        served.wait(key, 'running')
        monkeypatch.setattr(os, 'fsync', full)  # what became of it cannot be written: it is known until the end
        served.client.post(f'/api/videos/{key}/cancel')
        served.wait(key, 'cancelled')
        monkeypatch.setattr(os, 'fsync', real)
        served.wait(served.send('b.mp4'), 'ok')
    finally:
        served.kill()


def test_a_folder_that_is_not_offered_any_more_is_not_read(tmp_path: Path) -> None:
    film = tmp_path / 'a.mp4'
    film.write_bytes(b'a film')
    first = Store(tmp_path / 'out', offered={'a.mp4': VideoItem(film, 'a.mp4', 6)})
    key = first.add_offered('a.mp4').id
    with pytest.raises(UserError, match='no such video'):
        first.add_offered('../a.mp4')
    first.close()
    served = Served(tmp_path / 'out')
    try:
        assert served.wait(key, 'failed')['error'] == NOT_OFFERED
        assert served.client.get(f'/answers/{key}/video.mp4').status_code == 404
    finally:
        served.kill()


@pytest.mark.parametrize(
    'change',
    [
        {'id': '../../x'}, {'format': 'other'}, {'number': -1}, {'number': 'one'}, {'name': 3}, {'file': '../../x'},
        {'file': '/etc/passwd'}, {'file': None}, {'offered': 'a.mp4'}, {'size': None},
        {'every': 3}, {'every': '2'}, {'every': None},
    ],
)  # fmt: skip
def test_a_damaged_item_is_left_alone_and_counted(tmp_path: Path, change: dict[str, object]) -> None:
    folder = tmp_path / 'items' / ('0' * 16)
    write_item(folder, Item('0' * 16, 1, 'a.mp4', 3, 'video.mp4'))
    assert read_item(folder) is not None
    (folder / 'item.json').write_text(json.dumps({**json.loads((folder / 'item.json').read_text()), **change}))
    store = Store(tmp_path)
    assert (store.damaged, store.all()) == (1, [])
    store.close()
    assert folder.is_dir()


def test_an_item_of_an_earlier_release_is_looked_at_frame_by_frame(tmp_path: Path) -> None:
    folder = tmp_path / ('0' * 16)
    write_item(folder, Item('0' * 16, 1, 'a.mp4', 3, 'video.mp4', every=2))
    found = read_item(folder)
    assert found is not None and found.every == 2
    said = json.loads((folder / 'item.json').read_text())
    del said['every']
    (folder / 'item.json').write_text(json.dumps(said))
    found = read_item(folder)
    assert found is not None and found.every == 1


def test_only_known_endings_are_kept() -> None:
    assert [stored_name(name) for name in ('a.MP4', 'b.html', '..', 'c.mp4/../x.js', '')] == [
        'video.mp4', 'video.bin', 'video.bin', 'video.bin', 'video.bin',
    ]  # fmt: skip


def test_time_left_goes_by_bytes_and_by_what_is_done() -> None:
    done = Item('a', 1, 'a', 100, state='ok', result={'took': 10.0})
    running = Item('b', 2, 'b', 200, state='running', share=0.25, started=100.0)
    waiting = Item('c', 3, 'c', 50)
    assert seconds_left([waiting], 0.0) is None
    assert seconds_left([done, waiting], 0.0) == pytest.approx(5.0)
    assert seconds_left([done, running, waiting], 105.0) == pytest.approx(15.0 + 5.0)
    assert seconds_left([running, waiting], 105.0) == pytest.approx(15.0 + 5.0)
    assert seconds_left([done], 0.0) == 0.0
    half = Item('d', 4, 'd', 100, every=2)
    assert seconds_left([done, half], 0.0) == pytest.approx(5.0)
    assert seconds_left([done, replace(half, state='running', started=100.0)], 101.0) == pytest.approx(4.0)
    assert seconds_left([replace(half, state='ok', result={'took': 5.0}), waiting], 0.0) == pytest.approx(5.0)
    assert seconds_left([replace(running, every=2), waiting], 105.0) == pytest.approx(15.0 + 10.0)


def test_a_video_is_removed_while_it_runs(tmp_path: Path) -> None:
    served = Served(tmp_path)
    try:
        key = served.send('slow.mp4')
        served.wait(key, 'running')
        assert served.client.post(f'/api/videos/{key}/remove').status_code == 200
        wait(lambda: not list((tmp_path / 'items').iterdir()))
    finally:
        served.kill()
