"""What a benchmark says first: on what it runs, and whether something else does."""

from __future__ import annotations

import os
import platform


def machine_and_load() -> str:
    """Kind of processor, cores and the load of the last minute, in a line."""
    return f'{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}'
