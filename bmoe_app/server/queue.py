"""One video after the other: hands them to the worker, and puts on record what becomes of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from bmoe_app.commands.outputs import failed_entry
from bmoe_app.server.items import ENDED, Item
from bmoe_app.server.store import Store
from bmoe_app.server.worker import Job, Message, Worker

LISTEN = 0.2
"""Seconds within which a cancellation is heard."""
NOT_OFFERED = 'its folder was not named at this start; start the app with the same --folder, then try again'
NOTHING: Message = ('', None)


class Queue:
    """Answers what the store holds, in a thread of its own, until it is stopped.

    Args:
        store: The videos.
        hire: Makes a worker; called anew when one died or was ended.
        worker: One that is there already.
    """

    def __init__(self, store: Store, hire: Callable[[], Worker], worker: Worker | None = None) -> None:
        self._store, self._hire, self._worker = store, hire, worker
        self._cancelled: set[str] = set()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name='queue', daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End at once; a video that is being answered is one to be answered at the next start."""
        with self._store.changed:
            self._stopping = True
            self._store.changed.notify_all()
        self._thread.join()
        if self._worker is not None:
            self._worker.stop()

    def cancel(self, item: Item) -> None:
        """Answer a video no further."""
        with self._store.changed:
            if item.state == 'queued':
                self._store.end(item, _cancelled(item))
            elif item.state == 'running':
                self._cancelled.add(item.id)

    def remove(self, item: Item) -> None:
        """Remove a video and its answer, at the latest when its run is cancelled."""
        self.cancel(item)
        with self._store.changed:
            self._store.changed.wait_for(lambda: item.state in ENDED, timeout=30)
        self._store.remove(item)

    def _run(self) -> None:
        while not self._stopping:
            item = self._store.next()
            if item is not None:
                self._answer(item)
                continue
            with self._store.changed:
                if not self._stopping:
                    self._store.changed.wait(5)

    def _answer(self, item: Item) -> None:
        video = self._store.video_of(item)
        if video is None:
            self._store.end(item, failed_entry(item.name, NOT_OFFERED))
            return
        self._worker = self._worker or self._hire()
        self._worker.give(Job(item.id, item.name, video, item.every))
        while not self._stopping:
            if item.id in self._cancelled:
                self._cancelled.discard(item.id)
                self._dismiss()
                self._store.end(item, _cancelled(item))
                return
            kind, value = self._worker.receive(LISTEN) or NOTHING
            if kind == 'report':
                self._store.report(item, *value)
            elif kind == 'end':
                self._store.end(item, {**value, 'took': round(time.monotonic() - item.started, 2)})
                return
            elif kind in ('died', 'fatal'):
                self._dismiss()
                self._store.end(item, failed_entry(item.name, value))
                return

    def _dismiss(self) -> None:
        if self._worker is not None:
            self._worker.stop()
        self._worker = None


def seconds_left(items: list[Item], now: float) -> float | None:
    """How long the queue still takes, by the bytes of what was looked at; None where nothing tells.

    Args:
        items: All videos.
        now: Clock seconds, as :attr:`Item.started`.

    Example:
        >>> done = Item('a', 1, 'a', 100, state='ok', result={'took': 10.0})
        >>> seconds_left([done, Item('b', 2, 'b', 50)], 0.0)
        5.0
    """
    waiting = sum(item.size / item.every for item in items if item.state == 'queued')
    running = [item for item in items if item.state == 'running']
    known = [(item.result['took'], item.size / item.every) for item in items if item.result.get('took') and item.size]
    rate = sum(took for took, _ in known) / sum(size for _, size in known) if known else None
    left = 0.0
    for item in running:
        spent = now - item.started
        if item.share > 0.02:
            left += spent * (1 - item.share) / item.share
            rate = rate or (spent / item.share / item.size * item.every if item.size else None)
        elif rate is None:
            return None
        else:
            left += max(0.0, rate * item.size / item.every - spent)
    if waiting and rate is None:
        return None
    return left + waiting * (rate or 0.0)


def _cancelled(item: Item) -> dict[str, object]:
    return {**failed_entry(item.name, 'cancelled'), 'status': 'cancelled'}
