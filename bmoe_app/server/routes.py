"""What the page can ask of the server."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bmoe_app.live.sources import source_of
from bmoe_app.pages.app_page import app_page, app_policy
from bmoe_app.server.archive import folder_names, stream_zip
from bmoe_app.server.guard import Guard
from bmoe_app.server.items import EVERY, Item, stored_name
from bmoe_app.server.live_process import Live
from bmoe_app.server.queue import Queue, seconds_left
from bmoe_app.server.store import Store
from bmoe_app.server.worker import ANSWER
from bmoe_ground.errors import UserError
from bmoe_ground.names import printable

CAMERAS = 4
"""Numbers of cameras that the page offers."""
_OF_ANSWER = re.compile(rf'{ANSWER}(\.[a-z0-9_]+){{1,3}}')
_TYPES = {'.html': 'text/html', '.csv': 'text/csv', '.json': 'application/json', '.srt': 'text/plain'}
_VIDEO_TYPES = {
    '.mp4': 'video/mp4',
    '.m4v': 'video/mp4',
    '.mov': 'video/mp4',
    '.webm': 'video/webm',
    '.ogv': 'video/ogg',
}


@dataclass
class App:
    """What the routes work with.

    Attributes:
        store: The videos.
        queue: Who answers them.
        live: The live view.
        streams: Streams that the user named at the start; only these can be looked at.
        asked: Who answers, in words.
        place: Where it all lies, in words.
        closing: Whether the server is about to end.
    """

    store: Store
    queue: Queue
    live: Live
    streams: tuple[str, ...] = ()
    asked: str = ''
    place: str = ''
    closing: bool = False

    def item(self, request: Request) -> Item:
        """The video that an address names.

        Raises:
            HTTPException: There is none.
        """
        item = self.store.items.get(request.path_params['id'])
        if item is None:
            raise HTTPException(404, 'This video is no longer here.')
        return item


def make_app(app: App, token: str, port: int) -> Guard:
    """The whole of it, guarded.

    Args:
        app: What it works with.
        token: What the address must hold.
        port: That the server listens on.
    """
    routes = [
        Route('/', _page),
        Route('/api/state', _state),
        Route('/api/room', _room),
        Route('/api/videos', _upload, methods=['POST']),
        Route('/api/offered', _take_offered, methods=['POST']),
        Route('/api/videos/{id}/{what:str}', _change, methods=['POST']),
        Route('/answers/{id}/{name}', _file),
        Route('/all.zip', _zip),
        Route('/api/live', _live_state),
        Route('/api/live', _live_start, methods=['POST']),
        Route('/api/live/stop', _live_stop, methods=['POST']),
        Route('/live.mjpg', _live_pictures),
    ]
    handlers: dict[Any, Any] = {UserError: _told, HTTPException: _told}
    starlette = Starlette(routes=routes, exception_handlers=handlers)
    starlette.state.app = app
    return Guard(starlette, token, port)


def _of(request: Request) -> App:
    return request.app.state.app


async def _told(request: Request, error: Exception) -> Response:
    """What went wrong, as JSON that the page shows."""
    status = error.status_code if isinstance(error, HTTPException) else 400
    text = str(error.detail) if isinstance(error, HTTPException) else str(error)
    return JSONResponse({'error': printable(text)}, status)


async def _page(request: Request) -> Response:
    page = app_page()
    return HTMLResponse(page, headers={'content-security-policy': f"{app_policy()}; frame-ancestors 'none'"})


async def _state(request: Request) -> Response:
    app = _of(request)
    with app.store.changed:
        version = str(app.store.version)
        if request.query_params.get('version') == version:
            return Response(status_code=204)
        items = app.store.all()
        taken = {item.offered for item in items}
        left = seconds_left(items, time.monotonic())
        videos = [_as_dict(item) for item in items]
    return JSONResponse({
        'version': version,
        'videos': videos,
        'left': left,
        'offered': [
            {'number': number, 'name': printable(name)}
            for number, name in enumerate(app.store.offered) if name not in taken
        ],
        'limits': {'file': app.store.limits.file, 'total': app.store.limits.total},
        'cameras': CAMERAS,
        'streams': [source_of(stream).name for stream in app.streams],
        'asked': app.asked,
        'place': app.place,
        'damaged': app.store.damaged,
    })  # fmt: skip


def _as_dict(item: Item) -> dict[str, Any]:
    told = {key: item.result.get(key) for key in ('seconds', 'persons', 'events', 'took')}
    told['error'] = printable(item.result.get('error') or '')
    return {
        'id': item.id, 'name': printable(item.name), 'size': item.size, 'state': item.state,
        'phase': item.phase, 'share': round(item.share, 3), **told,
    }  # fmt: skip


async def _room(request: Request) -> Response:
    """Whether a video may be sent, asked before hours of sending: a browser hears no refusal while it sends."""
    try:
        size = int(request.query_params['size'])
    except (KeyError, ValueError):
        raise HTTPException(400, 'size: expected a number of bytes') from None
    await run_in_threadpool(_of(request).store.reserve, '', size)
    return JSONResponse({})


async def _upload(request: Request) -> Response:
    """Take a video in: its bytes are the body, its name is in the address."""
    store = _of(request).store
    length = request.headers.get('content-length', '')
    every = _every(request.query_params.get('every', 1))
    upload = await run_in_threadpool(
        store.upload, request.query_params.get('name', ''), int(length) if length.isdecimal() else None, every
    )
    try:
        async for block in request.stream():
            if block:
                await run_in_threadpool(upload.write, block)
        item = await run_in_threadpool(upload.finish)
    except BaseException as error:  # also where the browser goes away, or the server ends
        await asyncio.shield(run_in_threadpool(upload.drop))
        if isinstance(error, ClientDisconnect):
            return Response(status_code=499)
        raise
    return JSONResponse({'id': item.id}, 201)


async def _take_offered(request: Request) -> Response:
    """Queue videos of the folder that was named at the start, by their numbers in its list."""
    store, said = _of(request).store, await _json(request)
    numbers, every, names = said.get('numbers'), _every(said.get('every', 1)), list(store.offered)
    if not isinstance(numbers, list) or not all(isinstance(n, int) and 0 <= n < len(names) for n in numbers):
        raise HTTPException(400, 'numbers: expected a list of numbers of the videos that are offered')
    for number in dict.fromkeys(numbers):
        await run_in_threadpool(store.add_offered, names[number], every)
    return JSONResponse({}, 201)


def _every(said: Any) -> int:
    """Of how many frames one is to be looked at.

    Raises:
        HTTPException: It is none of those that may be chosen.
    """
    every = {str(number): number for number in EVERY}.get(str(said))
    if every is None:
        raise HTTPException(400, f'every: expected one of {", ".join(map(str, EVERY))}')
    return every


async def _change(request: Request) -> Response:
    app = _of(request)
    item, what = app.item(request), request.path_params['what']
    changes = {'cancel': app.queue.cancel, 'again': app.store.again, 'remove': app.queue.remove}
    if what not in changes:
        raise HTTPException(404, f'{what}: choose one of {", ".join(changes)}')
    await run_in_threadpool(changes[what], item)
    return JSONResponse({})


async def _file(request: Request) -> Response:
    """A file of an answer, or the video: nothing but these has an address."""
    app, name = _of(request), request.path_params['name']
    item = app.item(request)
    video = app.store.video_of(item)
    if video is not None and name == stored_name(video.name):
        path, kind = video, _VIDEO_TYPES.get(video.suffix.lower(), 'application/octet-stream')
    elif _OF_ANSWER.fullmatch(name):
        path = app.store.folder_of(item) / name
        kind = _TYPES.get(path.suffix, 'application/octet-stream')
    else:
        raise HTTPException(404, 'There is no such file.')
    if not await run_in_threadpool(path.is_file):
        raise HTTPException(404, 'There is no such file.')
    if 'save' in request.query_params:
        return FileResponse(path, media_type=kind, filename=folder_names([item])[item.id] + name.removeprefix(ANSWER))
    return FileResponse(path, media_type=kind)


async def _zip(request: Request) -> Response:
    videos = request.query_params.get('videos') == '1'
    headers = {'content-disposition': 'attachment; filename="answers.zip"'}
    return StreamingResponse(stream_zip(_of(request).store, videos), media_type='application/zip', headers=headers)


async def _live_state(request: Request) -> Response:
    return JSONResponse(_of(request).live.state())


async def _live_start(request: Request) -> Response:
    """Look at a camera, a stream that was named at the start, or a video of the list."""
    app, said = _of(request), await _json(request)
    kind, which = said.get('kind'), said.get('which')
    if kind == 'camera' and isinstance(which, int) and 0 <= which < CAMERAS:
        source, name = str(which), f'camera {which}'
    elif kind == 'stream' and isinstance(which, int) and 0 <= which < len(app.streams):
        source, name = app.streams[which], source_of(app.streams[which]).name
    elif kind == 'video' and isinstance(which, str) and which in app.store.items:
        item = app.store.items[which]
        video = app.store.video_of(item)
        if video is None:
            raise HTTPException(404, 'This video is no longer here.')
        source, name = str(video.absolute()), item.name
    else:
        raise HTTPException(400, 'Choose a camera, a video of the list, or a stream named at the start.')
    await run_in_threadpool(app.live.start, source, printable(name))
    return JSONResponse({}, 201)


async def _live_stop(request: Request) -> Response:
    await run_in_threadpool(_of(request).live.stop)
    return JSONResponse({})


async def _live_pictures(request: Request) -> Response:
    """The newest pictures, one after the other, as browsers show them in an image."""
    app = _of(request)

    async def parts() -> AsyncIterator[bytes]:
        number = 0
        while app.live.running and not app.closing:
            newest = app.live.picture(number)
            if newest is None:
                await asyncio.sleep(0.02)
                continue
            number, picture = newest
            yield b'--picture\r\ncontent-type: image/jpeg\r\ncontent-length: %d\r\n\r\n' % len(picture)
            yield picture + b'\r\n'

    return StreamingResponse(parts(), media_type='multipart/x-mixed-replace; boundary=picture')


async def _json(request: Request) -> dict[str, Any]:
    """A small body as JSON.

    Raises:
        HTTPException: It is none, or large.
    """
    body = b''
    async for block in request.stream():
        body += block
        if len(body) > 2**22:
            raise HTTPException(413, 'too much')
    try:
        said = json.loads(body or b'{}')
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise HTTPException(400, 'expected JSON')
    return said
