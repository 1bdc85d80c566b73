"""Everything as one zip, made while it is sent: no copy in memory or on the disk."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from bmoe_app.answer.files import COLUMNS
from bmoe_app.commands.outputs import FORMAT
from bmoe_app.pages.index_page import IndexEntry, index_page
from bmoe_app.server.items import Item, stored_name
from bmoe_app.server.store import Store
from bmoe_app.server.worker import ANSWER
from bmoe_ground.cells import csv_bytes, plain_cell

BLOCK = 2**18
_HARMFUL = re.compile(r'[^\w. ()+,=@-]+')


class _Pipe(io.RawIOBase):
    """Takes what ``zipfile`` writes, and hands it on."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._blocks.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        blocks, self._blocks = self._blocks, []
        return b''.join(blocks)


def stream_zip(store: Store, videos: bool) -> Iterator[bytes]:
    """The answers as a zip.

    Args:
        store: The app's folder.
        videos: Whether the videos are in it, too: the pages play them.

    Yields:
        Its bytes in order.
    """
    items = [item for item in store.all() if item.state in ('ok', 'partial', 'failed')]
    names = folder_names(items)
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, 'w', zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for item in items:
            for name, path in _files(store, item, videos):
                # pictures that are compressed already are stored as they are
                kind = zipfile.ZIP_STORED if name.startswith('video.') or name.endswith('.npz') else None
                yield from _add(archive, pipe, f'{names[item.id]}/{name}', path, kind)
        archive.writestr('index.html', index_page([_row(item, names[item.id]) for item in items]))
        archive.writestr('events.csv', csv_bytes(_events(store, items)))
        entries = [{key: value for key, value in item.result.items() if key != 'format'} for item in items]
        archive.writestr('answers.json', json.dumps({'format': FORMAT, 'videos': entries}, indent=1))
        yield pipe.taken()
    yield pipe.taken()


def folder_names(items: Sequence[Item]) -> dict[str, str]:
    """A folder's name for each video by its id: like the video's own, harmless on every system, no two alike."""
    taken: set[str] = set()
    names = {}
    for item in items:
        plain = _HARMFUL.sub('_', item.name).strip(' ._')[:80].strip(' ._') or 'video'
        name, number = plain, 1
        while name.casefold() in taken | {'index.html', 'events.csv', 'answers.json'}:
            number += 1
            name = f'{plain} ({number})'
        taken.add(name.casefold())
        names[item.id] = name
    return names


def _files(store: Store, item: Item, videos: bool) -> Iterator[tuple[str, Path]]:
    """The files of one answer, by the name that they have in the zip."""
    folder = store.folder_of(item)
    if item.state == 'failed':
        return
    for path in sorted(folder.glob(f'{ANSWER}.*')):
        yield path.name, path
    video = store.video_of(item)
    if videos and video is not None and video.is_file():
        yield stored_name(video.name), video


def _add(archive: zipfile.ZipFile, pipe: _Pipe, name: str, path: Path, kind: int | None) -> Iterator[bytes]:
    try:
        info = zipfile.ZipInfo.from_file(path, name, strict_timestamps=False)
        source = path.open('rb')
    except OSError:  # removed while the zip was made
        return
    info.compress_type = archive.compression if kind is None else kind
    with source, archive.open(info, 'w', force_zip64=info.file_size > 2**31 - BLOCK) as target:
        while block := source.read(BLOCK):
            target.write(block)
            yield pipe.taken()


def _row(item: Item, folder: str) -> IndexEntry:
    said = item.result
    if item.state == 'failed':
        return IndexEntry(item.name, reason=str(said.get('error')))
    href = quote(f'{folder}/{ANSWER}.html')
    return IndexEntry(item.name, href, said.get('seconds'), said.get('persons'), said.get('regions') or {})


def _events(store: Store, items: Sequence[Item]) -> Iterator[Sequence[str]]:
    """All events in one table, the video's name in front."""
    yield ('video', *COLUMNS)
    for item in items:
        path = store.folder_of(item) / f'{ANSWER}.events.csv'
        if item.state != 'failed' and path.is_file():
            with path.open(newline='', encoding='utf-8-sig') as file:
                yield from ((item.name, *map(plain_cell, row)) for row in list(csv.reader(file))[1:])
