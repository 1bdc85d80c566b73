"""JSON files of other programs: read within bounds, and told apart by the numbers in their names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.folders import walk_files

MAX_FILE = 2**30
MAX_MEMORY = 2**30
"""Bytes that the content of one file may take, by an estimate from its brackets and commas."""

FAULTS = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, OSError, RecursionError, MemoryError)
"""What a file with other types, shapes or nesting than expected ends in; each costs that file only."""

_Item = TypeVar('_Item')


def read_json(path: Path) -> Any:
    """Read a JSON file in UTF-8, 16 or 32, with or without a byte-order mark.

    Raises:
        UserError: It cannot be read, is not JSON, or would fill the memory. The message does not name the file.
    """
    try:
        if not path.is_file():
            raise UserError('not a file')
        if path.stat().st_size > MAX_FILE:
            raise UserError(f'{path.stat().st_size / 2**30:.1f} GiB are more than are read of one JSON file')
        text = path.read_bytes()
    except OSError as error:
        raise UserError(f'cannot be read: {error.strerror or error}') from error
    memory = 240 * text.count(b'{') + 64 * text.count(b'[') + 32 * text.count(b',') + len(text)
    if memory > MAX_MEMORY:
        raise UserError(f'would take about {memory / 2**30:.1f} GiB of memory; split the file')
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f'not JSON, or a damaged file ({error!s:.100})') from error


def json_files(source: Path) -> list[tuple[str, Path]]:
    """The JSON files of a folder by their name below it without ``.json``, hidden ones left out; or the one file.

    Raises:
        UserError: There is none.
    """
    return files_below(source, ('.json',))


def files_below(source: Path, suffixes: Sequence[str]) -> list[tuple[str, Path]]:
    """The files of a folder that end so, by their name below it without the ending; or the one file itself.

    Raises:
        UserError: There is none.
    """
    if not source.is_dir():
        return [(source.stem, source)]
    found = []
    for path in walk_files(source):
        if path.suffix.lower() in suffixes:
            found.append((path.relative_to(source).with_suffix('').as_posix(), path))
    if not found:
        raise UserError(f'{source}: holds no {" or ".join(suffixes)} files')
    return found


def numbers(values: object, what: str) -> np.ndarray:
    """A list of numbers as float64 (N,); null counts as NaN.

    Raises:
        UserError: It is anything else.
    """
    if not isinstance(values, list):
        raise UserError(f'{what}: expected a list of numbers, got {type(values).__name__}')
    plain = [np.nan if value is None else value for value in values]
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in plain):
        raise UserError(f'{what}: expected numbers only')
    return np.array(plain, np.float64)


def number_in(name: str) -> tuple[str, int] | None:
    """The last number in a file's name, and what stands around it; None where there is none."""
    digits = list(re.finditer(r'\d+', name))
    if not digits or len(digits[-1][0]) > 15:
        return None
    last = digits[-1]
    return name[: last.start()] + name[last.end() :], int(last[0])


def sequences(items: Iterable[tuple[str, _Item]]) -> dict[str, dict[int, _Item]]:
    """Group what belongs to one frame each into clips, by the numbers in the names.

    Args:
        items: (name, item); names may have folders.

    Returns:
        Items by frame number, by clip. A clip is called like its folder where the folder holds one sequence, else by
        what stands around the numbers too.

    Raises:
        UserError: Two names have one number, or a name has none.
    """
    found: dict[tuple[str, str], dict[int, _Item]] = {}
    for name, item in items:
        pure = PurePosixPath(name)
        numbered = number_in(pure.name)
        if numbered is None:
            raise UserError(f'{name}: has no frame number in its name')
        frames = found.setdefault((pure.parent.as_posix(), numbered[0]), {})
        if numbered[1] in frames:
            raise UserError(f'{name}: a second file of frame {numbered[1]}')
        frames[numbered[1]] = item
    groups: dict[str, dict[int, _Item]] = {}
    for (folder, around), frames in found.items():
        alone = sum(other == folder for other, _ in found) == 1
        label = around.strip(' _-.()') or 'clip'
        groups[folder if alone and folder != '.' else (PurePosixPath(folder) / label).as_posix()] = frames
    return groups


def from_zero(frames: dict[int, _Item], always: bool = False) -> dict[int, _Item]:
    """Frames whose numbers begin at 1, counted from 0.

    Args:
        frames: Items by number.
        always: Whether any first number becomes 0: numbers of pictures, which may be cut from a longer recording. A
            video's own frame numbers stand for its time.
    """
    first = min(frames, default=0)
    return {number - first: item for number, item in frames.items()} if always or first == 1 else frames
