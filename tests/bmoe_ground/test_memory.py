from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
SCRIPT = """
import numpy as np
from bmoe_ground.memory import release_heap

def resident():
    return int(next(l for l in open('/proc/self/status') if l.startswith('VmRSS')).split()[1])

kept, freed = [], []
for _ in range(4000):
    freed.append(np.ones(8000, np.uint8))
    kept.append(np.ones(8000, np.uint8))
freed.clear()
before = resident()
release_heap()
print(before - resident())
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != 'glibc' or not Path('/proc/self/status').exists(), reason='needs glibc and /proc'
)
def test_holes_between_arrays_go_back_to_the_system() -> None:
    done = subprocess.run([sys.executable, '-c', SCRIPT], cwd=REPO, capture_output=True, text=True, check=True)
    assert int(done.stdout) > 8000  # of about 31,000 kB freed in holes
