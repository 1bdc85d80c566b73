"""Readers of FER2013 and of FER+, its relabelling."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.npz import Headers, load_npz
from bmoe_ground.tables import Row, iter_table
from face_aux.datasets.base import FaceDataset
from face_aux.datasets.records import Record
from face_aux.labels import (
    FER2013_EMOTION,
    FERPLUS_EMOTION,
    Task,
)
from face_aux.registry import DATASETS


@DATASETS.register_module()
class Fer2013(FaceDataset):
    """FER2013's 48x48 grey faces from ``fer2013.csv``, or from one ``<split>.npz`` (x, y) a split.

    Splits: 'Training', 'PublicTest', 'PrivateTest'. The set has no group columns.

    Args:
        ann_name: File below ``data_root`` to read instead of ``fer2013.csv``.
        **kwargs: See :class:`FaceDataset`.
    """

    TASKS = {'emotion': Task(FER2013_EMOTION)}
    SPLITS = ('Training', 'PublicTest', 'PrivateTest')
    SIDE = 48

    def __init__(self, ann_name: str = 'fer2013.csv', **kwargs: Any) -> None:
        self.ann_name = ann_name
        super().__init__(**kwargs)

    def read(self) -> list[Record]:
        """The CSV where it is, else the npz files."""
        if self.split is not None and self.split not in self.SPLITS:
            raise UserError(f'{self._describe()}: no such split; FER2013 has {list(self.SPLITS)}')
        if (path := self._table()).is_file():
            return self._read_csv(path)
        files = {s: self.root / f'{s}.npz' for s in ([self.split] if self.split else self.SPLITS)}
        present = {split: path for split, path in files.items() if path.is_file()}
        if not present:
            raise UserError(f'{self.root}: neither {self.ann_name} nor {", ".join(p.name for p in files.values())}')
        return self._read_npz(present)

    def _table(self) -> Path:
        """The CSV, in the root or in the folder that the archive unpacks to."""
        paths = [self.root / self.ann_name, self.root / 'fer2013' / self.ann_name, self.root / 'icml_face_data.csv']
        return next((path for path in paths if path.is_file()), paths[0])

    def _read_npz(self, files: dict[str, Path]) -> list[Record]:
        pixels: list[np.ndarray] = []
        records: list[Record] = []
        for split, path in files.items():
            arrays = load_npz(path, 'an archive of faces', _check_headers)
            x, y = arrays['x'], arrays['y']
            if len(y) and not 0 <= y.min() <= y.max() < len(FER2013_EMOTION):
                raise UserError(f'{path}: labels {y.min()} to {y.max()}, expected 0 to {len(FER2013_EMOTION) - 1}')
            offset = len(records)
            pixels.append(x)
            records += [self._record(f'{path.name}:{i}', int(v), split, offset + i) for i, v in enumerate(y)]
        self.arrays = np.concatenate(pixels)
        return records

    def _read_csv(self, path: Path) -> list[Record]:
        pixels: list[np.ndarray] = []
        records: list[Record] = []
        for row in iter_table(path, ['emotion', 'pixels', 'Usage']):
            where = row.where
            if row['Usage'] not in self.SPLITS:
                raise UserError(f'{where}: Usage {row["Usage"]!r}; expected one of {self.SPLITS}')
            label = self._label(row, len(pixels))
            pixels.append(self._face(row['pixels'], where))
            if label is not None:
                records.append(self._record(f'{path.name}:{row.line}', label, row['Usage'], len(pixels) - 1))
        self._check_rows(len(pixels))
        self.arrays = np.stack(pixels) if pixels else np.zeros((0, self.SIDE, self.SIDE), np.uint8)
        return records

    def _label(self, row: Row, index: int) -> int | None:
        label = row.integer('emotion')
        if not 0 <= label < len(FER2013_EMOTION):
            raise UserError(f'{row.where}: emotion {label}, expected 0 to {len(FER2013_EMOTION) - 1}')
        return label

    def _check_rows(self, rows: int) -> None:
        """Nothing beside the CSV has to match it."""

    def _face(self, text: str, where: str) -> np.ndarray:
        try:
            values = np.array(text.split(), dtype=np.int64)
        except (ValueError, OverflowError):
            raise UserError(f'{where}: pixels are not whole numbers of 0 to 255') from None
        if values.size != self.SIDE**2 or values.min() < 0 or values.max() > 255:
            raise UserError(f'{where}: expected {self.SIDE**2} pixels of 0 to 255, found {values.size}')
        return values.astype(np.uint8).reshape(self.SIDE, self.SIDE)

    @staticmethod
    def _record(path: str, label: int, split: str, index: int) -> Record:
        return Record(path, {'emotion': label}, {}, split, media='array', where=path, array_index=index)


def _check_headers(headers: Headers) -> None:
    """Faces x (N, H, W) and labels y (N,); anything else is refused before it is unpacked."""
    if not {'x', 'y'} <= headers.keys():
        raise ValueError(f'expected the arrays x (N, 48, 48) uint8 and y (N,), found {", ".join(headers)[:200]}')
    (x, pixels), (y, labels) = headers['x'], headers['y']
    if pixels != np.uint8 or len(x) != 3 or y != x[:1] or labels.kind not in 'iuf':
        raise ValueError(f'x is {pixels} {x}, y {labels} {y}; expected uint8 (N, H, W) and numbers (N,)')


@DATASETS.register_module()
class FerPlus(Fer2013):
    """FER+: FER2013's faces relabelled by ten people, eight emotions (Barsoum et al., ICMI 2016).

    The majority rule of the authors' code: single votes are dropped as outliers, the winner must have more than half
    of what remains, and 'unknown' and 'not a face' are left out and counted.

    Args:
        votes_name: The votes, row by row in the order of ``fer2013.csv``.
        **kwargs: See :class:`Fer2013`.
    """

    TASKS = {'emotion': Task(FERPLUS_EMOTION)}
    VOTES = (*FERPLUS_EMOTION, 'unknown', 'NF')

    def __init__(self, votes_name: str = 'fer2013new.csv', **kwargs: Any) -> None:
        self.votes_name = votes_name
        self._votes: list[tuple[str, str, tuple[int, ...]]] = []
        super().__init__(**kwargs)

    def read(self) -> list[Record]:
        """Both files, joined by row."""
        path = self.root / self.votes_name
        self._votes = []
        for row in iter_table(path, ['Usage', 'Image name', *self.VOTES]):
            self._votes.append((row.where, row['Usage'], tuple(row.integer(v) for v in self.VOTES)))
        if not self._table().is_file():
            raise UserError(f'{self.root / self.ann_name}: no such file; FER+ has votes only and needs the faces')
        return super().read()

    def _label(self, row: Row, index: int) -> int | None:
        if index >= len(self._votes):
            raise UserError(f'{row.where}: {self.votes_name} has only {len(self._votes)} rows')
        votes_where, usage, votes = self._votes[index]
        if usage != row['Usage']:
            raise UserError(
                f'{votes_where}: Usage {usage!r}, but {row.where} has {row["Usage"]!r}; the rows do not match'
            )
        winner = majority_vote(votes)
        if winner is None or winner >= len(FERPLUS_EMOTION):
            self.skip(votes_where, 'no majority' if winner is None else f'majority says {self.VOTES[winner]}')
            return None
        return winner

    def _check_rows(self, rows: int) -> None:
        if rows != len(self._votes):
            raise UserError(f'{self.votes_name} has {len(self._votes)} rows, {self.ann_name} {rows}; they must match')


def majority_vote(votes: Sequence[int]) -> int | None:
    """Index with more than half of the votes once single votes are dropped; None where there is none."""
    kept = [v if v > 1 else 0 for v in votes]
    best = max(range(len(kept)), key=kept.__getitem__)
    return best if 2 * kept[best] > sum(kept) else None
