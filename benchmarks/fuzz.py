"""Coverage-guided fuzzing of the readers of tracks, pickles and manifests; needs ``pip install atheris``.

    python -m benchmarks.fuzz pickle corpus/ -max_total_time=300
    python -m benchmarks.fuzz track corpus/ -max_total_time=300 -max_len=4096
    python -m benchmarks.fuzz pickle --keep tests/data/fuzz/pickle.zip corpus/ crashes/

What follows the reader's name is for libFuzzer. The last call puts those files of folders into an archive that lead the
reader along some way that no smaller one does; the tests give them to it again.

Whatever a file holds, a reader raises ``UserError`` or reads it; any other exception is a finding, and its bytes are
kept as ``crash-<digest>``.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write

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


def keep(reader: str, folders: Iterable[Path], archive: Path) -> int:
    """Put the files that matter into an archive, smallest first.

    libFuzzer's own ``-merge`` starts itself anew without Python, so a step from line to line is what counts here.

    Args:
        reader: A key of :data:`READERS`.
        folders: What libFuzzer kept.
        archive: The ``.zip`` to write.

    Returns:
        How many there are.
    """
    contents = {path.read_bytes() for folder in folders for path in folder.iterdir()}
    functions_of(reader)
    seen: set[object] = set()
    kept = []
    with tempfile.TemporaryDirectory() as folder:
        for content in sorted(contents, key=lambda one: (len(one), one)):
            steps = _steps_of(reader, content, Path(folder) / 'x')
            if not steps <= seen:
                seen |= steps
                kept.append(content)
    with atomic_write(archive) as file, zipfile.ZipFile(file, 'w') as out:
        for number, content in enumerate(kept):
            out.writestr(zipfile.ZipInfo(f'{number:03d}'), content, zipfile.ZIP_DEFLATED)
    return len(kept)


def _steps_of(reader: str, content: bytes, path: Path) -> set[object]:
    """The steps from line to line that a reader takes in its own modules and the library's."""
    steps: set[object] = set()
    last: dict[int, int] = {}

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_globals.get('__name__', '').split('.')[0] not in TRACED:
            return None
        here = id(frame.f_code)
        steps.add((here, last.get(here), frame.f_lineno))
        last[here] = frame.f_lineno
        return trace

    sys.settrace(trace)
    try:
        try_bytes(reader, content, path)
    finally:
        sys.settrace(None)
    return steps


def main() -> None:
    """Fuzz one reader until libFuzzer is told to stop, or keep what it found."""
    if len(sys.argv) < 2 or sys.argv[1] not in READERS:
        raise UserError(
            f'python -m benchmarks.fuzz READER [CORPUS] [options of libFuzzer]; readers: {", ".join(READERS)}'
        )
    reader = sys.argv.pop(1)
    if sys.argv[1:2] == ['--keep']:
        print(keep(reader, map(Path, sys.argv[3:]), Path(sys.argv[2])), 'files kept')
        return
    import atheris

    with atheris.instrument_imports(include=TRACED):
        functions_of(reader)
    # in memory, where the system has such a folder
    folder = Path(tempfile.mkdtemp(dir='/dev/shm' if os.path.isdir('/dev/shm') else None))  # noqa: S108
    atheris.Setup(sys.argv, lambda data: try_bytes(reader, data, folder / 'x') and None)
    atheris.Fuzz()


if __name__ == '__main__':
    from bmoe_ground.errors import run_tool

    run_tool(main)
