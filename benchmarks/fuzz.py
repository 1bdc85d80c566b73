"""Coverage-guided fuzzing of the readers of tracks, pickles and manifests; needs ``pip install atheris``.

    python -m benchmarks.fuzz pickle corpus/ -max_total_time=300
    python -m benchmarks.fuzz track corpus/ -max_total_time=300 -max_len=4096

What follows the reader's name is for libFuzzer. Whatever a file holds, a reader raises ``UserError`` or reads it; any
other exception is a finding, and its bytes are kept as ``crash-<digest>``.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bmoe_ground.errors import UserError
from bmoe_ground.safe_pickle import load_pickle
from pose_extract.manifest import read_journal, read_manifest
from pose_extract.tracks import load_tracks


def _manifest(path: Path) -> None:
    list(read_journal(path))
    read_manifest(path)


READERS: dict[str, Callable[[Path], object]] = {'manifest': _manifest, 'pickle': load_pickle, 'track': load_tracks}


def try_bytes(reader: str, data: bytes, path: Path) -> bool:
    """Give bytes to a reader as a file.

    Args:
        reader: A key of :data:`READERS`.
        data: What the file holds.
        path: Where it is written.

    Returns:
        Whether it was read; False where it was refused.
    """
    path.write_bytes(data)
    try:
        READERS[reader](path)
    except UserError:
        return False
    return True


def main() -> None:
    """Fuzz one reader until libFuzzer is told to stop."""
    if len(sys.argv) < 2 or sys.argv[1] not in READERS:
        raise UserError(
            f'python -m benchmarks.fuzz READER [CORPUS] [options of libFuzzer]; readers: {", ".join(READERS)}'
        )
    import atheris

    reader = sys.argv.pop(1)
    # in memory, where the system has such a folder
    folder = Path(tempfile.mkdtemp(dir='/dev/shm' if os.path.isdir('/dev/shm') else None))  # noqa: S108
    atheris.instrument_all()
    atheris.Setup(sys.argv, lambda data: try_bytes(reader, data, folder / 'x') and None)
    atheris.Fuzz()


if __name__ == '__main__':
    from bmoe_ground.errors import run_tool

    run_tool(main)
