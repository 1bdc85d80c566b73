"""Predictions of DeepLabCut: ``<video>DLC_<network>.csv`` or ``.h5``.

From its user guide ("The data is stored in ... a multi-index pandas array") and the files: header lines ``scorer``,
with several animals or people ``individuals``, then ``bodyparts`` and ``coords``, where each point has the columns
``x``, ``y``, ``likelihood``; below them a line a frame that begins with its number. The ``.h5`` is the same table under
``df_with_missing``, written by pandas in its format "table": its column names are a pickle, which is read here as every
pickle is, see :mod:`bmoe_ground.safe_pickle`.

The points are called as their owner liked, so that the layout is found by their names.
"""

from __future__ import annotations

import io
import re
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.safe_pickle import read_pickle_stream
from bmoe_ground.tables import iter_cells, parse_number
from pose_extract.convert.clips import Clip, Collection, ReadOptions, size_for
from pose_extract.convert.declared import match_names
from pose_extract.convert.hdf5 import attribute, member, open_hdf5, read_array
from pose_extract.convert.json_files import FAULTS, files_below, from_zero, number_in
from pose_extract.convert.people import MAX_PERSONS, Person, build_tracks
from pose_extract.tracks import MAX_FRAMES

SUFFIXES = ('.csv', '.h5', '.hdf5')
MAX_COLUMNS = 100_000
_HEADER = ('scorer', 'individuals', 'bodyparts', 'coords')
Table = tuple[list[tuple[str, str, str]], list[str | int], np.ndarray]
"""(individual, point, coordinate) of each column, what each line is called, and the numbers (lines, columns)."""


def read_deeplabcut(source: Path, options: ReadOptions) -> Collection:
    """Read one such file or all below a folder; of a table that is there as CSV and as HDF5, the CSV is read.

    Raises:
        UserError: There is no such file, or the size of the frames is not given.
    """
    size_for(options, source, 'DeepLabCut')
    collection = Collection()
    taken: set[str] = set()
    for name, path in files_below(source, SUFFIXES):  # .csv comes before .h5
        if name in taken:
            continue
        taken.add(name)
        try:
            table = _read_csv(path) if path.suffix.lower() == '.csv' else _read_hdf5(path)
            tracks, notes = _build(table, path, options)
            clip = re.sub(r'DLC_.*$', '', name) or name
            if any(other.name == clip for other in collection.clips):
                raise UserError(f'a second table of {clip}; keep the one to be read, such as the filtered one')
            collection.clips.append(Clip(clip, tracks))
            collection.notes += [f'{path}: {note}' for note in notes]
        except FAULTS as error:
            text = str(error).removeprefix(f'{path}: ')  # the reader of tables names file and line itself
            collection.failures.append(f'{text:.400}' if text.startswith(f'{path}:') else f'{path}: {text:.300}')
    return collection


def _read_csv(path: Path) -> Table:
    header: dict[str, list[str]] = {}
    lines: list[str | int] = []
    rows: list[list[float]] = []
    first = 1
    for number, cells, dialect in iter_cells(path, _HEADER[:1]):
        if len(cells) > MAX_COLUMNS:
            raise UserError(f'{len(cells)} columns, more than {MAX_COLUMNS}')
        if cells[0] in _HEADER and not rows:
            header[cells[0]] = cells
            continue
        if not {'bodyparts', 'coords'} <= header.keys():
            raise UserError('expected the header lines "scorer", "bodyparts" and "coords" of DeepLabCut')
        if not rows:  # labelled pictures have their path in three columns
            first = next((i for i, cell in enumerate(header['coords']) if i and cell), 1)
        if len(cells) != len(header['coords']):
            found = f'{len(cells)} cells, the header {len(header["coords"])}'
            raise UserError(f'{path}:{number}: {found} {dialect}')
        lines.append(cells[first - 1])
        rows.append([_number(cell, f'{path}:{number}') for cell in cells[first:]])
    if not rows:
        raise UserError('no line of numbers in it')
    if len({len(line) for line in header.values()}) != 1:
        raise UserError('header lines of different lengths')
    individuals = header.get('individuals', [''] * len(header['coords']))
    columns = list(zip(individuals[first:], header['bodyparts'][first:], header['coords'][first:], strict=True))
    return columns, lines, np.array(rows, np.float64)


def _number(cell: str, where: str) -> float:
    """A cell as a number; an empty one, or a NaN that a program wrote, is an absent point."""
    try:
        return float(cell) if cell else np.nan
    except ValueError:
        return parse_number(cell, where, 'a coordinate')  # which says what is wrong with it


def _read_hdf5(path: Path) -> Table:
    with open_hdf5(path) as file:
        group = member(file, 'df_with_missing')
        if group is None:
            raise UserError('expected the table "df_with_missing" of DeepLabCut')
        if member(group, 'table') is None:
            raise UserError('df_with_missing is not in the format "table"; read the .csv beside it')
        text = attribute(group, 'non_index_axes')
        table = read_array(group, 'table')
    try:
        axes = read_pickle_stream(io.BytesIO(text), len(text))
    except Exception as error:  # whatever is wrong with a pickle; see load_pickle
        raise UserError(f'non_index_axes: cannot be read ({error!s:.100})') from error
    fields = table.dtype.names or ()
    if 'index' not in fields or 'values_block_0' not in fields or 'values_block_1' in fields:
        raise UserError(f'table: expected the columns index and values_block_0, got {", ".join(fields)[:200]}')
    values = table['values_block_0']
    columns = axes[0][1] if isinstance(axes, list) and len(axes) == 1 and isinstance(axes[0], tuple) else None
    if not isinstance(columns, list) or not all(isinstance(c, tuple) and len(c) in (3, 4) for c in columns):
        raise UserError('non_index_axes: expected names of columns in three or four levels')
    if values.ndim != 2 or values.shape[1] != len(columns) or values.dtype.kind != 'f':
        raise UserError(f'table: {len(columns)} names for numbers of shape {values.shape}')
    named = [(str(c[1]) if len(c) == 4 else '', str(c[-2]), str(c[-1])) for c in columns]
    lines = [line.decode(errors='replace') if isinstance(line, bytes) else line for line in table['index'].tolist()]
    return named, lines, values.astype(np.float64)


def _build(table: Table, path: Path, options: ReadOptions) -> tuple[Any, list[str]]:
    columns, lines, values = table
    place = {column: index for index, column in enumerate(columns)}
    individuals = list(dict.fromkeys(column[0] for column in columns))
    names = list(dict.fromkeys(column[1] for column in columns))
    if len(individuals) > MAX_PERSONS:
        raise UserError(f'{len(individuals)} individuals, more than {MAX_PERSONS}')
    skeleton, order, notes = match_names(names, options)
    points = np.full((len(individuals), len(lines), len(order), 3), np.nan)
    for m, individual in enumerate(individuals):
        for k, index in enumerate(order):
            for c, coordinate in enumerate(('x', 'y', 'likelihood')):
                column = place.get((individual, names[index], coordinate)) if index is not None else None
                if column is not None:
                    points[m, :, k, c] = values[:, column]
                elif c == 2:
                    points[m, :, k, c] = np.where(np.isnan(points[m, :, k, 0]), 0, 1)  # set by hand
    frames: dict[int, list[Person]] = {}
    for t, number in enumerate(_numbers(lines)):
        frames[number] = [
            Person(points[m, t, :, :2], points[m, t, :, 2], None, m)
            for m in range(len(individuals))
            if not np.isnan(points[m, t, :, :2]).all()
        ]
    provenance = {'source': {'file': path.name, 'format': 'deeplabcut'}}
    pictures = isinstance(lines[0], str) and not lines[0].strip().isdecimal()
    size = size_for(options, path, 'DeepLabCut')
    tracks, found = build_tracks(from_zero(frames, always=pictures), skeleton, size, options, provenance)
    return tracks, notes + found


def _numbers(lines: list[str | int]) -> list[int]:
    """Frame numbers by what each line is called: a number, or a picture's name."""
    found: list[int] = []
    for line in lines:
        named = number_in(PurePath(line.strip()).stem) if isinstance(line, str) else ('', line)
        if named is None or not isinstance(named[1], int) or not 0 <= named[1] < MAX_FRAMES:
            raise UserError(f'line {len(found) + 1}: {line!r:.60} is not the number of a frame')
        found.append(named[1])
    if len(set(found)) != len(found):
        raise UserError('two lines have the same frame number')
    return found
