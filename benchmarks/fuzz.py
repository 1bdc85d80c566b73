"""Coverage-guided fuzzing of the readers of tracks, pickles and manifests; needs ``pip install atheris``.

    python -m benchmarks.fuzz pickle corpus/ -max_total_time=300
    python -m benchmarks.fuzz track corpus/ -max_total_time=300 -max_len=4096

What follows the reader's name is for libFuzzer. Whatever a file holds, a reader raises ``UserError`` or reads it; any
other exception is a finding, and its bytes are kept as ``crash-<digest>``.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bmoe_ground.errors import UserError

# imported once a reader is asked for: only what is imported under atheris is traced, and tracing everything that is
# there (``instrument_all``) takes many minutes before the first byte is tried
READERS = {
    'manifest': ('pose_extract.manifest:read_journal', 'pose_extract.manifest:read_manifest'),
    'pickle': ('bmoe_ground.safe_pickle:load_pickle',),
    'track': ('pose_extract.tracks:load_tracks',),
}
TRACED = ['bmoe_ground', 'pose_extract', 'json', 'pickle', 'zipfile']


def functions_of(reader: str) -> list[Callable[[Path], object]]:
    """The functions of a key of :data:`READERS`."""
    places = (place.split(':') for place in READERS[reader])
    return [getattr(importlib.import_module(module), name) for module, name in places]


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
        for read in functions_of(reader):
            found = read(path)
            if isinstance(found, Iterator):
                list(found)
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
    with atheris.instrument_imports(include=TRACED):
        functions_of(reader)
    # in memory, where the system has such a folder
    folder = Path(tempfile.mkdtemp(dir='/dev/shm' if os.path.isdir('/dev/shm') else None))  # noqa: S108
    atheris.Setup(sys.argv, lambda data: try_bytes(reader, data, folder / 'x') and None)
    atheris.Fuzz()


if __name__ == '__main__':
    from bmoe_ground.errors import run_tool

    run_tool(main)
