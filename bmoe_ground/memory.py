"""Memory that the C library keeps for itself."""

from __future__ import annotations

import ctypes
from contextlib import suppress


def release_heap() -> None:
    """Give freed memory back to the system, where the C library can (glibc).

    Many small arrays that are freed between others that stay leave holes, which a process keeps otherwise: forked
    data loader workers and the next data set then come on top of them.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
