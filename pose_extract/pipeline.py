"""Running the stages of a stream beside each other."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from typing import TypeVar

Item = TypeVar('Item')
_END = object()


def prefetch(source: Iterable[Item], size: int) -> Generator[Item, None, None]:
    """Iterate over ``source`` in a thread of its own, at most ``size`` items ahead.

    An exception of the source is raised here, in its place. When the consumer stops early, so does the thread.

    Args:
        source: Where the items come from; only the thread touches it until iteration ends.
        size: Number of items held, at least 1.
    """
    if size < 1:
        raise ValueError(f'size must be at least 1, got {size}')
    items: queue.Queue[object] = queue.Queue(size)
    failure: list[BaseException] = []
    stopped = threading.Event()

    def offer(item: object) -> bool:
        while not stopped.is_set():
            try:
                items.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for item in source:
                if not offer(item):
                    return
        except BaseException as error:  # noqa: BLE001 - handed over to the consumer, which raises it
            failure.append(error)
        offer(_END)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while (item := items.get()) is not _END:
            yield item  # type: ignore[misc]
        if failure:
            raise failure[0]
    finally:
        stopped.set()
        thread.join()


def chunks(source: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Group consecutive items into lists of ``size``, the last one possibly shorter."""
    group: list[Item] = []
    for item in source:
        group.append(item)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
