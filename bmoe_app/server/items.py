"""One video of the app: what is written of it when it comes, and what when it is through."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bmoe_ground.files import atomic_write
from bmoe_ground.media import GIF, VIDEO_SUFFIXES, suffix_of

FORMAT = 'bmoe-app 1'
MAX_NAME = 400
"""Letters of a shown name that are kept."""
ENDED = ('ok', 'partial', 'failed', 'cancelled')
"""States of a video that nothing more happens to."""
ITEM, RESULT = 'item.json', 'result.json'
_MAX_BYTES = 2**20  # of either file
_ID = re.compile(r'[0-9a-f]{16}')
EVERY = (1, 2)
"""What may be chosen: to look at all frames, or at one of every two."""

Result = dict[str, Any]
"""What became of a video: an entry of :attr:`bmoe_app.commands.outputs.Outputs.entries`, and ``took`` in seconds."""


@dataclass
class Item:
    """One video.

    Attributes:
        id: 16 hexadecimal digits; the name of its folder, and all that an address says of it.
        number: Place in the queue, rising.
        name: What the user calls it: shown, never used as a path.
        size: Bytes.
        file: Name of the upload in the item's folder; None where the video lies in the offered folder.
        offered: Its name in the offered folder; None where it was uploaded.
        every: Of every so many frames one is looked at; one of :data:`EVERY`.
        state: 'queued', 'running', or one of :data:`ENDED`.
        result: What became of it; empty until it has ended.
        phase: What is done with it while it runs, in words.
        share: How much of it is done, 0..1, while it runs.
        started: Clock seconds at which its run began.
    """

    id: str
    number: int
    name: str
    size: int
    file: str | None = None
    offered: str | None = None
    every: int = 1
    state: str = 'queued'
    result: Result = field(default_factory=dict)
    phase: str = ''
    share: float = 0.0
    started: float = 0.0


def shown_name(name: str) -> str:
    """A name as it is kept and shown: never empty, of bounded length. What it holds does no harm, since it is data.

    Example:
        >>> shown_name('../../etc/passwd'), shown_name('')
        ('../../etc/passwd', 'video')
    """
    return name.strip()[:MAX_NAME] or 'video'


def stored_name(name: str) -> str:
    """What the file of an upload is called: only its ending is the user's, and that one of a list.

    Example:
        >>> stored_name('../a.MP4'), stored_name('a.exe')
        ('video.mp4', 'video.bin')
    """
    suffix = suffix_of(name)
    return f'video{suffix}' if suffix in VIDEO_SUFFIXES or suffix == GIF else 'video.bin'


def write_item(folder: Path, item: Item) -> None:
    """Put on the disk that there is this video, whole or not at all.

    Raises:
        UserError: It cannot be written.
    """
    kept = {name: getattr(item, name) for name in ('id', 'number', 'name', 'size', 'file', 'offered', 'every')}
    _write(folder / ITEM, {'format': FORMAT, **kept})


def write_result(folder: Path, result: Result) -> None:
    """Put on the disk what became of it.

    Raises:
        UserError: It cannot be written.
    """
    _write(folder / RESULT, {'format': FORMAT, **result})


def read_item(folder: Path) -> Item | None:
    """The video of a folder, with what became of it; None where the folder holds none, or a damaged one."""
    said = _read(folder / ITEM)
    if said is None or not _ID.fullmatch(folder.name) or said.get('id') != folder.name:
        return None
    numbers, name = (said.get('number'), said.get('size')), said.get('name')
    file, offered = said.get('file'), said.get('offered')
    if not all(isinstance(n, int) and n >= 0 for n in numbers) or not isinstance(name, str):
        return None
    if isinstance(file, str) == isinstance(offered, str) or (isinstance(file, str) and file != stored_name(file)):
        return None
    every = said.get('every', 1)  # a folder of an earlier release does not say
    if every not in EVERY:
        return None
    item = Item(folder.name, said['number'], shown_name(name), said['size'], file, offered, int(every))
    result = _read(folder / RESULT)
    if result is not None and result.get('status') in ENDED:
        item.state, item.result = result['status'], result
    return item


def _write(path: Path, data: dict[str, Any]) -> None:
    with atomic_write(path) as file:
        file.write(json.dumps(data, allow_nan=False).encode())


def _read(path: Path) -> dict[str, Any] | None:
    try:
        if not path.is_file() or path.stat().st_size > _MAX_BYTES:
            return None
        said = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) and said.get('format') == FORMAT else None
