"""How many threads torch computes with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread, and give back the number that was set.

    For networks so small that the threads of one step wait for each other longer than they compute. Where anything else
    runs on the machine, such as a second video, that is not a small loss: a window of a skeleton model took 0.04 s of a
    free core, and with a second thread on two busy cores 9 s. The number is the process's: what other Python threads
    compute meanwhile has one thread too.

    Example:
        >>> with one_thread():
        ...     torch.get_num_threads()
        1
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
